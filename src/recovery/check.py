"""Rules on the config of the recovery that cross its keys; workflow/validate.py calls them."""

from evidence.checks import has_sweep, model_inconsistencies


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    recovery = config["recovery"]
    model = recovery["model"]
    errors = model_inconsistencies("recovery.model", model)
    if has_sweep(recovery):
        errors += model_inconsistencies("recovery.sweep.model", recovery["sweep"]["model"])
    if model["samples"] < model["groups"] * model["group_size"]:
        errors.append("recovery.model.samples: fewer samples than atoms: no oracle exists")
    return errors + _in_methods(recovery) + _in_conditions(recovery) + _in_shown(recovery)


def _in_methods(recovery: dict) -> list[str]:
    errors, methods = [], recovery["methods"]
    for name, spec in methods.items():
        place = f"recovery.methods.{name}"
        if spec.get("encoder") == "shallow":
            # With backprop 0 the decoder alone has a gradient.
            idle = {"step": "step" in spec, "layers": spec["layers"] > 1,
                    "backprop": spec.get("backprop", 0) > 0}  # fmt: skip
            errors += [
                f"{place}.{key}: does nothing in a shallow encoder" for key in idle if idle[key]
            ]
        if isinstance(spec.get("lambda"), dict):
            if spec["prox"].startswith(("group_", "batch_group_")):
                errors.append(f"{place}.lambda.matched_to: is for an element-wise activation")
            other = spec["lambda"]["matched_to"]
            if not isinstance(methods.get(other, {}).get("lambda"), int | float):
                errors.append(
                    f"recovery.methods.{name}.lambda.matched_to: {other!r} is not a method with "
                    "a number as its lambda"
                )
            elif methods[other]["prox"] in ("soft", "relu"):
                errors.append(f"{place}.lambda.matched_to: {other!r} is not a group method")
            elif methods[other]["lambda"] == 0:
                errors.append(f"recovery.methods.{other}.lambda: 0 cannot be matched")
    return errors


def _in_conditions(recovery: dict) -> list[str]:
    errors = []
    if extra := set(recovery["other_snr_db"]) - set(recovery["snr_db"]):
        errors.append(f"recovery.other_snr_db: {extra} is not in recovery.snr_db")
    for name, init in recovery["inits"].items():
        for method in init.get("methods", ()):
            if method not in recovery["methods"]:
                errors.append(f"recovery.inits.{name}.methods: {method!r} is not a method")
        for key in ("snr_db", "sampling"):
            if extra := set(init.get(key, ())) - set(recovery[key]):
                errors.append(f"recovery.inits.{name}.{key}: {extra} is not in recovery.{key}")
    return errors


def _in_shown(recovery: dict) -> list[str]:
    """Whether the figures and claims find what they look at."""
    shown, methods = recovery["shown"], recovery["methods"]
    snr_db = shown["snr_db"]
    compared = [shown["method"], shown["baseline"]]
    errors = [
        f"recovery.shown.{key}: {shown[key]!r} is not in recovery.methods"
        for key in ("method", "baseline")
        if shown[key] not in methods
    ]
    errors += [
        f"recovery.shown.{key}: {shown[key]!r} is a control"
        for key in ("method", "baseline")
        if "control" in methods.get(shown[key], {})
    ]
    if (others := recovery["sampling"][1:]) and snr_db not in recovery["other_snr_db"]:
        errors.append(
            f"recovery.shown.snr_db: {snr_db} is not in recovery.other_snr_db, the noise levels of "
            f"{' and '.join(others)}"
        )
    start = recovery["inits"].get(shown["init"])
    if start is None:
        errors.append(f"recovery.shown.init: {shown['init']!r} is not in recovery.inits")
        return errors
    if snr_db not in start.get("snr_db", recovery["snr_db"]):
        errors.append(f"recovery.shown.snr_db: {snr_db} is not a noise level of that init")
    if missing := [
        name for name in compared if name in methods and name not in start.get("methods", methods)
    ]:
        errors.append(f"recovery.shown.init: its methods lack {missing}")
    return errors
