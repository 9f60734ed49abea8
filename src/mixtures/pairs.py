"""Trainings that differ in their method alone, and how the methods differ."""

from collections.abc import Iterator

import pandas as pd

from mixtures.conditions import Job
from mixtures.scores import jobs_of

DEFAULTS = {"objective": "likelihood", "weight": 0.5, "step": "lipschitz", "backprop": "all"}
NO_SETTING = ("kind", "starts", "held_out", "datasets", "replicates")


def beside(scores: pd.DataFrame, method: str, other: str) -> Iterator[tuple[Job, Job]]:
    """Every training of a method, with that of another from the same start, without labels."""
    jobs = jobs_of(scores, labelled=False)
    for job in jobs:
        partner = job._replace(method=other)
        if job.method == method != other and partner in jobs:
            yield job, partner


def differing(entry: dict, other: dict) -> str:
    """In what two entries of the config differ, in words.

    Examples
    --------
    >>> differing({"kind": "mixture", "prox": "soft"}, {"prox": "soft", "weight": 1.0})
    'differs in weight 0.5 / 1.0'
    """
    first, second = DEFAULTS | entry, DEFAULTS | other
    keys = [key for key in dict.fromkeys([*first, *second]) if key not in NO_SETTING]
    parts = [
        f"{key} {first.get(key, 'none')} / {second.get(key, 'none')}"
        for key in keys
        if first.get(key) != second.get(key)
    ]
    return f"differs in {', '.join(parts)}" if parts else "no setting differs"
