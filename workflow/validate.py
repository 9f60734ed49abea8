"""Refuse a bad config before any job starts, naming every wrong key and the reason."""

import math
import re
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

SCHEMA = Path(__file__).parent / "schemas" / "config.schema.yaml"
PROX = Path(__file__).parents[1] / "src" / "groupsparse" / "prox.py"
EXPERIMENTS = ("simulation", "clustering", "theory")
RESERVED = {"raw", "oracle", "chance"}  # the clustering controls
RESTRICTIONS = ("datasets", "inits", "centering")  # where a clustering method runs


def config_errors(config: dict) -> list[str]:
    """All reasons why this config cannot be run, as ``key: reason``; empty when it can.

    Experiments that are off are not checked.
    """
    config = selected(config)
    errors = [f"{_path(e)}: {_reason(e)}" for e in _validator().iter_errors(config)]
    return sorted(errors) or _inconsistencies(config)


def selected(config: dict) -> dict:
    """The config without the experiments that are off.

    An experiment is off if ``experiments`` does not list it or if its section is empty or missing,
    clustering also without data sets, theory also without regimes and sweep.
    """
    listed = config.get("experiments")
    if not isinstance(listed, list):  # the schema refuses it
        listed = EXPERIMENTS
    off = {name for name in EXPERIMENTS if name not in listed or config.get(name) in (None, {})}
    if config.get("datasets") == []:
        off.add("clustering")
    theory = config.get("theory")
    if isinstance(theory, dict) and theory.get("regimes") == [] and not has_sweep(theory):
        off.add("theory")
    return {key: value for key, value in config.items() if key not in off}


def has_sweep(section: dict) -> bool:
    """Whether the sweep of an experiment has points: an empty list on an axis switches it off."""
    sweep = section.get("sweep")
    return isinstance(sweep, dict) and [] not in sweep.values()


def clustering_conditions(config: dict) -> list[tuple[str, str, bool]]:
    """All (data set, method, centred) of Experiment 2 that the config asks for: one job each."""
    if "clustering" not in config:
        return []
    clustering = config["clustering"]
    return [
        (dataset, method, centered)
        for dataset in config["datasets"]
        for method, spec in clustering["methods"].items()
        for centered in clustering["centering"]
        if dataset in spec.get("datasets", config["datasets"])
        and centered in spec.get("centering", clustering["centering"])
        and clustering_inits(config, method)
    ]


def clustering_inits(config: dict, method: str) -> list[str]:
    """The inits of a method of Experiment 2, the same in all its conditions."""
    every = config["clustering"]["inits"]
    own = config["clustering"]["methods"][method].get("inits", every)
    return [init for init in every if init in own]


@cache
def _validator() -> Draft202012Validator:
    # JSON Schema counts 12.0 among the integers, and neither it nor a bound refuses NaN.
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": lambda _, value: type(value) is int, "number": lambda _, value: _finite(value)}
    )
    kind = extend(Draft202012Validator, type_checker=types)
    return kind(config_schema())


def config_schema() -> dict:
    """The schema with the names of the activations, which the library has."""
    schema = yaml.safe_load(SCHEMA.read_text())
    schema["$defs"]["activation"] = {"enum": activations()}
    return schema


def activations() -> list[str]:
    """Names of the library's activations, read off their source: importing torch takes seconds."""
    return re.findall(r'^@activation\("(\w+)"', PROX.read_text(), re.MULTILINE)


def _finite(value: object) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:  # an integer too large for a float
        return False


def _path(error) -> str:
    keys = [str(key) for key in error.absolute_path]
    return ".".join(key if key.isprintable() else repr(key) for key in keys) or "config"


def _reason(error) -> str:
    message, instance = error.message, error.instance
    if error.validator == "type" and isinstance(instance, str):
        wanted = error.validator_value
        if wanted == "array":
            message += f" (write [{instance!r}])"
        elif wanted in ("number", "integer") or "number" in wanted:
            message += " (YAML reads 1e-3 as text: write 1.0e-3)"
    return message


def _inconsistencies(config: dict) -> list[str]:
    experiments = {name: config[name] for name in EXPERIMENTS if name in config}
    if not experiments:
        return ["experiments: nothing to run: every experiment is left out or empty"]
    errors, report = [], config["report"]
    for key in ("method", "baseline"):
        for name in experiments.keys() & {"simulation", "clustering"}:
            if report[key] not in experiments[name]["methods"]:
                errors.append(f"report.{key}: {report[key]!r} is not in {name}.methods")
    if "simulation" in experiments:
        errors += _simulation_inconsistencies(config["simulation"], report)
    if "clustering" in experiments:
        errors += _clustering_inconsistencies(config) + _conditions_missing(config)
    if "theory" in experiments:
        errors += _theory_inconsistencies(config["theory"])
    return errors + _bench_inconsistencies(config)


def _clustering_inconsistencies(config: dict) -> list[str]:
    errors, clustering, report = [], config["clustering"], config["report"]
    for name, spec in clustering["methods"].items():
        if isinstance(spec["lambda"], dict):
            errors.append(f"clustering.methods.{name}.lambda: must be a number")
    for dataset in config["datasets"]:
        if dataset not in clustering["settings"]:
            errors.append(f"clustering.settings: no entry for the data set {dataset!r}")
    for method in RESERVED & set(clustering["methods"]):
        errors.append(f"clustering.methods.{method}: this name belongs to a control")
    if report["init"] not in clustering["inits"]:
        errors.append(f"report.init: {report['init']!r} is not in clustering.inits")
    return errors


