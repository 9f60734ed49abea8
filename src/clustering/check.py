"""Rules on the config of the clustering that cross its keys; workflow/validate.py calls them."""

from clustering.conditions import (
    AUTO,
    SUPERVISED,
    inits_of,
    of_data,
    settings_of,
    trainings,
    unlabelled,
)
from evidence.checks import pixels_of

CONTROLS = {"raw", "oracle", "chance"}
ELEMENT_WISE = ("soft", "relu")  # activations that know no groups


def is_off(config: dict) -> bool:
    """Without data sets there is nothing to cluster."""
    return config.get("datasets") in ([], {})


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    errors, clustering = [], config["clustering"]
    for name, spec in clustering["methods"].items():
        if isinstance(spec["lambda"], dict):
            errors.append(f"clustering.methods.{name}.lambda: must be a number")
        if spec["encoder"] == "shallow" and "step" in spec:
            errors.append(f"clustering.methods.{name}.step: a shallow encoder has none")
    for dataset in config["datasets"]:
        if not of_data(clustering, dataset):
            errors.append(f"clustering.settings: no entry for the data set {dataset!r}")
    for method in sorted(CONTROLS & set(clustering["methods"])):
        errors.append(f"clustering.methods.{method}: this name belongs to a control")
    for key in ("convergence", "sweep"):
        errors += [
            f"clustering.{key}.datasets: {dataset!r} has no labels, with which this is scored"
            for dataset in clustering[key].get("datasets", [])
            if dataset in unlabelled(config)
        ]
    convergence, shown = clustering["convergence"], clustering["shown"]
    if convergence["methods"] and max(convergence["snapshots"]) > convergence["epochs"]:
        errors.append("clustering.convergence.snapshots: later than the last epoch")
    if shown["init"] not in clustering["inits"]:
        errors.append(f"clustering.shown.init: {shown['init']!r} is not in clustering.inits")
    if shown["init"] == SUPERVISED:
        errors.append(f"clustering.shown.init: {SUPERVISED!r} uses labels, which no claim may")
    return errors + _not_run(config) + _directions(config)


def _directions(config: dict) -> list[str]:
    """Init pca takes as many principal directions as a group has atoms, without groups all."""
    errors, clustering = [], config["clustering"]
    for dataset, method in dict.fromkeys(pair[:2] for pair in trainings(config)):
        most = pixels_of(config, dataset)
        if not (
            most and of_data(clustering, dataset) and "pca" in inits_of(config, method, dataset)
        ):
            continue
        settings = settings_of(config, dataset, method)
        groups, size = settings["groups"], settings["group_size"]
        if AUTO in (groups, size):
            continue
        if clustering["methods"][method]["prox"] in ELEMENT_WISE:
            groups, size = groups * size, 1
        if (count := size if size > 1 else groups) > most:
            errors.append(
                f"clustering.methods.{method}: init pca needs {count} principal directions, and "
                f"images of {dataset} have {most} pixels"
            )
    return errors


def _not_run(config: dict) -> list[str]:
    """Figures and claims look at init shown.init without centring: is it there?"""
    clustering = config["clustering"]
    methods, shown, run = clustering["methods"], clustering["shown"], set(trainings(config))
    wanted = {
        "clustering.shown.method": [shown["method"]],
        "clustering.shown.baseline": [shown["baseline"]],
        "clustering.shown.silhouettes": shown["silhouettes"],
        "clustering.convergence.methods": clustering["convergence"]["methods"],
    }
    errors = []
    for key, names in wanted.items():
        unknown = [name for name in names if name not in methods]
        errors += [f"{key}: {name!r} is not in clustering.methods" for name in unknown]
        if unknown or not names or shown["init"] not in clustering["inits"]:
            continue
        for dataset in config["datasets"]:
            # Silhouettes are drawn of those that run, from an init of their own if need be.
            silhouettes = key == "clustering.shown.silhouettes"
            runs = [
                (dataset, name, False) in run
                and (silhouettes or shown["init"] in inits_of(config, name, dataset))
                for name in names
            ]
            enough = any(runs) if silhouettes else all(runs)
            if not enough:
                errors.append(
                    f"{key}: {', '.join(names)} must run on {dataset} from init {shown['init']} "
                    "and not centred (clustering.inits, .centering and the method's restrictions)"
                )
    return errors
