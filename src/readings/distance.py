"""How far a reading is from what the paper printed or drew."""

from typing import NamedTuple

import numpy as np
import pandas as pd


class Distance(NamedTuple):
    """Factors between ours and the paper's over the points of a curve; 1 is no distance."""

    largest: float
    typical: float


def from_curve(ours: pd.Series, papers: pd.Series) -> Distance:
    r"""Largest and typical factor between two curves at the paper's points.

    .. math:: \exp \max_k |\log r_k|, \quad \exp \mathrm{mean}_k |\log r_k|,
              \quad r_k = ours_k / paper_k

    Both are indexed by epoch. Points that are not in both are left out; ValueError if none is left.

    Examples
    --------
    >>> ours, papers = pd.Series({20: 2.0, 40: 1.0}), pd.Series({20: 1.0, 40: 1.0, 60: 1.0})
    >>> [round(float(factor), 3) for factor in from_curve(ours, papers)]
    [2.0, 1.414]
    """
    ratio = (ours / papers).dropna()
    if ratio.empty:
        raise ValueError("the curves have no point in common")
    steps = np.log(ratio).abs()
    return Distance(float(np.exp(steps.max())), float(np.exp(steps.mean())))


def from_table(ours: pd.Series, papers: pd.Series) -> float:
    """Mean absolute difference over the entries of the paper's table, in the unit of both.

    ValueError if one of the paper's entries is missing.

    Examples
    --------
    >>> from_table(pd.Series({"a": 0.5, "b": 0.7, "c": 0.0}), pd.Series({"a": 0.6, "b": 0.7}))
    0.05
    """
    missing = papers.index.difference(ours.index)
    if len(missing):
        raise ValueError(f"no score for {list(missing)}")
    return float(round((ours[papers.index] - papers).abs().mean(), 12))
