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
