"""Refuse a bad config before any job starts, naming every wrong key and the reason."""

from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parent / "schemas" / "config.schema.yaml"
RESERVED = {"raw", "oracle", "chance"}  # the clustering controls
RESTRICTIONS = ("datasets", "inits", "centering")  # where a clustering method runs


def config_errors(config: dict) -> list[str]:
    """All reasons why this config cannot be run, as ``key: reason``; empty when it can."""
    validator = Draft202012Validator(yaml.safe_load(SCHEMA.read_text()))
    errors = [f"{_path(e)}: {_reason(e)}" for e in validator.iter_errors(config)]
    return sorted(errors) or _inconsistencies(config)


def clustering_conditions(config: dict) -> list[tuple[str, str, str, bool]]:
    """All (data set, method, init, centred) of Experiment 2 that the config asks for."""
    clustering = config["clustering"]
    return [
        (dataset, method, init, centered)
        for dataset in config["datasets"]
        for method, spec in clustering["methods"].items()
        for init in clustering["inits"]
        for centered in clustering["centering"]
        if dataset in spec.get("datasets", config["datasets"])
        and init in spec.get("inits", clustering["inits"])
        and centered in spec.get("centering", clustering["centering"])
    ]


def _path(error) -> str:
    return ".".join(map(str, error.absolute_path)) or "config"


def _reason(error) -> str:
    message = error.message
    if error.validator == "type" and isinstance(error.instance, str):
        message += " (YAML reads 1e-3 as text: write 1.0e-3)"
    return message


def _inconsistencies(config: dict) -> list[str]:
    errors = []
    simulation, clustering = config["simulation"], config["clustering"]
    model, report = simulation["model"], config["report"]
    if model["active_groups"] > model["groups"]:
        errors.append(
            f"simulation.model.active_groups: {model['active_groups']} active groups, but there "
            f"are only {model['groups']} groups"
        )
    if model["group_size"] > model["n"]:
        errors.append("simulation.model.group_size: larger than the dimension n")
    if model["samples"] < model["groups"] * model["group_size"]:
        errors.append("simulation.model.samples: fewer samples than atoms: no oracle exists")
    if model["amplitude"][0] > model["amplitude"][1]:
        errors.append("simulation.model.amplitude: the lower bound exceeds the upper")
    for dataset in config["datasets"]:
        if dataset not in clustering["settings"]:
            errors.append(f"clustering.settings: no entry for the data set {dataset!r}")
    for method in RESERVED & set(clustering["methods"]):
        errors.append(f"clustering.methods.{method}: this name belongs to a control")
    for key in ("method", "baseline"):
        for experiment, methods in (
            ("simulation", simulation["methods"]),
            ("clustering", clustering["methods"]),
        ):
            if report[key] not in methods:
                errors.append(f"report.{key}: {report[key]!r} is not in {experiment}.methods")
    if report["init"] not in clustering["inits"]:
        errors.append(f"report.init: {report['init']!r} is not in clustering.inits")
    errors += _conditions_missing(config)
    if report["snr_db"] not in simulation["snr_db"]:
        errors.append(f"report.snr_db: {report['snr_db']} is not in simulation.snr_db")
    return errors


def _conditions_missing(config: dict) -> list[str]:
    """Figures and claims look at init report.init without centring: is it there?"""
    report, convergence = config["report"], config["clustering"]["convergence"]
    conditions, methods = set(clustering_conditions(config)), config["clustering"]["methods"]
    errors = []
    if max(convergence["snapshots"]) > convergence["epochs"]:
        errors.append("clustering.convergence.snapshots: later than the last epoch")
    wanted = {
        "report.method": [report["method"]],
        "report.baseline": [report["baseline"]],
        "report.silhouettes": report["silhouettes"],
        "clustering.convergence.methods": convergence["methods"],
    }
    for key, names in wanted.items():
        errors += [
            f"{key}: {name!r} is not in clustering.methods" for name in names if name not in methods
        ]
        for dataset in config["datasets"]:
            runs = [(dataset, name, report["init"], False) in conditions for name in names]
            # Silhouettes are drawn of those that run.
            enough = any(runs) if key == "report.silhouettes" else all(runs)
            if not enough:
                errors.append(
                    f"{key}: {', '.join(names)} must run on {dataset} from init {report['init']} "
                    "and not centred (clustering.inits, .centering and the method's restrictions)"
                )
    return errors
