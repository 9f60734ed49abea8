"""Rules on the config of the mixtures that cross its keys; workflow/validate.py calls them."""

from math import prod

from evidence.checks import pixels_of
from mixtures.conditions import (
    HELD_OUT,
    JOINED,
    LABELLED,
    SUBSPACES,
    TRAINED,
    Job,
    before,
    datasets,
    jobs,
    replicates,
    settings,
    voters,
)

# Starts that are clusters of a sample.
SAMPLED = ("ssc", "ensc", "neighbors", "kmeans", "spectral", "any", LABELLED)
STARTS = (*SAMPLED, "pca", "random", SUBSPACES)
NETWORK = {"prox", "step", "settings"}
# What an entry must and may have besides starts and where it runs.
KEYS = {
    "mixture": (
        {"prox"},
        NETWORK | {"group_size", "objective", "weight", "temperature", "backprop", "learn_bias"},
    ),
    "autoencoder": ({"prox", "lambda"}, NETWORK | {"lambda"}),
    SUBSPACES: (set(), {"settings"}),
}
COMMON = {"kind", "starts", "datasets", HELD_OUT, "replicates"}
ROLES = {
    "method": "mixture", "changed": "mixture", "network": "autoencoder", "subspaces": SUBSPACES,
}  # fmt: skip


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    section = config["mixtures"]
    used = datasets(section)
    unknown = [d for d in used if d not in section["settings"]]
    if unknown:
        return [f"mixtures.settings: no entry for the data set {d!r}" for d in unknown]
    errors = _labels(section, config.get("datasets", []))
    for dataset in used:
        errors += _sizes(dataset, section["settings"][dataset], pixels_of(config, dataset))
    for name, entry in section["methods"].items():
        errors += _method(name, entry)
    return errors + _starts(section) + _missing(section) + _counts(section) + _shown(section)


def _labels(section: dict, given: list | dict) -> list[str]:
    """Data sets of the reader's own that have no labels, with which everything is scored."""
    entries = given if isinstance(given, dict) else {}
    parts = {"": section, ".missing": section["missing"], ".counts": section["counts"]}
    return [
        f"mixtures{place}.datasets: {dataset!r} has no labels, with which this is scored"
        for place, part in parts.items()
        for dataset in part["datasets"]
        if (entries.get(dataset) or {}).get("labels") is False
    ]


def _sizes(dataset: str, of: dict, pixels: int | None) -> list[str]:
    place, errors = f"mixtures.settings.{dataset}", []
    if pixels and prod(of["shape"]) != pixels:
        errors.append(f"{place}.shape: images have {pixels} pixels")
    if min(of["shape"]) < 2 ** of["scales"]:
        errors.append(f"{place}.scales: a wavelet of scale {2 ** of['scales']} is over the image")
    if of["atoms"] * of["clusters"] > of["sample"]:
        errors.append(f"{place}.sample: fewer images than atoms of all clusters")
    if of["dimension"] > of["components"]:
        errors.append(f"{place}.dimension: larger than the {of['components']} components")
    return errors


def _method(name: str, entry: dict) -> list[str]:
    place, kind = f"mixtures.methods.{name}", entry["kind"]
    needed, known = KEYS[kind]
    errors = [f"{place}.{key}: a method of kind {kind} needs it" for key in needed - set(entry)]
    errors += [
        f"{place}.{key}: a method of kind {kind} has none" for key in set(entry) - known - COMMON
    ]
    errors += [
        f"{place}.settings.{key}: a method of kind {kind} has none"
        for key in set(entry.get("settings", {})) - set(TRAINED[kind])
    ]
    allowed = SAMPLED if kind == SUBSPACES else STARTS
    errors += [
        f"{place}.starts: a method of kind {kind} cannot start from {start!r}"
        for start in (*entry["starts"], *entry.get(HELD_OUT, []))
        if start not in allowed
    ]
    return sorted(errors)


def _starts(section: dict) -> list[str]:
    """Whether the subspaces that others start from are learnt, with as many seeds."""
    errors = []
    for dataset, protocol, method, start in jobs(section):
        of = settings(section, dataset, method)
        place = f"mixtures.methods.{method}"
        if of["dimension"] > of["components"]:
            errors.append(f"{place}.settings.dimension: larger than the components of {dataset}")
        group_size = section["methods"][method].get("group_size", 1)
        if of["atoms"] % group_size:
            atoms = of["atoms"]
            errors.append(f"{place}.group_size: does not divide the {atoms} atoms ({dataset})")
        if start != SUBSPACES or section["methods"][method]["kind"] == SUBSPACES:
            continue
        try:
            source = before(section, dataset, protocol)
        except ValueError as error:
            errors.append(f"{place}.starts: {error}")
            continue
        seeds = section["settings"][dataset]["replicates"]
        if replicates(section, dataset, source.method) < seeds:
            place = f"mixtures.methods.{source.method}"
            errors.append(f"{place}.replicates: others start from all {seeds}")
    return list(dict.fromkeys(errors))


def _missing(section: dict) -> list[str]:
    study = section["missing"]
    if not study["datasets"]:
        return []
    place, name = "mixtures.missing", study["method"]
    entry = section["methods"].get(name, {})
    errors = _seeds(place, study, section["settings"])
    if entry.get("kind") != "mixture":
        return [*errors, f"{place}.method: {name!r} is no method of kind mixture"]
    if study["start"] not in SAMPLED or study["start"] == LABELLED:
        reason = f"{study['start']!r} is no clustering of a sample without labels"
        errors.append(f"{place}.start: {reason}")
    for dataset in study["datasets"]:
        atoms = section["settings"][dataset]["atoms"]
        if atoms % entry.get("group_size", 1):
            reason = f"the group_size of {name} does not divide the {atoms} atoms ({dataset})"
            errors.append(f"{place}.method: {reason}")
    return errors


def _counts(section: dict) -> list[str]:
    study, settings = section["counts"], section["settings"]
    # A free energy needs a direction that no subspace has.
    return _seeds("mixtures.counts", study, settings) + [
        f"mixtures.settings.{dataset}.dimension: not below its components, as the counts need"
        for dataset in study["datasets"]
        if settings[dataset]["dimension"] == settings[dataset]["components"]
    ]


def _seeds(place: str, study: dict, settings: dict) -> list[str]:
    return [
        f"{place}.replicates: {dataset} has {settings[dataset]['replicates']} seeds"
        for dataset in study["datasets"]
        if study["replicates"] > settings[dataset]["replicates"]
    ]


def _shown(section: dict) -> list[str]:
    shown, methods, errors = section["shown"], section["methods"], []
    for role, kind in ROLES.items():
        if methods.get(shown[role], {}).get("kind") != kind:
            errors.append(f"mixtures.shown.{role}: {shown[role]!r} is no method of kind {kind}")
    if errors:
        return errors
    # What is shown is said to use no labels, and the subspaces vote.
    if shown["start"] == LABELLED:
        errors.append(f"mixtures.shown.start: {LABELLED!r} uses labels")
    run = set(jobs(section))
    for dataset in section["datasets"]:
        if not voters(section, dataset):
            words = f"{shown[SUBSPACES]} must run on {dataset} from a start without labels"
            errors.append(f"mixtures.shown.subspaces: {words}")
        job = Job(dataset, JOINED, shown["method"], shown["start"])
        if job not in run:
            words = f"{job.method} must run on {dataset} from {job.start}, {JOINED}"
            errors.append(f"mixtures.shown.start: {words}")
    return errors
