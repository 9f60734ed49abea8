"""Claims about the featurizers. None is the paper's; the bounds were set before the first run."""

from functools import partial

from evidence.claims import claim
from evidence.verdict import at_least
from featurizers.conditions import TRUTH
from featurizers.tables import wide

needs = ("featurizers", "featurizers_concepts")
stated = partial(claim, source="not in the paper", needs=needs, paper=False, table="featurizers")


def shown(tables, choices):
    """The methods that the config compares, where all have run."""
    if set(choices.values()) <= set(tables["featurizers"].method):
        yield choices


def several(concepts, method, metric):
    """Mean of a metric over the concepts of more than one dimension, by seed."""
    here = concepts[(concepts.method == method) & (concepts.metric == metric)]
    return here[here["size"] > 1].groupby("replicate").value.mean()


# A twentieth of a concept, or of a score from 0 to 1, is worth naming; in part from any gain on.
@stated(
    "Groups span features of several dimensions better than single atoms do",
    statistic="share of a concept in the best group, less that in the best set of single atoms",
    reference="above 0",
    rule=at_least(0.05, partly=0.0),
    cases=shown,
)
def spanned(tables, case):
    concepts = tables["featurizers_concepts"]
    return several(concepts, case.group, "captured") - several(concepts, case.plain, "captured_set")


# As above.
@stated(
    "A group tells whether a feature of several dimensions is there better than single atoms do",
    statistic="F1 of the best group, less that of the best set of single atoms",
    reference="above 0",
    rule=at_least(0.05, partly=0.0),
    cases=shown,
)
def detected(tables, case):
    concepts = tables["featurizers_concepts"]
    return several(concepts, case.group, "f1") - several(concepts, case.plain, "f1_set")


# A twentieth of the variance; in part from any loss on.
@stated(
    "Group lasso reconstructs worse than group top-k with as many active groups",
    statistic="explained variance of group top-k, less that of group lasso",
    reference="0 if equal",
    rule=at_least(0.05, partly=0.0),
    cases=shown,
)
def shrunk(tables, case):
    explained = wide(tables["featurizers"]).explained
    return explained.loc[case.group] - explained.loc[case.lasso]


# Nine tenths of what the true dictionary detects; in part from seven on.
@stated(
    "Learnt groups detect features as well as the true dictionary in the same encoder",
    statistic="F1 of the best group / that of the true dictionary, mean over concepts",
    reference="1",
    rule=at_least(0.9, partly=0.7),
    cases=shown,
)
def at_the_limit(tables, case):
    f1 = wide(tables["featurizers"]).f1
    return f1.loc[case.group] / f1.loc[TRUTH]
