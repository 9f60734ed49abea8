"""Numbers printed in the paper or read off its figures, from the CSV files in data/paper."""

from pathlib import Path

import pandas as pd

# The size of Experiment 1 (Sec. 4.1), in the words of the config.
MODEL = {
    "n": 950, "groups": 500, "group_size": 2, "active_groups": 3, "samples": 10000,
    "amplitude": [4.0, 5.0],
}  # fmt: skip
FOLDER = Path(__file__).resolve().parents[2] / "data" / "paper"


def of_paper_size(model: dict) -> bool:
    """Whether a generative model of the config has the size of the paper's.

    Examples
    --------
    >>> of_paper_size({**MODEL, "seed": 1}), of_paper_size({**MODEL, "n": 40})
    (True, False)
    """
    return all(model[key] == value for key, value in MODEL.items())


def paper_table(name: str) -> pd.DataFrame:
    """Read ``data/paper/<name>.csv``; data/README.md says where the paper has its numbers."""
    return pd.read_csv(FOLDER / f"{name}.csv")
