"""Rules on the config of the discovery across keys; workflow/validate.py calls them."""

from discovery.conditions import COUNTS, STARTS, WHOLE, runs, studies
from evidence.checks import model_inconsistencies


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    section = config["discovery"]
    places = {WHOLE: "whole.model", STARTS: "model", COUNTS: "counts"}
    errors = []
    for study in [*([WHOLE] if section["whole"]["snr_db"] else []), *studies(section)]:
        place = f"discovery.{places.get(study, f'success.axes.{study}')}"
        for run in runs(section, study):
            errors += model_inconsistencies(place, run.model)
    return list(dict.fromkeys(errors))
