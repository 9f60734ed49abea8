"""Rules on the config of the limits across keys; workflow/validate.py calls them."""

from evidence.checks import model_inconsistencies
from limits.conditions import FIXED, is_network


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    section = config["limits"]
    errors = model_inconsistencies("limits.model", section["model"])
    methods = section["methods"]
    named = {f"race.methods.{i}": name for i, name in enumerate(section["race"]["methods"])}
    named |= {f"shown.{key}": name for key, name in section["shown"].items()}
    for place, name in named.items():
        if name not in methods:
            errors.append(f"limits.{place}: {name} is no method of limits.methods")
        elif place.startswith("race.") and FIXED not in methods[name]:
            errors.append(f"limits.{place}: {name} has no noise level on fixed data")
    shown = section["shown"]
    for role, network in (("method", False), ("network", True)):
        if shown[role] in methods and is_network(methods[shown[role]]) != network:
            wanted = "an autoencoder" if network else "alternating least squares"
            errors.append(f"limits.shown.{role}: {shown[role]} is not {wanted}")
    return errors
