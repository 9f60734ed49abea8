"""Tables of a run: CSV in long form, written through :mod:`groupsparse.files`.

Long form is one row per observation: experiment, condition, replicate, metric, value.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from groupsparse.files import CorruptArtifactError, read_checked, write_checked

if TYPE_CHECKING:  # a job that only reads tables does not wait for torch
    from torch import Tensor


def save_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV (no index, full float precision), atomically and with a checksum."""
    write_checked(path, table.to_csv(index=False).encode())


def load_table(path: str | Path, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a CSV table and require ``columns``; CorruptArtifactError names what is wrong."""
    content = io.BytesIO(read_checked(path))
    try:
        # Its own float format comes back exactly; words such as "none" are not missing values.
        table = pd.read_csv(content, keep_default_na=False, na_values=["", "nan"])
    except ValueError as error:
        raise CorruptArtifactError(path, str(error)) from error
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise CorruptArtifactError(path, f"it lacks the columns {missing}")
    return table


def records(condition: dict, values: dict[str, float]) -> list[dict]:
    """One row in long form for each of the named ``values`` that one condition has."""
    return [{**condition, "metric": name, "value": value} for name, value in values.items()]


def long_form(history: dict[str, Tensor], experiment: str, condition: dict) -> pd.DataFrame:
    """Turn name -> (epochs + 1, R) into rows, leaving out what is NaN (not observed)."""
    rows = [
        {
            "experiment": experiment,
            **condition,
            "replicate": r,
            "epoch": epoch,
            "metric": name,
            "value": float(value),
        }
        for name, values in history.items()
        for epoch, row in enumerate(values.tolist())
        for r, value in enumerate(row)
        if not math.isnan(value)
    ]
    return pd.DataFrame(rows)


def over_oracle(runs: pd.DataFrame) -> pd.Series:
    """``error`` over ``oracle_error`` of every run, a row each.

    A run whose groups are not as many as the true ones has no error. Its ratio is infinite: it
    counts as a failure.
    """
    none = pd.Series(math.nan, runs.index)
    ratio = runs.get("error", none) / runs.get("oracle_error", none)
    return ratio.fillna(math.inf)
