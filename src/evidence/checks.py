"""Rules on a config that several experiments share, for their check.py; imports nothing heavy."""

PIXELS = {"digits": 64, "mnist": 784, "fashion_mnist": 784, "kmnist": 784, "usps": 256}


def pixels_of(config: dict, dataset: str) -> int | None:
    """Pixels of the images of a built-in data set; a file of the reader's own has any number."""
    given, files = config.get("datasets"), config.get("download", {}).get("files", {})
    own = isinstance(given, dict) and given.get(dataset)
    return None if own or dataset in files else PIXELS.get(dataset)


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
