"""Tables of the readings for the report: their settings, numbers and distance from the paper."""

import math

import pandas as pd

from evidence.fig3 import SPARSE, points
from evidence.paper import paper_table
from evidence.section import number, table
from readings.conditions import AS_READ, comparable, readings
from readings.distance import from_curve, from_table

CURVES = {"group": "group", "sparse": SPARSE}  # network -> curve of Fig. 3
ROWS = {"group": "group_sparse", "sparse": "sparse"}  # network -> method of Table 1
EPOCHS = (60, 100, 140, 200, 300)  # shown beside the paper's


def paper_curve(network: str) -> pd.Series:
    """The paper's errors at 1 dB by epoch (Fig. 3c)."""
    return points("3c", CURVES[network]).droplevel("snr").rename(int)


def paper_recall(network: str) -> float:
    """The paper's share of recovered entries at 1 dB (Fig. 3d)."""
    return float(points("3d", CURVES[network])[1.0])


def paper_scores(network: str, dataset: str) -> pd.Series:
    """The paper's accuracies by (features, algorithm) (Table 1); none for other images."""
    scores = paper_table("table1")
    here = scores[(scores.method == ROWS[network]) & (scores.dataset == dataset)]
    return here.set_index(["features", "algorithm"]).accuracy


def changed(settings: dict, as_read: dict) -> str:
    """What a reading changes, in words."""
    words = (f"{key} {value}" for key, value in settings.items() if value != as_read[key])
    return ", ".join(words) or "as read"


def curves(scores: pd.DataFrame, part: dict) -> dict:
    """Errors of every reading at some epochs, its lowest, its factors from the paper's, recalls."""
    head = ["network", "reading", *(f"epoch {e}" for e in EPOCHS), "lowest (epoch)",
            "largest factor", "typical factor", "recall", "positive recall"]  # fmt: skip
    rows, known = [], readings(part)
    for network in part["networks"]:
        papers = paper_curve(network)
        shown = [number(papers.get(epoch, float("nan")), 1) for epoch in EPOCHS]
        lowest = f"{papers.min():.1f} ({papers.idxmin()})"
        recall = number(paper_recall(network))
        if comparable(part):
            rows.append([network, "the paper", *shown, lowest, "1", "1", recall, ""])
        for (of, reading), settings in known.items():
            here = scores[(scores.network == of) & (scores.reading == reading)]
            if of != network or here.empty:
                continue
            errors = here[here.metric == "squared_error"].set_index("epoch").value
            recalls = here[here.metric != "squared_error"].set_index("metric").value
            away = from_curve(errors, papers) if comparable(part) else (math.nan, math.nan)
            rows.append(
                [
                    network, changed(settings, known[of, AS_READ]),
                    *(number(errors.get(epoch, float("nan")), 1) for epoch in EPOCHS),
                    f"{errors.min():.1f} ({errors.idxmin()})",
                    *(number(factor, 2) for factor in away),
                    number(recalls["entry_recall"]), number(recalls["positive_recall"]),
                ]
            )  # fmt: skip
    snr, epochs = part["snr_db"], part["training"]["epochs"]
    caption = f"Fig. 3 under every reading, {snr:g} dB, {epochs} epochs, one run each"
    return table([head], rows, caption=caption)


def accuracies(scores: pd.DataFrame, part: dict) -> dict:
    """Accuracies of every reading beside the paper's, its active groups and its distance."""
    columns = ["codes", "codes+", "norms"]
    head = ["network", "reading", *(f"{c}, k-means / spectral" for c in columns), "active group",
            "active groups", "active entries", "distance (points)"]  # fmt: skip
    rows, known = [], readings(part)
    for network in part["networks"]:
        papers = paper_scores(network, part["dataset"])
        if len(papers):
            printed = [pair(papers, c) for c in columns]
            rows.append([network, "the paper", *printed, "", "", "", "0"])
        for (of, reading), settings in known.items():
            here = scores[(scores.network == of) & (scores.reading == reading)]
            if of != network or here.empty:
                continue
            found = here[here.metric == "acc"].set_index(["features", "algorithm"]).value
            codes = here[here.algorithm == "none"].set_index("metric").value
            active = found.get(("group", "argmax"), float("nan"))
            rows.append(
                [
                    network, changed(settings, known[of, AS_READ]),
                    *(pair(found, c) for c in columns), number(100 * active, 1),
                    number(codes["active_groups"], 2), f"{100 * codes['active_entries']:.0f} %",
                    number(100 * from_table(found, papers), 1) if len(papers) else "–",
                ]
            )  # fmt: skip
    epochs = part["training"]["epochs"]
    caption = (
        f"Table 1 under every reading, ACC (%) on the test images of {part['dataset']}, {epochs} "
        "epochs, one run each; no label used for anything but these scores"
    )
    return table([head], rows, caption=caption)


def pair(scores: pd.Series, features: str) -> str:
    """Accuracies of k-means and spectral clustering in per cent; empty where there are none."""
    if (features, "kmeans") not in scores.index:
        return ""
    return " / ".join(f"{100 * scores[features, a]:.1f}" for a in ("kmeans", "spectral"))
