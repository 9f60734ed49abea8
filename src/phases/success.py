"""Which runs are a success, how often, and how sure that is."""

import math
from statistics import NormalDist

import pandas as pd

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


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    r"""Wilson's interval of a probability: it keeps its level for 0 and ``trials`` successes too.

    .. math:: \frac{\hat p + z^2 / 2 n \pm z \sqrt{\hat p (1 - \hat p) / n + z^2 / 4 n^2}}
                   {1 + z^2 / n}

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. Amer.
    Statist. Assoc. 22 (1927).

    Examples
    --------
    >>> tuple(round(end, 2) for end in wilson(10, 10))
    (0.72, 1.0)
    """
    z, p = NormalDist().inv_cdf((1 + level) / 2), successes / trials
    scale = 1 + z**2 / trials
    middle = (p + z**2 / (2 * trials)) / scale
    half = z * math.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def half_width(successes: int, trials: int) -> float:
    """Half of the width of :func:`wilson`."""
    low, high = wilson(successes, trials)
    return (high - low) / 2


def share(run: pd.DataFrame, criterion: str) -> str:
    """Successes of all, with the interval, in words."""
    good, count = int(run[criterion].sum()), len(run)
    low, high = wilson(good, count)
    return f"{good} of {count} [{low:.2f}, {high:.2f}]"
