"""Rules on the config of the learners across keys; workflow/validate.py calls them."""

from evidence.checks import model_inconsistencies


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    errors = []
    for name, case in config["learners"]["cases"].items():
        errors += model_inconsistencies(f"learners.cases.{name}.model", case["model"])
    return errors
