"""What the runs come to: a row per run, a column per metric."""

import pandas as pd

from defaults.conditions import AXES, PLANTED
from evidence.tables import over_oracle

NEAR_ORACLE = 1.2  # times its error: the aim, set beforehand


def planted(table: pd.DataFrame, told: bool) -> pd.DataFrame:
    """The planted problems: ``ratio`` of the error to the oracle's, and whether sizes are right."""
    here = table[(table.job == PLANTED) & (table.told.astype(str) == str(told))]
    if here.empty:
        return here
    runs = here.pivot_table(index=[*AXES, "replicate"], columns="metric", values="value")
    size = runs.index.get_level_values("group_size")
    return runs.assign(ratio=over_oracle(runs), right=runs.estimated_size == size)


def images(table: pd.DataFrame) -> pd.DataFrame:
    """The data sets: a row per data set, method and seed."""
    here = table[table.job != PLANTED]
    index = ["job", "method", "replicate"]
    return here.pivot_table(index=index, columns="metric", values="value", sort=False)
