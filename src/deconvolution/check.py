"""Rules on the config of the deconvolution across keys; workflow/validate.py calls them."""

from math import isclose

from deconvolution.conditions import (
    ASSUMED,
    CHANCE,
    KERNELS,
    KNOWN_KERNELS,
    LAW_OPTIONS,
    NEAR,
    NETWORK,
    PACKAGED,
    PEER,
    SEARCH,
    SEARCHED,
    SMOOTH,
    Job,
    jobs,
    methods,
    places,
    simulations,
    swept,
)

TRACES, COUNTS = "gaussian", "binomial"
NETWORK_NEEDS = {"lambda", "layers", "epochs", "lr", "batch_size"}
# Keys of a method: those of any kind, and those that only some kinds use.
COMMON = {"kind", "law", "apart", "hidden"}
USED = {
    SEARCH: set(SEARCHED),
    KNOWN_KERNELS: set(SEARCHED) - {"starts"},
    NETWORK: NETWORK_NEEDS | {"group_lambda", "backprop", "smooth"},
    PEER: {"peer", "known", "starts"},
}


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    section = config["deconvolution"]
    simulations, recordings = section["simulations"], section["recordings"]
    errors = [
        f"deconvolution.recordings.{name}: a simulation has this name"
        for name in recordings
        if name in simulations
    ]
    for name, entry in simulations.items():
        found = _simulation(entry)
        errors += [f"deconvolution.simulations.{name}.{error}" for error in found]
    for name, entry in recordings.items():
        errors += [f"deconvolution.recordings.{name}.{error}" for error in _recording(entry)]
    return errors or _studies(section)


def _studies(section: dict) -> list[str]:
    """What is wrong with runs and sweeps of what is right by itself."""
    errors, specs = [], section["methods"]
    if NEAR not in section["tolerances"]:
        errors.append(f"deconvolution.tolerances: claims and tables need {NEAR}")
    for name, spec in specs.items():
        errors += [f"deconvolution.methods.{name}{error}" for error in _method(spec)]
    places = {f"runs.{data}": (data, names) for data, names in section["runs"].items()}
    assuming = {f"sweeps.{n}" for n, sweep in section["sweeps"].items() if sweep["key"] == ASSUMED}
    for name, sweep in section["sweeps"].items():
        places[f"sweeps.{name}"] = sweep["of"], sweep["methods"]
        if sweep["of"] in section["recordings"]:
            errors.append(f"deconvolution.sweeps.{name}.of: {sweep['of']} is no simulation")
        whole = all(type(value) is int for value in sweep["values"])
        if sweep["key"] != "rate_hz" and not whole:
            errors.append(f"deconvolution.sweeps.{name}.values: must be whole numbers")
        if list(sweep["values"]) != sorted(sweep["values"]):
            errors.append(f"deconvolution.sweeps.{name}.values: must be ascending")
    for place, (data, names) in places.items():
        entry = section["recordings"].get(data, section["simulations"].get(data))
        if entry is None:
            errors.append(f"deconvolution.{place}: there is no simulation or recording {data}")
            continue
        # A file of arrays may hold true kernels: whether it does is seen when it is read.
        holds = "file" in entry and entry.get("format", "npz") == "npz"
        known = data in section["simulations"] or "kernels" in entry or holds
        for name in names:
            kind = specs.get(name, {}).get("kind")
            if kind is None:
                errors.append(f"deconvolution.{place}: there is no method {name}")
            elif kind == KNOWN_KERNELS and not known:
                errors.append(f"deconvolution.{place}: {name} needs true kernels")
            elif place in assuming and kind not in (SEARCH, NETWORK, CHANCE):
                errors.append(f"deconvolution.{place}: {name} does not choose its kernels")
            elif "law" in specs[name] and entry.get("law", COUNTS) == TRACES:
                errors.append(f"deconvolution.{place}: {name} takes counts for traces; these are")
    taken = section["simulations"].keys() | section["recordings"].keys() | specs.keys()
    for name, sweep in section["sweeps"].items():
        for value in sweep["values"]:
            data, method = swept(sweep, value)
            made = {sweep["of"] + data} if data else {each + method for each in sweep["methods"]}
            errors += [
                f"deconvolution.sweeps.{name}: {again} is the name of something else"
                for again in sorted(made & taken)
            ]
    if errors:
        return errors
    for name, entry in simulations(section).items():
        if name not in section["simulations"]:
            errors += [f"deconvolution.sweeps, {name}: {error}" for error in _simulation(entry)]
    for shown in {Job(*item) for item in section["shown"].items()} - set(jobs(section)):
        errors.append(f"deconvolution.shown: {shown.data} is not given to {shown.method}")
    for method in set(section["shown"].values()) & methods(section).keys():
        spec = methods(section)[method]
        if spec["kind"] == SMOOTH or spec.get("apart"):
            errors.append(f"deconvolution.shown: {method} has no events of all neurons to draw")
    return errors


