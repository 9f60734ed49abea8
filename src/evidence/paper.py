"""Numbers printed in the paper or read off its figures, from the CSV files in data/paper."""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).resolve().parents[2] / "data" / "paper"


def paper_table(name: str) -> pd.DataFrame:
    """Read ``data/paper/<name>.csv``; data/README.md says where the paper has its numbers."""
    return pd.read_csv(FOLDER / f"{name}.csv")
