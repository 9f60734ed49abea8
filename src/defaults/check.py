"""Rules on the config of the defaults across keys; workflow/validate.py calls them."""

from defaults.conditions import jobs, problems
from evidence.checks import model_inconsistencies


def is_off(config: dict) -> bool:
    """Without problems and data sets there is nothing to show."""
    section = config.get("defaults")
    return isinstance(section, dict) and not section.get("images") and not _axes(section)


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    section, errors = config["defaults"], []
    for problem in problems(section) if jobs(section) else []:
        errors += model_inconsistencies("defaults.model", problem.model)
    return list(dict.fromkeys(errors))


def _axes(section: dict) -> bool:
    axes = section.get("axes")
    return isinstance(axes, dict) and bool(axes) and [] not in axes.values()
