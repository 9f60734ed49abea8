"""Captions of the figures of Experiment 2, and what they show in numbers."""

from collections.abc import Collection

import pandas as pd

from clustering.conditions import AUTO, of_data, settings_of
from clustering.words import named, sample
from evidence.names import method_name
from evidence.section import percent

CAPTIONS = {
    "fig4": "atoms (up to 8 of each group) and the code of the first test sample with one active "
    "group (inset)",
    "fig5": "pairwise distances of {distances_per_class} test samples per class, sorted by class",
    "silhouettes": "atoms and mean activation of every class (labels only sort)",
    "members": "what the groups stand for: atoms (up to 8 of each group), and the held-out samples "
    "in which each group is strongest. Beside a row: in how many no other is stronger, with labels "
    "the class of most of them, and with named features the two whose means there differ most from "
    "those of all samples (in standard deviations). Groups have the numbers of clusters.csv",
    "table1": "{scores} as a figure, every initialisation and centring",
    "convergence": "are the epochs of {scores} enough? The first replicates, trained for longer",
    "sweep": "accuracy against the number of active groups, over a grid of penalties, with unit "
    "atoms and with free ones; accuracy uses labels, so no penalty was chosen by it",
}
# What is drawn of the user's own data is not about the paper.
LABELS = {
    "fig4": "Fig. 4",
    "fig5": "Fig. 5",
    "silhouettes": "Fig. A (not in the paper)",
    "table1": "Fig. B (not in the paper)",
    "convergence": "Fig. C (not in the paper)",
    "sweep": "Fig. F (not in the paper)",
}
Tables = dict[str, pd.DataFrame]


def caption(name: str, config: dict, table1: pd.DataFrame, own: Collection[str] = ()) -> str:
    """Caption of a figure of one data set; its numbers are read from the config.

    ``own`` are the user's data sets.
    """
    kind, _, dataset = name.partition("-")
    scores = "the scores" if dataset in own else "Table 1"
    words = CAPTIONS[kind].format(**config["shown"], scores=scores)
    if kind == "members" and dataset != (first := next(iter(own))):
        words = f"what the groups stand for, drawn as for {first}"
    words = words[0].upper() + words[1:] if dataset in own else f"{LABELS[kind]}: {words}"
    if kind == "table1":
        count = int(table1[table1.dataset == dataset].replicates.max())
        return f"{words}. Data: {dataset}; {f'{count} replicates' if count > 1 else 'one run'}."
    where = f"{words}. Data: {dataset}; init {config['shown']['init']}"
    return f"{where}." if kind in ("convergence", "sweep") else f"{where}; first replicate."


def conclusion(name: str, config: dict, tables: Tables, own: Collection[str] = ()) -> str:
    """What a figure of one data set shows, from the results; empty for the silhouettes."""
    kind, _, dataset = name.partition("-")
    made = {
        "fig4": active, "fig5": contrast, "table1": accuracy, "convergence": epochs,
        "sweep": penalties, "members": active,
    }  # fmt: skip
    here = {name: of(table, dataset) for name, table in tables.items()}
    return made[kind](dataset, config, here, dataset in own) if kind in made else ""


def of(table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Rows of a data set; a table without any has no columns either."""
    return table[table.dataset == dataset] if "dataset" in table else table


def compared(config: dict) -> list[tuple[str, str]]:
    """(method, features) of the networks that the figures show, and of raw data."""
    return [(config["shown"][role], "codes") for role in ("method", "baseline")] + [("raw", "raw")]


def codes(config: dict, tables: Tables, metric: str) -> pd.Series:
    """A metric of codes of samples that are not centred, (method, features), mean over seeds."""
    table = tables["clustering"]
    here = table[
        (table.metric == metric) & (table.algorithm == "none") & ~table.centered
        & table.init.isin([config["shown"]["init"], "none"])
    ]  # fmt: skip
    return here.groupby(["method", "features"]).value.mean()


def groups_of(config: dict, dataset: str, clustering: pd.DataFrame) -> int:
    """Groups of the networks on a data set: as set, or as the codes have."""
    groups = of_data(config, dataset)["groups"]
    if groups != AUTO:
        return groups
    here = clustering[(clustering.dataset == dataset) & (clustering.metric == "groups")]
    return int(here.value.iloc[0])


def active(dataset: str, config: dict, tables: Tables, own: bool) -> str:
    groups = codes(config, tables, "active_groups").get((config["shown"]["method"], "codes"))
    if groups is None:
        return ""
    count = groups_of(config, dataset, tables["clustering"])
    return f"On average {groups:.2g} of {count} groups are active in a test {sample(own)}."


def contrast(dataset: str, config: dict, tables: Tables, own: bool) -> str:
    ratios = codes(config, tables, "class_contrast")
    parts = [
        f"{named(method, own)} {ratios[method, features]:.3g}"
        for method, features in compared(config)
        if (method, features) in ratios.index
    ]
    return f"Mean distance between classes over that within: {', '.join(parts)}." if parts else ""


def accuracy(dataset: str, config: dict, tables: Tables, own: bool) -> str:
    table = tables["table1"]
    here = table[
        (table.algorithm == "kmeans") & ~table.centered
        & table.init.isin([config["shown"]["init"], "none"])
    ]  # fmt: skip
    scores = here.set_index(["method", "features"]).acc_mean
    parts = [
        f"{named(method, own)} {percent(scores[method, features])} %"
        for method, features in compared(config)
        if (method, features) in scores.index
    ]
    return f"Accuracy of k-means from init {config['shown']['init']}: {', '.join(parts)}."


def epochs(dataset: str, config: dict, tables: Tables, own: bool) -> str:
    table = tables["clustering_convergence"]
    means = table[table.metric == "acc_kmeans"].groupby(["method", "epoch"]).value.mean()
    parts = []
    for method, part in means.groupby(level="method", sort=False):
        of_table = settings_of({"clustering": config}, dataset, method)["training"]["epochs"]
        curve = part.droplevel("method")
        scored = curve[curve.index <= of_table].index.max()
        ends = dict.fromkeys([scored, curve.index.max()])
        words = ", ".join(f"{percent(curve[epoch])} % after {epoch}" for epoch in ends)
        parts.append(f"{method_name(method)} {words}")
    return f"Accuracy of k-means against epochs: {'; '.join(parts)}."


def penalties(dataset: str, config: dict, tables: Tables, own: bool) -> str:
    wide = tables["clustering_sweep"].pivot_table(
        index=["normalize", "lambda"], columns="metric", values="value"
    )
    parts = []
    for unit, part in wide.groupby(level="normalize", sort=False):
        low, high = part.iloc[0], part.iloc[-1]
        parts.append(
            f"{'unit' if unit else 'free'} atoms: {percent(low.acc_argmax)} % with "
            f"{low.active_groups:.2g} active groups at the least penalty, "
            f"{percent(high.acc_argmax)} % with {high.active_groups:.2g} at the largest"
        )
    return f"Accuracy of the active group, {'; '.join(parts)}."
