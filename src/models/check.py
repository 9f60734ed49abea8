"""Rules on the config of the models that cross its keys; workflow/validate.py calls them."""

from evidence.checks import model_inconsistencies
from models.conditions import NEAR, NOTHING, ORACLE, TRUTH, settings


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    section = config["models"]
    errors = model_inconsistencies("models.base", section["base"])
    for name in section["run"]:
        if name not in section["models"]:
            errors.append(f"models.run: {name} is no model of models.models")
            continue
        model, place = settings(section, name), f"models.models.{name}"
        if found := model_inconsistencies(place, model):
            errors += found
            continue
        if max(model.get("sizes", [1])) > model["group_size"]:
            errors.append(f"{place}.sizes: larger than the group size {model['group_size']}")
        if 2 * model["group_size"] > model["n"]:
            errors.append(f"{place}.group_size: more than half of the dimension n")
        if model["samples"] < 2 * model["groups"] * model["group_size"]:
            errors.append(f"{place}.samples: fewer than two for every atom")
    for name, method in section["methods"].items():
        place = f"models.methods.{name}"
        if name in (ORACLE, TRUTH):
            errors.append(f"{place}: this name belongs to what all methods are compared with")
        if "prox" in method and method["start"] == NOTHING:
            errors.append(f"{place}.start: a network needs a start, near or random")
    for role, start in (("method", NEAR), ("from_nothing", NOTHING)):
        name = section["shown"][role]
        if section["methods"].get(name, {}).get("start") != start:
            errors.append(f"models.shown.{role}: {name} is no method whose start is {start}")
    for role in ("group", "sparse"):
        if "prox" not in section["methods"].get(name := section["shown"][role], {}):
            errors.append(f"models.shown.{role}: {name} is no network")
    return errors
