"""Claims about other dictionary learners: that ours are ahead. None is the paper's."""

from functools import partial

from evidence.claims import claim
from evidence.verdict import at_most
from learners.bounded import DONE
from learners.scores import best, fits

stated = partial(
    claim, source="not in the paper", needs=("learners",), paper=False, table="learners_{case}"
)


def others(tables, choices):
    """Every other learner that is done, beside ours from the same kind of start."""
    runs = best(fits(tables["learners"]))
    for (case, learner, start), here in runs.groupby(["case", "learner", "start"], sort=False):
        ours = choices["from_near"] if start == "near" else choices["from_nothing"]
        theirs = learner not in (*choices["ours"], choices["from_near"], choices["from_nothing"])
        if theirs and (here.status == DONE).all():
            words = "a near start" if start == "near" else "no start"
            yield {"case": case, "learner": learner, "start": start, "ours": ours, "words": words}


def compared(tables, case, metric):
    """Ours over theirs by replicate, or None."""
    table = tables["learners"]
    pair = (table.case == case.case) & table.learner.isin([case.ours, case.learner])
    runs = best(fits(table[pair])).set_index("replicate")
    runs = runs[runs.status == DONE]
    other = "data" if case.start == "near" else "near"
    ours = runs[(runs.learner == case.ours) & (runs.start != other)]
    theirs = runs[(runs.learner == case.learner) & (runs.start == case.start)]
    values = (ours[metric] / theirs[metric]).dropna()
    return values if len(values) else None


# 1 % is what two good ways of computing the same thing may differ by.
@stated(
    "{ours} ends no further from the truth than {learner} ({case}, from {words})",
    statistic="its subspace error / that of {learner}",
    reference="at most 1",
    rule=at_most(1.01, partly=1.1),
    cases=others,
)
def error(tables, case):
    return compared(tables, case, "subspace")


@stated(
    "{ours} takes no longer than {learner} ({case}, from {words})",
    statistic="its seconds / those of {learner}, one thread, alone on the machine",
    reference="at most 1",
    rule=at_most(1.0, partly=2.0),
    cases=others,
)
def seconds(tables, case):
    return compared(tables, case, "seconds")
