"""Rules on the config of the mixtures that cross its keys; workflow/validate.py calls them."""

from math import prod

from mixtures.conditions import JOINED, LABELLED, SUBSPACES, Job, before, jobs, replicates, settings

PIXELS = {"digits": 64, "mnist": 784, "fashion_mnist": 784, "kmnist": 784, "usps": 256}
SAMPLED = ("ssc", "kmeans", "spectral", "any", LABELLED)  # starts that are clusters of a sample
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
COMMON = {"kind", "starts", "datasets", "protocols", "replicates"}
ROLES = {
    "method": "mixture", "published": "mixture", "network": "autoencoder", "subspaces": SUBSPACES,
}  # fmt: skip


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    section = config["mixtures"]
    missing = [d for d in section["datasets"] if d not in section["settings"]]
    if missing:
        return [f"mixtures.settings: no entry for the data set {d!r}" for d in missing]
    errors = []
    files = config.get("download", {}).get("files", {})
    for dataset in section["datasets"]:
        # A file of the reader's own has images of any size.
        pixels = None if dataset in files else PIXELS[dataset]
        errors += _sizes(dataset, section["settings"][dataset], pixels)
    for name, entry in section["methods"].items():
        errors += _method(name, entry)
    return errors + _starts(section) + _shown(section)


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
    allowed = SAMPLED if kind == SUBSPACES else STARTS
    errors += [
        f"{place}.starts: a method of kind {kind} cannot start from {start!r}"
        for start in entry["starts"]
        if start not in allowed
    ]
    return sorted(errors)


def _starts(section: dict) -> list[str]:
    """Whether the subspaces that others start from are learnt, with as many seeds."""
    errors = {}
    for dataset, protocol, method, start in jobs(section):
        of = settings(section, dataset, method)
        place = f"mixtures.methods.{method}"
        if of["dimension"] > of["components"]:
            errors[f"{place}.settings.dimension: larger than the components of {dataset}"] = True
        group_size = section["methods"][method].get("group_size", 1)
        if of["atoms"] % group_size:
            errors[f"{place}.group_size: does not divide the {of['atoms']} atoms ({dataset})"] = (
                True
            )
        if start != SUBSPACES or section["methods"][method]["kind"] == SUBSPACES:
            continue
        try:
            source = before(section, dataset, protocol)
        except ValueError as error:
            errors[f"{place}.starts: {error}"] = True
            continue
        seeds = section["settings"][dataset]["replicates"]
        if replicates(section, dataset, source.method) < seeds:
            errors[
                f"mixtures.methods.{source.method}.replicates: others start from all {seeds}"
            ] = 1
    return list(errors)


def _shown(section: dict) -> list[str]:
    shown, methods, errors = section["shown"], section["methods"], []
    for role, kind in ROLES.items():
        if methods.get(shown[role], {}).get("kind") != kind:
            errors.append(f"mixtures.shown.{role}: {shown[role]!r} is no method of kind {kind}")
    if errors:
        return errors
    run = set(jobs(section))
    for dataset in section["datasets"]:
        job = Job(dataset, JOINED, shown["method"], shown["start"])
        if job not in run:
            words = f"{job.method} must run on {dataset} from {job.start}, {JOINED}"
            errors.append(f"mixtures.shown.start: {words}")
    return errors
