"""Rules on the config of the phase diagrams across keys; workflow/validate.py calls them."""

import math

from evidence.checks import model_inconsistencies
from phases.conditions import ACROSS, UP, axis, cells


def is_off(config: dict) -> bool:
    """Whether there is no plane."""
    section = config.get("phases")
    return isinstance(section, dict) and section.get("planes") == {}


def inconsistencies(config: dict) -> list[str]:
    """What contradicts itself in a config that fits the schema, as ``key: reason``."""
    section = config["phases"]
    errors = model_inconsistencies("phases.model", section["model"])
    for name, plane in section["planes"].items():
        place = f"phases.planes.{name}"
        keys = []
        for direction in (ACROSS, UP):
            key, values = axis(plane, direction)
            keys.append(key)
            if values != sorted(values):
                errors.append(f"{place}.{direction}.{key}: values must ascend, not {values}")
            if key not in ("snr_db", "coherence") and not all(type(v) is int for v in values):
                errors.append(f"{place}.{direction}.{key}: values must be whole numbers")
            if key not in ("snr_db",) and min(values) <= 0:
                errors.append(f"{place}.{direction}.{key}: values must be positive")
        if keys[0] == keys[1]:
            errors.append(f"{place}: both axes are {keys[0]}")
        elif not any(place in error for error in errors):
            errors += sorted(
                {
                    error
                    for _, model in cells(plane, section["model"])
                    for error in _unfit(place, model)
                }
            )
    for name, method in section["methods"].items():
        for start, planes in method["starts"].items():
            if unknown := sorted(set(planes) - set(section["planes"])):
                place = f"phases.methods.{name}.starts.{start}"
                errors.append(f"{place}: {unknown} is no plane of phases.planes")
    return errors


def _unfit(place: str, model: dict) -> list[str]:
    errors = model_inconsistencies(place, model)
    coherence, d = model["coherence"], model["group_size"]
    if coherence is None:
        return errors
    if model["groups"] < 2:
        errors.append(f"{place}: a coherence is that of two groups")
    if coherence * d > 1:
        errors.append(f"{place}: coherence exceeds 1 / group_size, the largest there is")
    # Of random spans mean ||A_g^T A_h||_F^2 = d^2 / n, and a squared spectral norm is at least
    # 1 / d of it. A value between this and what is drawn fails in the job, which says what it was.
    if coherence < 1 / math.sqrt(d * model["n"]):
        errors.append(f"{place}: coherence {coherence:g}: random groups have more")
    return errors
