"""Rules on the config of the clustering that cross its keys; workflow/validate.py calls them."""

from clustering.conditions import inits_of, of_data, trainings, unlabelled

CONTROLS = {"raw", "oracle", "chance"}


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
    return errors + _not_run(config)


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