def _method(spec: dict) -> list[str]:
    """What a method lacks, and what it has no use for."""
    kind, errors = spec["kind"], []
    if kind == NETWORK and (lacking := NETWORK_NEEDS - spec.keys()):
        errors.append(f": a network needs {sorted(lacking)}")
    if kind == PEER and not spec.get("peer"):
        errors.append(": say which peer")
    if spec.get("peer") == "regression" and not spec.get("known"):
        errors.append(".known: regression needs known times")
    useless = spec.keys() - COMMON - USED.get(kind, set())
    errors += [f".{key}: a method of kind {kind} has none" for key in sorted(useless)]
    if kind == PEER and "starts" in spec and spec.get("peer") != "sporco":
        errors.append(".starts: only with peer sporco")
    return errors


def _simulation(entry: dict) -> list[str]:
    errors = _law(entry, default={"trials"})
    size, kernels = entry["bin_ms"], KERNELS[entry["kernels"]]
    for key in ("ms", "spacing_ms", "silent_ms", "silent_end_ms"):
        if entry.get(key, 0) % size:
            errors.append(f"{key}: {entry[key]} is no multiple of bin_ms, {size}")
    if size > kernels.ms:
        errors.append(f"bin_ms: longer than the kernels, {kernels.ms} ms")
    if ("events" in entry) == ("at" in entry):
        errors.append("events: give either events or at")
    elif "at" in entry:
        errors += _times(entry, kernels.count, entry["ms"] - kernels.ms)
    else:
        least, most = entry["events"]
        if least > most:
            errors.append("events: the fewest are more than the most")
        if not most:
            errors.append("events: there are none")
        if most > len(places(entry)):
            errors.append(f"events: {most} do not fit {len(places(entry))} times (spacing_ms, ms)")
    for key in ("mean", "std"):
        value = entry["amplitude"][key]
        if isinstance(value, list) and len(value) != kernels.count:
            errors.append(f"amplitude.{key}: {len(value)} numbers for {kernels.count} kernels")
    law = entry.get("law", COUNTS)
    if ("rate_hz" in entry) == ("baseline" in entry):
        errors.append("rate_hz: give either rate_hz or baseline")
    elif "rate_hz" in entry and law == TRACES:
        errors.append("rate_hz: traces have no rate; give baseline")
    elif "rate_hz" in entry and law == COUNTS:
        limit = 1000 * entry.get("law_options", {}).get("trials", size) / size
        if entry["rate_hz"] >= limit:
            errors.append(f"rate_hz: must be below {limit:g}, the most of the binomial law")
    return errors


def _times(entry: dict, count: int, last: int) -> list[str]:
    """What is wrong with events at given times."""
    errors = []
    for kind in entry["at"]:
        for kernel, ms in kind:
            if kernel >= count:
                errors.append(f"at: kernel {kernel} of {count}, counted from 0")
            if ms > last or ms % entry["bin_ms"]:
                errors.append(f"at: {ms} ms is no multiple of bin_ms up to {last}")
        if len({tuple(pair) for pair in kind}) < len(kind):
            errors.append("at: a kernel starts twice at one time")
    if not entry["shared_events"]:
        errors.append("shared_events: events at given times are shared; write true")
    return errors


def _recording(entry: dict) -> list[str]:
    errors = _law(entry)
    if ("file" in entry) == ("package" in entry):
        return [*errors, "file: give either file, or package and name"]
    if "package" in entry:
        held = PACKAGED[entry["package"]]
        if entry.get("name") not in held:
            return [*errors, f"name: {entry['package']} holds {', '.join(held)}"]
        if (size := held[entry["name"]]) and not isclose(entry["bin_ms"], size, rel_tol=1e-3):
            errors.append(f"bin_ms: {entry['name']} has one value every {size:.6g} ms")
        if (size is None) == (entry["law"] == TRACES):
            errors.append(f"law: {entry['name']} has {'spikes' if size is None else 'traces'}")
    for key, owner in (("format", "file"), ("name", "package"), ("trial_ms", "package")):
        if key in entry and owner not in entry:
            errors.append(f"{key}: only with {owner}")
    for key in ("detrend_ms", "noise"):
        if key in entry and entry["law"] != TRACES:
            errors.append(f"{key}: only with law gaussian")
    for key in ("trial_ms", "silent_ms", "detrend_ms"):
        if entry.get(key, entry["bin_ms"]) < entry["bin_ms"]:
            errors.append(f"{key}: shorter than a bin of {entry['bin_ms']:g} ms")
    if entry.get("trial_ms", float("inf")) < entry["length"] * entry["bin_ms"]:
        errors.append(f"length: kernels of {entry['length']} bins do not fit trial_ms")
    return errors


def _law(entry: dict, default: set[str] = frozenset()) -> list[str]:
    """What is wrong with the options of the law; those that have a default may be missing."""
    law, given = entry.get("law", COUNTS), set(entry.get("law_options", {}))
    needed = LAW_OPTIONS[law] - default - {"std"}
    errors = [
        f"law_options.{key}: law {law} has no such option" for key in given - LAW_OPTIONS[law]
    ]
    return sorted(errors) + [
        f"law_options: law {law} needs {key}" for key in sorted(needed - given)
    ]
