"""Rules on the config of the theory that cross its keys; workflow/validate.py calls them."""

from evidence.checks import has_sweep, model_inconsistencies


def is_off(config: dict) -> bool:
    """Without regimes and sweep there is nothing to measure."""
    theory = config["theory"]
    return isinstance(theory, dict) and theory.get("regimes") == [] and not has_sweep(theory)


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    theory = config["theory"]
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
        errors += model_inconsistencies(f"{place}.model", model)
        largest = max([init.get("delta", 0), *spec.get("delta", [])])
        if largest * largest > 2 * model["group_size"]:
            errors.append(f"{place}: delta {largest} exceeds sqrt(2 d), that of orthogonal spans")
        if ("delta" in init or "delta" in spec) and model["n"] < 2 * model["group_size"]:
            errors.append(f"{place}.model.n: no room to turn a group out of its span")
        at = spec.get("measure_at", [0])
        if at != sorted(at) or at[0] != 0 or at[-1] > spec.get("training", {}).get("epochs", 0):
            errors.append(f"{place}.measure_at: must rise from 0 to at most training.epochs")
    return errors
