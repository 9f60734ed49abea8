"""The jobs and cells of the phase diagrams, read off the config; imports nothing heavy."""

from typing import NamedTuple

ACROSS, UP = "across", "up"  # the two axes of a plane, horizontal and vertical


class Job(NamedTuple):
    """One panel: a method from a start on a plane."""

    plane: str
    method: str
    start: str


def jobs(section: dict) -> list[Job]:
    """All panels, plane by plane."""
    return [
        Job(plane, method, start)
        for plane in section["planes"]
        for method, settings in section["methods"].items()
        for start, planes in settings["starts"].items()
        if plane in planes
    ]


def axis(plane: dict, name: str) -> tuple[str, list]:
    """What varies along an axis of a plane, and its values."""
    ((key, values),) = plane[name].items()
    return key, values


def cells(plane: dict, model: dict) -> list[tuple[dict, dict]]:
    """Coordinates (across, up) and the whole generative model of every cell."""
    across, horizontal = axis(plane, ACROSS)
    up, vertical = axis(plane, UP)
    return [
        ({ACROSS: x, UP: y}, _numbers({"coherence": None, **model, across: x, up: y}))
        for y in vertical
        for x in horizontal
    ]


def _numbers(model: dict) -> dict:
    """The same numbers written the same way, 5 dB as 5.0: seeds are derived from them."""
    return {
        key: float(value) if key in ("snr_db", "coherence") and value is not None else value
        for key, value in model.items()
    }
