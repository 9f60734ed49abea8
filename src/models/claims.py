"""Claims about the generative models. None is the paper's: each is an aim set beforehand.

A statistic has a value for every seed; each model is a case of its own.
"""

from functools import partial

from evidence.claims import Evidence, claim
from evidence.verdict import at_least, at_most
from models.names import model_name
from models.reasons import NEAR_ORACLE, over_oracle, values

stated = partial(
    claim, source="not in the paper", needs=("models",), paper=False, figure="models_ratios"
)


def each_model(tables, choices):
    """Every generative model that was measured."""
    for model in tables["models"].model.unique():
        yield {**choices, "model": model, "words": model_name(model)}


def with_clusters(tables, choices):
    """The models in which a sample has one active group."""
    scores = tables["models"]
    for model in scores[scores.metric == "accuracy"].model.unique():
        yield {**choices, "model": model, "words": model_name(model)}


def networks(tables, choices):
    """The models whose groups have several atoms: elsewhere the two networks are the same."""
    scores = tables["models"]
    if {choices["group"], choices["sparse"]} <= set(scores.method):
        for model in choices["grouped"]:
            yield {**choices, "model": model, "words": model_name(model)}


# NEAR_ORACLE as in models/reasons.py; half as much again is near in part.
@stated(
    "Alternating least squares from a near start ends near the oracle",
    statistic="{words}: subspace error / that of least squares on the true codes",
    reference="1",
    rule=at_most(NEAR_ORACLE, partly=1.5),
    cases=each_model,
    table="models_recovery",
)
def near(tables, case):
    return over_oracle(tables["models"], case.model, case.method)


# As above.
@stated(
    "Discovery ends near the oracle from no start at all",
    statistic="{words}: subspace error / that of least squares on the true codes",
    reference="1",
    rule=at_most(NEAR_ORACLE, partly=1.5),
    cases=each_model,
    table="models_recovery",
)
def from_nothing(tables, case):
    return over_oracle(tables["models"], case.model, case.from_nothing)


# Any lead counts.
@stated(
    "Where groups have several atoms, the group network recovers them better than the sparse one",
    statistic="{words}: subspace error of the group network / that of the sparse one",
    reference="less than 1",
    rule=at_most(1.0),
    cases=networks,
    table="models_recovery",
)
def groups_help(tables, case):
    scores = tables["models"]
    group, sparse = (values(scores, case.model, m, "error") for m in (case.group, case.sparse))
    return group / sparse


# A* itself errs where noise hides the group; no dictionary does better.
@stated(
    "The active group that discovery finds is the cluster",
    statistic="{words}: accuracy / that with A* itself",
    reference="1",
    rule=at_least(0.99, partly=0.9),
    cases=with_clusters,
    table="models_clustering",
)
def active_group(tables, case):
    scores = tables["models"]
    own = values(scores, case.model, case.from_nothing, "accuracy")
    best = values(scores, case.model, "truth", "accuracy")
    return Evidence(own / best, f"accuracy {own.mean():.4g}, with A* {best.mean():.4g}")