def _model_inconsistencies(place: str, model: dict) -> list[str]:
    errors = []
    if model["active_groups"] > model["groups"]:
        errors.append(f"{place}.active_groups: more than the {model['groups']} groups")
    if model["group_size"] > model["n"]:
        errors.append(f"{place}.group_size: larger than the dimension n")
    if model["amplitude"][0] > model["amplitude"][1]:
        errors.append(f"{place}.amplitude: the lower bound exceeds the upper")
    return errors


def _simulation_inconsistencies(simulation: dict, report: dict) -> list[str]:
    model, methods = simulation["model"], simulation["methods"]
    errors = _model_inconsistencies("simulation.model", model)
    if has_sweep(simulation):
        errors += _model_inconsistencies("simulation.sweep.model", simulation["sweep"]["model"])
    if model["samples"] < model["groups"] * model["group_size"]:
        errors.append("simulation.model.samples: fewer samples than atoms: no oracle exists")
    for name, spec in methods.items():
        if isinstance(spec.get("lambda"), dict):
            other = spec["lambda"]["matched_to"]
            if not isinstance(methods.get(other, {}).get("lambda"), int | float):
                errors.append(
                    f"simulation.methods.{name}.lambda.matched_to: {other!r} is not a method with "
                    "a number as its lambda"
                )
            elif methods[other]["lambda"] == 0:
                errors.append(f"simulation.methods.{other}.lambda: 0 cannot be matched")
    if extra := set(simulation["fixed_snr_db"]) - set(simulation["snr_db"]):
        errors.append(f"simulation.fixed_snr_db: {extra} is not in simulation.snr_db")
    elif "fixed" in simulation["sampling"] and report["snr_db"] not in simulation["fixed_snr_db"]:
        errors.append(f"report.snr_db: {report['snr_db']} is not in simulation.fixed_snr_db")
    for name, init in simulation["inits"].items():
        for method in init.get("methods", ()):
            if method not in methods:
                errors.append(f"simulation.inits.{name}.methods: {method!r} is not a method")
        for key in ("snr_db", "sampling"):
            if extra := set(init.get(key, ())) - set(simulation[key]):
                errors.append(f"simulation.inits.{name}.{key}: {extra} is not in simulation.{key}")
    start = simulation["inits"].get(report["simulation_init"])
    if start is None:
        errors.append(
            f"report.simulation_init: {report['simulation_init']!r} is not in simulation.inits"
        )
    elif report["snr_db"] not in start.get("snr_db", simulation["snr_db"]):
        errors.append(f"report.snr_db: {report['snr_db']} is not a noise level of that init")
    elif missing := [
        report[k]
        for k in ("method", "baseline")
        if report[k] in methods and report[k] not in start.get("methods", methods)
    ]:
        errors.append(f"report.simulation_init: its methods lack {missing}")
    return errors


def _theory_inconsistencies(theory: dict) -> list[str]:
    errors, settings = [], theory["settings"]
    for regime in theory["regimes"]:
        if regime not in settings:
            errors.append(f"theory.regimes: no entry for {regime!r} in theory.settings")
    if "sweep" in settings:
        errors.append("theory.settings.sweep: this name belongs to the sweep")
    places = {f"theory.settings.{name}": spec for name, spec in settings.items()}
    if has_sweep(theory):
        places["theory.sweep"] = theory["sweep"]
    for place, spec in places.items():
        model, init = spec["model"], spec.get("init", {})
        errors += _model_inconsistencies(f"{place}.model", model)
        largest = max([init.get("delta", 0), *spec.get("delta", [])])
        if largest**2 > 2 * model["group_size"]:
            errors.append(f"{place}: delta {largest} exceeds sqrt(2 d), that of orthogonal spans")
        if ("delta" in init or "delta" in spec) and model["n"] < 2 * model["group_size"]:
            errors.append(f"{place}.model.n: no room to turn a group out of its span")
        at = spec.get("measure_at", [0])
        if at != sorted(at) or at[0] != 0 or at[-1] > spec.get("training", {}).get("epochs", 0):
            errors.append(f"{place}.measure_at: must rise from 0 to at most training.epochs")
    return errors


def _bench_inconsistencies(config: dict) -> list[str]:
    errors = []
    for name, spec in config["bench"]["settings"].items():
        models = {key: spec[key] for key in ("model", "cuda_model") if key in spec}
        models |= {f"models.{axis}": model for axis, model in spec.get("models", {}).items()}
        for key, model in models.items():
            fewest = min([model["groups"], *spec.get("axes", {}).get("groups", [])])
            place = f"bench.settings.{name}.{key}"
            errors += _model_inconsistencies(place, model | {"groups": fewest})
    peers = config["bench"]["settings"]["peers"]
    plain = peers["methods"].get(peers["plain"], {})
    if plain.get("encoder") != "shallow" or plain["prox"] not in ("group_soft", "soft", "relu"):
        errors.append("bench.settings.peers.plain: not a shallow method of the paper")
    return errors


def _conditions_missing(config: dict) -> list[str]:
    """Figures and claims look at init report.init without centring: is it there?"""
    report, convergence = config["report"], config["clustering"]["convergence"]
    conditions, methods = set(clustering_conditions(config)), config["clustering"]["methods"]
    errors = []
    if convergence["methods"] and max(convergence["snapshots"]) > convergence["epochs"]:
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
        for dataset in config["datasets"] if names else ():
            runs = [
                (dataset, name, False) in conditions
                and report["init"] in clustering_inits(config, name)
                for name in names
            ]
            # Silhouettes are drawn of those that run.
            enough = any(runs) if key == "report.silhouettes" else all(runs)
            if not enough:
                errors.append(
                    f"{key}: {', '.join(names)} must run on {dataset} from init {report['init']} "
                    "and not centred (clustering.inits, .centering and the method's restrictions)"
                )
    return errors
