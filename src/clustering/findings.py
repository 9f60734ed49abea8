"""What clustering of codes reaches in a sentence per data set, for the top of the page."""

import pandas as pd

from clustering.tables import papers
from evidence.names import method_name
from evidence.section import percent

COMPARED = ("method", "baseline")


def findings(table1: pd.DataFrame, config: dict) -> list[str]:
    """Accuracy of k-means on codes and pixels from the init that the figures show, without labels.

    ``table1`` is Table 1 of the run; its rows that use labels, or centre images, are left out.
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
            f"{percent(scores[*key, 'kmeans'])} % on {called(*key)}"
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


def called(method: str, features: str) -> str:
    return method_name(method) + ("" if method == features else f" {features}")
