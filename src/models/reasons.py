"""Ratios to the oracle's error, and what measurements say about a method that is not near it."""

import pandas as pd

from evidence.verdict import intervals
from models.conditions import NOTHING, ORACLE, TRUTH, one_sided

NEAR_ORACLE = 1.1  # times its error: the aim, stated beforehand
LOST = 0.05  # share of the codes' energy from which a lost sign is a cause
WORSE = 0.02  # less recall or precision than with A* itself
HIDDEN = 0.5  # share of a group's energy in one direction from which its span is hidden
LINKED = 0.25  # share of a group's samples with one companion from which both seem to be one
OUTLIERS = 0.05  # share of the noise's energy from which 1 % of the samples are outliers
CORRELATED = 0.1  # correlation of neighbouring noise from which it is not white
SHARE = 0.1  # of the codes' norm from which shrinkage or cross terms are a cause


def values(scores: pd.DataFrame, model: str, method: str, metric: str) -> pd.Series:
    """The values of a metric by ``replicate``; none where it was not measured."""
    here = scores[(scores.model == model) & (scores.method == method) & (scores.metric == metric)]
    return here.set_index("replicate").value


def over_oracle(scores: pd.DataFrame, model: str, method: str) -> pd.Series:
    """Subspace error over that of least squares on the true codes, by ``replicate``."""
    errors = values(scores, model, method, "error")
    return errors / values(scores, model, ORACLE, "error")[errors.index]


def recovers(scores: pd.DataFrame, model: str, method: str) -> bool:
    """Whether the 95 % interval of the mean ratio ends at most at the stated aim."""
    return bool(intervals(over_oracle(scores, model, method)).high.max() <= NEAR_ORACLE)


def causes(scores: pd.DataFrame, model: str, method: str, entry: dict, setting: dict) -> list[str]:
    """Why a method is not near the oracle, by what was measured; empty where nothing stands out."""
    groups, size = setting["groups"], setting["group_size"]

    def mean(metric: str, of: str = method) -> float:
        return float(values(scores, model, of, metric).mean())

    found = []
    negative = mean("negative", TRUTH)
    if one_sided(entry) and negative > LOST:
        found.append(f"cannot give negative codes, {negative:.0%} of their energy")
    if (missing := groups - mean("found")) > 0:
        found.append(f"{missing:.1f} of {groups} groups not found")
        direction = mean("one_direction", TRUTH)
        if entry["start"] == NOTHING and size > 1 and direction > HIDDEN:
            found.append(f"{direction:.0%} of a group's energy is in one direction of its span")
        if entry["start"] == NOTHING and (joint := mean("together", TRUTH)) > LINKED:
            found.append(f"in {joint:.0%} of its samples a group has the same companion")
    if mean("recall") < mean("recall", TRUTH) - WORSE:
        found.append(f"misses {1 - mean('recall'):.0%} of the active groups")
    if mean("precision") < mean("precision", TRUTH) - WORSE:
        found.append(f"{1 - mean('precision'):.0%} of its active groups are false")
    if mean("shrunk") > SHARE:
        found.append(f"codes shrunk by {mean('shrunk'):.0%}")
    if mean("cross") > SHARE:
        found.append(f"other groups make {mean('cross'):.0%} of a code's norm")
    if (outliers := mean("outliers", TRUTH)) > OUTLIERS:
        found.append(f"1% of the samples have {outliers:.0%} of the noise's energy")
    if abs(beside := mean("neighbours", TRUTH)) > CORRELATED:
        found.append(f"noise of neighbouring entries has correlation {beside:.2f}")
    return found
