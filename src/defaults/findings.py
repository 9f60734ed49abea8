"""What the defaults show, as sentences with computed numbers."""

import pandas as pd

from defaults.scores import NEAR_ORACLE, images, planted
from defaults.tables import METHODS


def findings(scores: pd.DataFrame) -> list[str]:
    """On planted groups; then on images."""
    lines, runs = [], planted(scores, True)
    if len(runs):
        mean = runs.ratio.groupby(level=[0, 1, 2]).mean()
        lines.append(
            f"GroupSparseCoder, told nothing but sizes: {int((mean <= NEAR_ORACLE).sum())} of "
            f"{len(mean)} planted problems within {NEAR_ORACLE:g} times the oracle's subspace "
            f"error, median {mean.median():.2f}."
        )
    for job, here in images(scores).groupby(level="job", sort=False):
        each = here.explained.groupby(level="method", sort=False).mean()
        parts = ", ".join(f"{METHODS[method]} {value:.2f}" for method, value in each.items())
        lines.append(f"Variance of new images that is explained ({job}): {parts}.")
    return lines
