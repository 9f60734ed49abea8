"""What the config names and its rules need to know of it; imports nothing heavy."""

from typing import NamedTuple


class Kernels(NamedTuple):
    """A set of kernels: how many, their length in ms, and the file they are read from, if any."""

    count: int
    ms: int
    file: str | None = None


KERNELS = {
    "local": Kernels(2, 400, "data/dunl/kernels-local.csv"),
    "two": Kernels(2, 400, "data/dunl/kernels-two.csv"),
    "whisker": Kernels(1, 500),
    "orthogonal": Kernels(5, 400),
    "dopamine": Kernels(3, 600),
}
# Recordings that come with a package: package -> name -> unit of its times in ms, None if the
# config says it.
PACKAGED: dict[str, dict[str, float | None]] = {
    "nitime": {"bold": 2000.0, "receptor": None, "receptor_fast": None},
    "pywt": {"ecg": 1000 / 360},
}
LAW_OPTIONS = {"gaussian": {"std"}, "binomial": {"trials"}, "poisson": {"largest"}}


def places(entry: dict) -> range:
    """Bins at which events of a simulation can start: a grid of ``spacing_ms``."""
    size = entry["bin_ms"]
    last = entry["ms"] - entry.get("silent_end_ms", 0) - KERNELS[entry["kernels"]].ms
    step = entry.get("spacing_ms", size)
    return range(entry.get("silent_ms", 0) // size, last // size + 1, max(step // size, 1))


# Kinds of methods. Those that need the true events, or kernels, run where they are known.
KNOWN_TIMES, KNOWN_KERNELS, SEARCH = "known_times", "known_kernels", "search"
NETWORK, SMOOTH, PEER, CHANCE = "network", "smooth", "peer", "chance"
SEARCHED = ("sweeps", "chains", "starts", "screen", "search_neurons")  # how a search is done
NEAR = 1  # bins by which an event may be missed in claims and tables
OPTIONAL = {"sporco": "sporco"}  # peer -> the package without which it is left out
ASSUMED = "assumed"  # a sweep over the number of kernels that a method has


class Job(NamedTuple):
    """One method on one recording, all replicates."""

    data: str
    method: str


def swept(sweep: dict, value: float) -> tuple[str, str]:
    """What a sweep puts after the names of its data and of its methods, at one of its values."""
    word = f"_{sweep['key']}_{value:g}".replace(".", "p").replace("-", "m")
    return ("", word) if sweep["key"] == ASSUMED else (word, "")


def simulations(section: dict) -> dict[str, dict]:
    """All simulations by name, those of the sweeps too."""
    found = dict(section["simulations"])
    for sweep in section["sweeps"].values():
        for value in sweep["values"]:
            if sweep["key"] != ASSUMED:
                of = sweep["of"]
                change = {sweep["key"]: value}
                found[of + swept(sweep, value)[0]] = section["simulations"][of] | change
    return found


def methods(section: dict) -> dict[str, dict]:
    """All methods by name, those of the sweeps too."""
    found = dict(section["methods"])
    for sweep in section["sweeps"].values():
        for value in sweep["values"]:
            if sweep["key"] == ASSUMED:
                for name in sweep["methods"]:
                    change = {ASSUMED: value}
                    found[name + swept(sweep, value)[1]] = section["methods"][name] | change
    return found


def packages(spec: dict) -> list[str]:
    """The optional package that a method needs: one, or none."""
    return [OPTIONAL[spec["peer"]]] if spec.get("peer") in OPTIONAL else []


def points(section: dict, sweep: str) -> list[tuple[float, Job]]:
    """The values of a sweep and the jobs at each."""
    settings = section["sweeps"][sweep]
    return [
        (value, Job(settings["of"] + data, name + method))
        for value in settings["values"]
        for data, method in [swept(settings, value)]
        for name in settings["methods"]
    ]


def jobs(section: dict) -> list[Job]:
    """All jobs, each once."""
    found = [Job(data, method) for data, names in section["runs"].items() for method in names]
    found += [job for name in section["sweeps"] for _, job in points(section, name)]
    return list(dict.fromkeys(found))


def entry_of(section: dict, data: str) -> dict:
    """The entry of a recording or simulation, one of a sweep too."""
    return section["recordings"].get(data) or simulations(section)[data]


def replicates(section: dict, data: str) -> int:
    """Draws of a simulation; seeds of the search in a recording."""
    return entry_of(section, data).get("replicates", section["replicates"])


def artefacts(section: dict, data: str) -> list[str]:
    """Names of the files of a recording: one for each draw of a simulation."""
    if data in section["recordings"]:
        return [data]
    return [f"{data}-{replicate}" for replicate in range(replicates(section, data))]


def spacing(section: dict, data: str) -> int:
    """Least distance of two events of a kernel, in bins."""
    entry = entry_of(section, data)
    return max(1, round(entry.get("spacing_ms", entry["bin_ms"]) / entry["bin_ms"]))


def told(section: dict, data: str) -> dict:
    """What methods are told of a recording beside its values: (JSON)."""
    entry = section["recordings"].get(data, {})
    unknown = {key: entry.get(key, 1) for key in ("most", "count")}
    return {"spacing": spacing(section, data), **unknown}
