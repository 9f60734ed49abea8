"""Rules on a config that several experiments share, for their check.py; imports nothing heavy."""


def has_sweep(section: dict) -> bool:
    """Whether the sweep of an experiment has points: an empty list on an axis switches it off."""
    sweep = section.get("sweep")
    return isinstance(sweep, dict) and [] not in sweep.values()


def model_inconsistencies(place: str, model: dict) -> list[str]:
    """What contradicts itself in the sizes of a generative model, as ``key: reason``."""
    errors = []
    if model["active_groups"] > model["groups"]:
        errors.append(f"{place}.active_groups: more than the {model['groups']} groups")
    if model["group_size"] > model["n"]:
        errors.append(f"{place}.group_size: larger than the dimension n")
    if model["amplitude"][0] > model["amplitude"][1]:
        errors.append(f"{place}.amplitude: the lower bound exceeds the upper")
    return errors
