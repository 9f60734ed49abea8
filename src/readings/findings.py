"""How near the reading that the evidence supports comes to the paper, for the top of the page."""

import pandas as pd

from readings.conditions import AS_READ, comparable, readings
from readings.distance import from_curve, from_table
from readings.tables import paper_curve, paper_scores


def curve_distances(scores: pd.DataFrame, part: dict) -> dict[str, dict[str, float]]:
    """Network -> reading -> largest factor from the paper's curve, if that is of the same size."""
    if not comparable(part):
        return {}
    errors = scores[scores.metric == "squared_error"]
    found: dict[str, dict[str, float]] = {name: {} for name in part["networks"]}
    for network, reading in readings(part):
        here = errors[(errors.network == network) & (errors.reading == reading)]
        curve = here.set_index("epoch").value
        found[network][reading] = from_curve(curve, paper_curve(network)).largest
    return found


def score_distances(scores: pd.DataFrame, part: dict) -> dict[str, dict[str, float]]:
    """Network -> reading -> mean difference from Table 1 in points; empty for other images."""
    accuracies = scores[scores.metric == "acc"]
    found: dict[str, dict[str, float]] = {}
    for network, reading in readings(part):
        papers = paper_scores(network, part["dataset"])
        here = accuracies[(accuracies.network == network) & (accuracies.reading == reading)]
        if len(papers):
            ours = here.set_index(["features", "algorithm"]).value
            found.setdefault(network, {})[reading] = 100 * from_table(ours, papers)
    return found


def findings(tables: dict[str, pd.DataFrame], config: dict) -> list[str]:
    """A sentence for the curves and one for Table 1: as read, and the nearest other reading."""
    curves = curve_distances(tables["readings_curves"], config["curves"])
    scores = score_distances(tables["readings_table1"], config["table1"])
    sentences = []
    if curves:
        parts = [f"{name} {beside(found, '.2f')}" for name, found in curves.items()]
        sentences.append(
            f"Readings (Fig. 3c, {config['curves']['snr_db']:g} dB, one run): as read, the largest "
            f"factor between our curve and the paper's is {', '.join(parts)}."
        )
    if scores:
        parts = [f"{name} {beside(found, '.1f')}" for name, found in scores.items()]
        sentences.append(
            f"Readings (Table 1, one run of {config['table1']['training']['epochs']} epochs): as "
            f"read, mean points between our accuracies and the paper's: {', '.join(parts)}."
        )
    return sentences


def beside(distances: dict[str, float], digits: str) -> str:
    """The distance of the reading, and in brackets that of the nearest other one."""
    others = {name: d for name, d in distances.items() if name != AS_READ}
    text = f"{distances[AS_READ]:{digits}}"
    if not others:
        return text
    nearest = min(others, key=others.get)
    return f"{text} (nearest other, {nearest}: {others[nearest]:{digits}})"
