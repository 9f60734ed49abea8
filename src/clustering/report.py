"""Deliver Experiment 2 to the report: its claims and its section of the page."""

import pandas as pd

from clustering import claims
from clustering.advice import clustering_advice
from clustering.captions import caption, conclusion, groups_of
from clustering.findings import findings, unlabelled
from clustering.tables import (
    accuracies,
    against_epochs,
    averaged,
    every_score,
    over_lambda,
    summary,
    unscored,
)
from clustering.words import named, question, sample
from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, text

INTRODUCTION = "Networks are trained on {s}s, and the codes of the test {s}s are clustered{place}."
OWN = "members-"  # figures of the user's own data sets: claims are not about these
KEY = "table1-"  # the first is on top of the page if no earlier experiment has a key figure
TABLE1 = (
    "{table}: no label was used for training, tuning or choosing in these rows. The number of "
    "classes is told. “Active group” is the group of largest norm itself: no clustering follows. "
    "{raw} need no init, and k-means "
    "and nearest neighbours do not depend on centring. Scores are {averaged}. “Group norms” are "
    "one number per group."
)
PENALTIES = (
    " Methods called “as penalty” read the paper’s 0.2 and 0.03 as penalties, with free atoms; "
    "the others read them as thresholds, step times penalty, with unit atoms."
)
SUPERVISED = (
    "Reference rows that use labels are not comparable with those above: init <code>class</code> "
    "draws the atoms of a group from one true class; <code>oracle</code> is the labels themselves."
)
METHODS = (
    "Methods: k-means with as many centroids as classes{plain}, and spectral clustering on a "
    "nearest-neighbour graph, of the test codes; ACC under the best matching of clusters to "
    "classes. “codes+” are absolute values scaled to sum to 1. Replicates differ in init, order of "
    "samples and clustering seed; methods share init and order."
)
LEFT_OUT = (
    "Longer trainings and the sweep over penalties are scored with labels. They leave out {names}, "
    "where there are none."
)


def main() -> None:
    args = options(__doc__)
    config, scores = args.config, args.tables["clustering"]
    table1 = args.tables.get("table1")  # where any data set has labels
    datasets = list(scores.dataset.unique())
    groups = {name: groups_of(config, name, scores) for name in datasets}
    own = [name.removeprefix(OWN) for name in args.figures if name.startswith(OWN)]
    plain = [name for name in own if table1 is None or name not in set(table1.dataset)]
    alone, words = set(own) == set(datasets), {"s": sample(bool(own))}
    found = [] if table1 is None else findings(table1, config, own)
    deliver(
        args,
        claims=collect(claims, args.tables, config["shown"] | {"own": own, "groups": groups}),
        title="Clustering" if alone else "Experiment 2: clustering",
        question=question(datasets, plain, sample(bool(own))),
        findings=found + unlabelled(scores, config, plain),
        warnings=clustering_advice(scores, groups),
        blocks=[
            text(INTRODUCTION, **words, place="" if alone else " (Sec. 4.2)"),
            *([] if table1 is None else [summary(table1, config, own)]),
            *(
                figure(
                    name,
                    caption(name, config, table1, own),
                    conclusion=conclusion(name, config, args.tables, own),
                    key=table1 is None or name.startswith(KEY),
                )
                for name in args.figures
            ),
            *against_epochs(args.tables.get("clustering_convergence")),
            *over_lambda(args.tables.get("clustering_sweep")),
            *left_out(config, plain),
            *([] if table1 is None else scored(table1, config, own, alone)),
            *unscored(scores, own),
            text(METHODS, plain=" (without labels, as groups)" if plain else ""),
        ],
    )


def left_out(config: dict, plain: list[str]) -> list[dict]:
    """Data sets on which nothing is trained that the config asks for: it needs labels."""
    convergence, sweep = config["convergence"], config["sweep"]
    asked = [convergence] if convergence["methods"] else []
    asked += [sweep] if sweep["lambda"] and sweep["normalize"] else []
    missing = [name for name in plain if any("datasets" not in part for part in asked)]
    return [text(LEFT_OUT, names=", ".join(missing))] if missing else []


def scored(table1: pd.DataFrame, config: dict, own: list[str], alone: bool) -> list[dict]:
    """Table 1, what uses labels apart."""
    readings = any("as penalty" in named(method, True) for method in config["methods"])
    # Alone, the oracle says nothing: it is right.
    supervised = table1[table1.uses_labels]
    trained = set(supervised[supervised.init != "none"].dataset)
    supervised = supervised[supervised.dataset.isin(trained)]
    words = {"table": "Scores" if alone else "Table 1", "raw": named("raw", bool(own)).capitalize()}
    return [
        text(TABLE1 + (PENALTIES if readings else ""), **words, averaged=averaged(table1, config)),
        *accuracies(table1[~table1.uses_labels], own=own),
        *([text(SUPERVISED)] if len(supervised) else []),
        *accuracies(supervised, ", using labels", own),
        every_score(table1, own),
    ]


if __name__ == "__main__":
    main()
