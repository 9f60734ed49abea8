"""The runs of every study, read off the config; imports nothing heavy."""

from typing import NamedTuple

WHOLE, STARTS, COUNTS = "whole", "starts", "counts"  # and a study for each axis of `success`
DISCOVER, ALTERNATE = "discover", "alternate"
NO_START = "none"


class Run(NamedTuple):
    """A method on a problem; ``setting`` is the value of the ``axis`` that a study varies.

    ``told`` says whether the method knows how many groups there are and how large they are;
    ``passes`` are those of alternation alone.
    """

    axis: str
    setting: float
    model: dict
    method: str = DISCOVER
    start: str = NO_START
    told: bool = True
    passes: int = 0


def studies(section: dict) -> list[str]:
    """The studies that run beside others; :data:`WHOLE` runs alone, for its seconds."""
    found = [STARTS] if section["starts"]["inits"] else []
    found += list(section["success"]["axes"])
    return found + ([COUNTS] if section["counts"]["group_size"] else [])


def told(section: dict, study: str) -> dict:
    """What the job of a study depends on: what other studies and figures do is none of it."""
    if study == WHOLE:
        return {WHOLE: {k: v for k, v in section[WHOLE].items() if k != "threads"}}
    if study in (STARTS, COUNTS):
        return {key: section[key] for key in ("model", study)}
    success = section["success"]
    axes = {study: success["axes"][study]}
    return {"model": section["model"], "success": {**success, "axes": axes}}


def replicates(section: dict, study: str) -> int:
    """How many seeds a study has."""
    part = section.get(study) or section["success"]
    return part["replicates"]


def runs(section: dict, study: str) -> list[Run]:
    """The runs of one seed."""
    if study == WHOLE:
        whole = section["whole"]
        return [Run("snr_db", x, whole["model"] | {"snr_db": x}) for x in whole["snr_db"]]
    model = section["model"]
    if study == STARTS:
        found = [Run("", 0, model)]
        passes = section["starts"]["passes"]
        for start in section["starts"]["inits"]:
            alone = Run("", 0, model, ALTERNATE, start, passes=passes)
            found += [Run("", 0, model, DISCOVER, start), alone]
        return found
    if study == COUNTS:
        counts = section["counts"]
        return [
            Run("group_size", d, model | {"group_size": d, "active_groups": k}, told=False)
            for d in counts["group_size"]
            for k in counts["active_groups"]
        ]
    return [Run(study, x, model | {study: x}) for x in section["success"]["axes"][study]]
