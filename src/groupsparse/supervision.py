"""Identification of results that use labels, which tables and figures mark."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SUPERVISED_INITS = ("class",)


def uses_labels(table: "pd.DataFrame") -> "pd.Series":
    """Which rows of a table of clusterings come from labels: bool, one per row."""
    return table.init.isin(SUPERVISED_INITS) | (table.method == "oracle")
