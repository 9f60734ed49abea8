"""What the runs come to: a row per run, a column per metric."""

import math

import pandas as pd

from defaults.conditions import AXES, PLANTED

NEAR_ORACLE = 1.2  # times its error: the aim, set beforehand


def planted(table: pd.DataFrame, told: bool) -> pd.DataFrame:
    """The planted problems: ``ratio`` of the error to the oracle's, and whether sizes are right.

    A run with another number of groups has no error. Its ratio is infinite: it counts as wrong.
    """
    here = table[(table.job == PLANTED) & (table.told.astype(str) == str(told))]
    if here.empty:
        return here
    runs = here.pivot_table(index=[*AXES, "replicate"], columns="metric", values="value")
    for name in ("error", "oracle_error"):
        if name not in runs:
            runs[name] = float("nan")
    size = runs.index.get_level_values("group_size")
    ratio = (runs.error / runs.oracle_error).fillna(math.inf)
    return runs.assign(ratio=ratio, right=runs.estimated_size == size)


def images(table: pd.DataFrame) -> pd.DataFrame:
    """The data sets: a row per data set, method and seed."""
    here = table[table.job != PLANTED]
    index = ["job", "method", "replicate"]
    return here.pivot_table(index=index, columns="metric", values="value", sort=False)
