"""Rows of a claims table by a part of their text."""

import re

import pandas as pd

from evidence.names import method_name


def row_of(table: pd.DataFrame, name: str) -> pd.Series:
    """The one row whose claim and statistic hold every part of ``name``.

    Methods in it may have their names of the config, which readers of the table do not see.
    """
    name = re.sub(r"(?<![\w-])(group_sparse|sparse|relu)(?![\w-]| \()", _shown, name)
    text = table.claim + " | " + table.statistic
    found = [i for i, t in text.items() if all(part in t for part in name.split(" & "))]
    assert len(found) == 1, (name, text.tolist())
    return table.loc[found[0]]


def _shown(found: re.Match) -> str:
    return method_name(found[0])
