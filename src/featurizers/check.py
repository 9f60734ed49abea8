"""Rules on the config of the featurizers across keys; workflow/validate.py calls them."""

from featurizers.conditions import CONTROLS


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    section, errors = config["featurizers"], []
    truth, largest = section["truth"], max(section["truth"]["sizes"])
    if truth["active"] > truth["concepts"]:
        errors.append(f"featurizers.truth.active: more than the {truth['concepts']} concepts")
    if largest > truth["n"]:
        errors.append(f"featurizers.truth.sizes: {largest} dimensions do not fit in n")
    if truth["amplitude"][0] > truth["amplitude"][1]:
        errors.append("featurizers.truth.amplitude: it must not fall")
    for key in ("atoms", "active_atoms"):
        for size in {largest, *(m["group_size"] for m in section["methods"].values())}:
            if section[key] % size:
                errors.append(f"featurizers.{key}: no multiple of the group size {size}")
    if section["active_atoms"] > section["atoms"]:
        errors.append("featurizers.active_atoms: more than there are atoms")
    if section["epoch"] > section["samples"]:
        errors.append("featurizers.epoch: more samples than there are in all")
    errors += [
        f"featurizers.methods.{name}: this name belongs to a control"
        for name in CONTROLS
        if name in section["methods"]
    ]
    errors += [
        f"featurizers.methods.{name}.tied: lasso always is, else weights grow with the threshold"
        for name, method in section["methods"].items()
        if not method.get("tied", True) and method["rule"] == "lasso"
    ]
    errors += [
        f"featurizers.shown.{key}: no method {section['shown'][key]!r}"
        for key in section["shown"]
        if section["shown"][key] not in section["methods"]
    ]
    tied = section["methods"].get(section["shown"].get("tied"), {"tied": True})
    if not tied.get("tied") or tied.get("rule") == "lasso":
        errors.append("featurizers.shown.tied: this method is not top-k with a tied encoder")
    return sorted(errors)
