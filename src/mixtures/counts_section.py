"""What the page shows of the number of clusters: a figure, a table and a finding each."""

import pandas as pd

from evidence.section import figure, percent, replicates, spread, table, text
from mixtures.counted import RULES, chosen, classes
from mixtures.scores import measured

NAME = "mixtures_counts"
HEAD = [
    "clusters", "held-out free energy", "seeds with the least", "agreement of halves",
    "seeds with the most", "ARI (uses labels)", "ACC (uses labels)",
]  # fmt: skip
WORDS = (
    "The number of clusters: training images are split into two halves at random. Subspaces of "
    "features, from sparse subspace clustering of a half, are learnt from each with every number "
    "of clusters. Held-out images judge in two ways, without labels: by the adjusted Rand index "
    "(ARI) between the clusters that the two halves give them, and by their free energy in nats, "
    "which is minus the log-likelihood of a mixture of normal densities, one for each subspace, as "
    "a mean over both halves. Labels only tell afterwards how near the clusters are to the classes."
)
CAPTION = (
    "Fig. I (not in the paper): free energy of a held-out image (a), agreement of two halves (b), "
    "and with the classes (c), which uses labels only to judge, against the number of "
    "clusters; means over seeds, and their range. The dashed line is the number of classes. "
    "Data: {dataset}."
)


def blocks(tables: dict[str, pd.DataFrame], figures: list[str], section: dict) -> list[dict]:
    """Blocks of the page; none without the study's table."""
    if NAME not in tables:
        return []
    made = []
    for dataset in section["counts"]["datasets"]:
        here = f"{NAME}-{dataset}"
        made += [figure(here, CAPTION.format(dataset=dataset))] if here in figures else []
        made.append(_table(tables[NAME], dataset))
    return [*made, text(WORDS)]


def findings(tables: dict[str, pd.DataFrame], section: dict) -> list[str]:
    """The numbers of clusters that the rules choose, beside the number of classes."""
    sentences = []
    for dataset in section["counts"]["datasets"] if NAME in tables else ():
        parts = [
            f"{', '.join(map(str, chosen(tables[NAME], dataset, rule)))} where {words}"
            for rule, (words, _) in RULES.items()
        ]
        sentences.append(
            f"Number of clusters found without labels, by seed ({dataset}, which has "
            f"{classes(tables[NAME], dataset)} classes): {'; '.join(parts)}."
        )
    return sentences


def _table(scores: pd.DataFrame, dataset: str) -> dict:
    here = scores[scores.dataset == dataset]
    picked = {rule: chosen(here, dataset, rule) for rule in RULES}
    rows = []
    for count in sorted(here.clusters.unique()):
        energy, agreement, ari, acc = (
            measured(here, metric, clusters=count)
            for metric in ("free_energy", "agreement", "ari", "acc")
        )
        rows.append([
            str(count),
            spread(energy.mean(), energy.std(), 2), str((picked["free_energy"] == count).sum()),
            spread(agreement.mean(), agreement.std()), str((picked["agreement"] == count).sum()),
            percent(ari.mean(), ari.std()), percent(acc.mean(), acc.std()),
        ])  # fmt: skip
    caption = (
        f"How many clusters has {dataset}? Free energy in nats per image and agreement as an ARI "
        f"({replicates(here.replicate.nunique())}); scores with labels in %, only to judge. "
        f"It has {classes(here, dataset)} classes."
    )
    return table([HEAD], rows, caption=caption, name=f"{NAME}_{dataset}")
