"""What the runs of the discovery come to: ratios, successes and their intervals."""

import pandas as pd

from evidence.tables import over_oracle
from evidence.verdict import wilson

CASE = ["study", "axis", "setting", "active_groups", "method", "start"]


def wide(table: pd.DataFrame) -> pd.DataFrame:
    """A row per run, a column per metric; ``ratio`` is the error over the oracle's."""
    index = [*CASE, "replicate"]
    table = table.assign(axis=table.axis.fillna(""))
    runs = table.pivot_table(
        index=index, columns="metric", values="value", sort=False, dropna=False, observed=True
    ).dropna(how="all")
    runs = runs.reset_index()
    if "found" not in runs:
        runs["found"] = float("nan")
    return runs.assign(ratio=over_oracle(runs))


def study(runs: pd.DataFrame, name: str) -> pd.DataFrame:
    """The runs of one study."""
    return runs[runs.study == name]


def successes(runs: pd.DataFrame, factor: float) -> pd.Series:
    """Whether each run ends within ``factor`` times the oracle's error."""
    return runs.ratio <= factor


def share(good: pd.Series) -> tuple[float, float, float]:
    """Share of successes with Wilson's 95 % interval.

    Examples
    --------
    >>> [round(x, 2) for x in share(pd.Series([True] * 19 + [False]))]
    [0.95, 0.76, 0.99]
    """
    return float(good.mean()), *wilson(int(good.sum()), len(good))


def of(good: pd.Series) -> str:
    """Successes of all, with the interval, in words."""
    _, low, high = share(good)
    return f"{int(good.sum())} of {len(good)} [{low:.2f}, {high:.2f}]"
