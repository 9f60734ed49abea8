"""Long-form tables: one row per observation (experiment, condition, replicate, metric, value)."""

import pandas as pd
from torch import Tensor


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
        if value == value
    ]
    return pd.DataFrame(rows)
