"""Claims about the featurizers. None is the paper's; the bounds were set before the first run.

Those about the rule and the dictionary compare networks of one encoder, the transpose of the
dictionary. In the first run group top-k had an encoder of its own in both.
"""

from functools import partial

from evidence.claims import claim
from evidence.verdict import at_least
from featurizers.conditions import TRUTH
from featurizers.tables import wide

needs = ("featurizers", "featurizers_concepts")
stated = partial(claim, source="not in the paper", needs=needs, paper=False, table="featurizers")


def ran(*roles):
    """The one case: the methods in these roles, where all have run."""

    def cases(tables, choices):
        if {choices[role] for role in roles} <= set(tables["featurizers"].method):
            yield {role: choices[role] for role in roles}

    return cases


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
    cases=ran("group", "plain"),
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
    cases=ran("group", "plain"),
)
def detected(tables, case):
    concepts = tables["featurizers_concepts"]
    return several(concepts, case.group, "f1") - several(concepts, case.plain, "f1_set")


# A twentieth of the variance; in part from any loss on.
@stated(
    "Group lasso reconstructs worse than group top-k in its encoder with as many active groups",
    statistic="explained variance of tied group top-k, less that of group lasso",
    reference="0 if equal",
    rule=at_least(0.05, partly=0.0),
    cases=ran("tied", "lasso"),
)
def shrunk(tables, case):
    explained = wide(tables["featurizers"]).explained
    return explained.loc[case.tied] - explained.loc[case.lasso]


# Nine tenths of what the true dictionary detects; in part from seven on.
@stated(
    "Learnt groups detect features as well as the true dictionary in the same encoder",
    statistic="F1 of the best group of tied group top-k / that of the true dictionary, mean over "
    "concepts",
    reference="1",
    rule=at_least(0.9, partly=0.7),
    cases=ran("tied"),
)
def at_the_limit(tables, case):
    f1 = wide(tables["featurizers"]).f1
    return f1.loc[case.tied] / f1.loc[TRUTH] if TRUTH in f1.index else None
