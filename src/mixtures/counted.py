"""The number of clusters that rules without labels choose, read off the table of the counts."""

import pandas as pd

from mixtures.scores import measured

# A metric: what its rule asks for, and whether more of it is better.
RULES = {
    "agreement": ("two halves agree most", True),
    "free_energy": ("the held-out free energy is least", False),
}


def chosen(table: pd.DataFrame, dataset: str, rule: str) -> pd.Series:
    """The number of clusters that a rule chooses, by ``replicate``; of equals the smallest.

    A seed in which some number was not measured chooses none.
    """
    here = table[(table.dataset == dataset) & (table.metric == rule)]
    values = here.pivot_table(index="replicate", columns="clusters", values="value").dropna()
    _, more = RULES[rule]
    return values.idxmax(axis=1) if more else values.idxmin(axis=1)


def classes(table: pd.DataFrame, dataset: str) -> int:
    """How many classes the held-out images have: labels, which only judge."""
    return int(measured(table, "classes", dataset=dataset).iloc[0])


def datasets(table: pd.DataFrame) -> list[str]:
    """The data sets of a table, in its order."""
    return list(dict.fromkeys(table.dataset))
