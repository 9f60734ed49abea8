"""Rows of a claims table by a part of their text."""

import pandas as pd


def row_of(table: pd.DataFrame, name: str) -> pd.Series:
    """The one row whose claim and statistic hold every part of ``name``."""
    text = table.claim + " | " + table.statistic
    found = [i for i, t in text.items() if all(part in t for part in name.split(" & "))]
    assert len(found) == 1, (name, text.tolist())
    return table.loc[found[0]]
