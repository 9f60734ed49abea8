"""Deliver Experiment 2 to the report: its claims and its section of the page."""

import pandas as pd

from clustering import claims
from clustering.advice import clustering_advice
from clustering.captions import caption, conclusion, groups_of
from clustering.findings import findings
from clustering.tables import (
    accuracies,
    against_epochs,
    every_score,
    over_lambda,
    summary,
    unscored,
)
from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, text

INTRODUCTION = (
    "Networks are trained on images, and the codes of the test images are clustered (Sec. 4.2)."
)
QUESTION = "Do images cluster by class in their codes?"
OWN = "members-"  # figures of the user's own data sets: claims are not about these
KEY = "table1-"  # the first is on top of the page if no earlier experiment has a key figure
TABLE1 = (
    "Table 1: no label was used for training, tuning or choosing in these rows. “Active group” is "
    "the group of largest norm itself: no clustering follows. Raw pixels need no init, and k-means "
    "and nearest neighbours do not depend on centring. Scores are means over the last {snapshots} "
    "dictionaries of a training, {every} epochs apart. “Group norms” are one number per group. "
    "Methods called “as penalty” read the paper’s 0.2 and 0.03 as penalties, with free atoms; "
    "the others read them as thresholds, step times penalty, with unit atoms."
)
SUPERVISED = (
    "Reference rows that use labels are not comparable with those above: init <code>class</code> "
    "draws the atoms of a group from one true class; <code>oracle</code> is the labels themselves."
)
METHODS = (
    "Methods: k-means with as many centroids as classes, and spectral clustering on a "
    "nearest-neighbour graph, of the test codes; ACC under the best matching of clusters to "
    "classes. “codes+” are absolute values scaled to sum to 1. Replicates differ in init, order of "
    "samples and clustering seed; methods share init and order."
)


def main() -> None:
    args = options(__doc__)
    config, scores = args.config, args.tables["clustering"]
    table1 = args.tables.get("table1")  # where any data set has labels
    groups = {name: groups_of(config, name, scores) for name in scores.dataset.unique()}
    own = [name.removeprefix(OWN) for name in args.figures if name.startswith(OWN)]
    deliver(
        args,
        claims=collect(claims, args.tables, config["shown"] | {"own": own}),
        title="Experiment 2: clustering",
        question=QUESTION,
        findings=[] if table1 is None else findings(table1, config),
        warnings=clustering_advice(scores, groups),
        blocks=[
            text(INTRODUCTION),
            *([] if table1 is None else [summary(table1, config)]),
            *(
                figure(
                    name,
                    caption(name, config, table1),
                    conclusion=conclusion(name, config, args.tables),
                    key=name.startswith(KEY),
                )
                for name in args.figures
            ),
            *against_epochs(args.tables.get("clustering_convergence")),
            *over_lambda(args.tables.get("clustering_sweep")),
            *([] if table1 is None else scored(table1, config)),
            *unscored(scores, own),
            text(METHODS),
        ],
    )


def scored(table1: pd.DataFrame, config: dict) -> list[dict]:
    """Table 1, what uses labels apart."""
    return [
        text(TABLE1, **config["average"]),
        *accuracies(table1[~table1.uses_labels]),
        text(SUPERVISED),
        *accuracies(table1[table1.uses_labels], ", using labels"),
        every_score(table1),
    ]


if __name__ == "__main__":
    main()
