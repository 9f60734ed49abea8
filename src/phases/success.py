"""Which runs are a success, how often, and how sure that is."""

import pandas as pd

from evidence.verdict import wilson

PANEL = ["plane", "method", "start"]
CELL = [*PANEL, "up", "across"]
FOUND, AT_LIMIT = "found", "at_limit"
CRITERIA = {FOUND: "all groups found", AT_LIMIT: "as the oracle"}


def runs(table: pd.DataFrame, success: dict) -> pd.DataFrame:
    """A row per run (cell and replicate) with its metrics and whether it is a success.

    ``found``: the overlap of every group with its own exceeds ``success["overlap"]``. ``at_limit``:
    moreover the error is at most ``success["oracle_factor"]`` times the oracle's. Alone that would
    count runs as good where too few samples let the oracle itself miss groups.
    """
    wide = table.pivot_table(
        index=[*CELL, "replicate"], columns="metric", values="value", sort=False
    ).reset_index()
    wide[FOUND] = wide.least_overlap > success["overlap"]
    wide[AT_LIMIT] = wide[FOUND] & (wide.error <= success["oracle_factor"] * wide.oracle_error)
    return wide


def half_width(successes: int, trials: int) -> float:
    """Half of the width of :func:`wilson`."""
    low, high = wilson(successes, trials)
    return (high - low) / 2


def share(run: pd.DataFrame, criterion: str) -> str:
    """Successes of all, with the interval, in words."""
    good, count = int(run[criterion].sum()), len(run)
    low, high = wilson(good, count)
    return f"{good} of {count} [{low:.2f}, {high:.2f}]"
