"""Claims about the number of clusters, which rules without labels choose. All are ours."""

from evidence.claims import Evidence, claim
from evidence.verdict import at_most
from mixtures.counted import RULES, chosen, classes, datasets


def rules(tables, choices):
    """Every rule on every data set."""
    table = tables["mixtures_counts"]
    for rule, (words, _) in RULES.items():
        for dataset in datasets(table):
            count = classes(table, dataset)
            yield {"dataset": dataset, "metric": rule, "words": words, "classes": count}


# A count has no interval: every seed must find the classes.
@claim(
    "Where {words}, there are as many clusters as classes",
    source="not in the paper",
    statistic="{dataset}: distance of the number found from {classes}, that of the classes",
    reference="0",
    rule=at_most(0, partly=1, always=True),
    needs=("mixtures_counts",),
    cases=rules,
    paper=False,
    figure="mixtures_counts-{dataset}",
    table="mixtures_counts_{dataset}",
)
def found(tables, case):
    numbers = chosen(tables["mixtures_counts"], case.dataset, case.metric)
    if numbers.empty:
        return None
    return Evidence((numbers - case.classes).abs(), f"found: {', '.join(map(str, numbers))}")
