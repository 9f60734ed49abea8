"""Identification of results that use labels, which tables and figures mark."""

import pandas as pd

from groupsparse.supervision import SUPERVISED_INITS


def uses_labels(table: pd.DataFrame) -> pd.Series:
    """Which rows of a table of clusterings come from labels: bool, one per row."""
    return table.init.isin(SUPERVISED_INITS) | (table.method == "oracle")
