"""What clustering of codes reaches in a sentence per data set, for the top of the page."""

from collections.abc import Collection

import pandas as pd

from clustering.tables import papers
from clustering.words import named
from evidence.section import percent

COMPARED = ("method", "baseline")


def findings(table1: pd.DataFrame, config: dict, own: Collection[str] = ()) -> list[str]:
    """Accuracy of k-means on codes and data from the init that the figures show, without labels.

    ``table1`` is Table 1 of the run; its rows that use labels, or centre samples, are left out.
    ``own`` are the user's data sets.
    """
    shown = config["shown"]
    here = table1[~table1.uses_labels & ~table1.centered]
    here = here[here.init.isin([shown["init"], "none"])]
    sentences = []
    for dataset, part in here.groupby("dataset", sort=False):
        scores = part.set_index(["method", "features", "algorithm"]).acc_mean
        printed = papers(dataset)
        asked = [(shown[role], "codes") for role in COMPARED] + [("raw", "raw")]
        parts = [
            f"{percent(scores[*key, 'kmeans'])} % on {called(*key, dataset in own)}"
            + (f" (paper {printed[key]['kmeans']} %)" if "kmeans" in printed.get(key, {}) else "")
            for key in asked
            if (*key, "kmeans") in scores.index
        ]
        active = shown["method"], "group", "argmax"
        if active in scores.index:
            parts.append(f"{percent(scores[active])} % by the active group alone")
        sentences.append(
            f"Clusters ({dataset}, init {shown['init']}, no label used): k-means is right for "
            f"{', '.join(parts)}."
        )
    return sentences


def unlabelled(scores: pd.DataFrame, config: dict, datasets: Collection[str]) -> list[str]:
    """What codes explain and whether seeds agree on clusters, from the init that the figures show.

    ``scores`` is the long-form table of the run, ``datasets`` those without labels.
    """
    shown = config["shown"]
    here = scores[(scores.init == shown["init"]) & ~scores.centered & (scores.features == "codes")]
    means = here.groupby(["dataset", "method", "algorithm", "metric"]).value.mean()
    sentences = []
    for dataset in datasets:
        of, other = (means[dataset, shown[role]] for role in COMPARED)
        codes = of["none"]
        ours, theirs = (called(shown[role], "codes", True) for role in COMPARED)
        words = (
            f"Groups ({dataset}, init {shown['init']}, no labels): {ours} explain "
            f"{percent(codes.explained)} % of the variance of held-out samples with "
            f"{codes.active_groups:.2g} of {codes.groups:.0f} groups active in a sample, {theirs} "
            f"{percent(other['none'].explained)} % with {percent(other['none'].active_entries)} % "
            "of their entries."
        )
        if codes.zero_codes > 0:
            words += f" {percent(codes.zero_codes)} % of the samples have no active group."
        if "unused_groups" in codes:
            words += f" On average {codes.unused_groups:.2g} groups are never active."
        if ("kmeans", "agreement") in of:
            agreement = of["kmeans", "agreement"]
            words += f" Seeds agree on the clusters of k-means to {agreement:.2f} (1: the same)."
        sentences.append(words)
    return sentences


def called(method: str, features: str, own: bool) -> str:
    return named(method, own) + ("" if method == features else f" {features}")
