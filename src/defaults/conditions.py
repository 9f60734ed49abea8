"""The problems of the study, read off the config; imports nothing heavy."""

from itertools import product
from typing import NamedTuple

PLANTED = "planted"  # the job of all planted problems; the others are data sets
CODER, PCA, FREE, CHANCE = "coder", "pca", "free", "chance"
AXES = ["group_size", "active_groups", "snr_db"]


class Problem(NamedTuple):
    """A generative model, and whether the estimator is told number and size of the groups."""

    model: dict
    told: bool


def jobs(section: dict) -> list[str]:
    """A job for the planted problems, and one for each data set."""
    return [*([PLANTED] if problems(section) else []), *section["images"]]


def told(section: dict, job: str) -> dict:
    """What a job depends on: the planted problems, or what one data set is told."""
    if job == PLANTED:
        return {key: value for key, value in section.items() if key != "images"}
    return {"images": {job: section["images"][job]}, "replicates": section["replicates"]}


def problems(section: dict) -> list[Problem]:
    """Every size, number of active groups and noise level, told and untold."""
    grid = product(*(section["axes"][axis] for axis in AXES))
    models = [section["model"] | dict(zip(AXES, values, strict=True)) for values in grid]
    return [Problem(model, told) for model in models for told in (True, False)]
