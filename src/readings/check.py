"""Rules on the config of the readings that cross its keys; workflow/validate.py calls them."""

from evidence.checks import model_inconsistencies
from readings.conditions import AS_READ


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    readings = config["readings"]
    errors = model_inconsistencies("readings.curves.model", readings["curves"]["model"])
    for part in ("curves", "table1"):
        for name, network in readings[part]["networks"].items():
            place = f"readings.{part}.networks.{name}"
            if AS_READ in network["changes"]:
                errors.append(f"{place}.changes.{AS_READ}: this name belongs to the reading itself")
            for reading, changes in network["changes"].items():
                if unknown := sorted(set(changes) - set(network["reading"])):
                    errors.append(f"{place}.changes.{reading}: {unknown} is not in its reading")
    datasets, name = config.get("datasets"), readings["table1"].get("dataset")
    own = datasets.get(name) if isinstance(datasets, dict) else None
    if own and own.get("labels") is False:
        errors.append(f"readings.table1.dataset: {name!r} has no labels, with which this is scored")
    return errors
