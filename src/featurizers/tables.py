"""Tables of the featurizers for the report, and what they are computed from."""

import pandas as pd

from evidence.section import number, replicates, spread, table
from featurizers.conditions import CONTROLS, methods
from featurizers.names import described


def wide(scores: pd.DataFrame) -> pd.DataFrame:
    """A row per method and seed, a column per metric."""
    return scores.pivot_table(index=["method", "replicate"], columns="metric", values="value")


def of_size(concepts: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Means of a metric over the concepts of a size: a row per method and seed."""
    here = concepts[concepts.metric == metric]
    return here.pivot_table(index=["method", "replicate"], columns="size", values="value")


def comparison(scores: pd.DataFrame, section: dict) -> dict:
    """How many concepts every method finds and detects, and how well it reconstructs."""
    runs, rows = wide(scores), []
    present = [m for m in methods(section) if m in runs.index.get_level_values("method")]
    for method in present:
        here, trained = runs.loc[method], method not in CONTROLS
        rows.append([
            described(method, section),
            *(_share(here[name]) for name in ("captured", "captured_set", "f1", "f1_set")),
            number(here.explained.mean()), number(here.active_atoms.mean(), 1),
            number(here.dead.mean(), 1), number(here.seconds.mean(), 0) if trained else "–",
        ])  # fmt: skip
    head = [
        ["method", {"text": "share of a concept spanned", "span": 2},
         {"text": "F1 of detection", "span": 2}, "explained variance", "active atoms",
         "dead groups", "seconds"],
        ["", "one feature", "best set", "one feature", "best set", "", "", "", ""],
    ]  # fmt: skip
    truth, count = section["truth"], scores.replicate.nunique()
    dimensions = ", ".join(map(str, truth["sizes"]))
    caption = (
        f"Featurizers: {truth['concepts']} concepts of {dimensions} dimensions, {truth['active']} "
        f"in a sample, in n = {truth['n']}; {section['samples']:,} samples, "
        f"{section['atoms']} atoms, {section['active_atoms']} of them active; "
        f"{replicates(count)}. A set has {max(truth['sizes'])} atoms and is chosen by the truth. "
        "The true codes explain "
        f"{runs.explained_by_truth.mean():.3f}. Seconds are those of a job beside others."
    )
    return table(head, rows, caption=caption, name="featurizers")


def sizes(concepts: pd.DataFrame, section: dict) -> dict:
    """The same by the dimension of the concept."""
    captured, f1 = of_size(concepts, "captured_set"), of_size(concepts, "f1_set")
    rows = [
        [described(m, section), *(_share(part.loc[m][d]) for part in (captured, f1) for d in part)]
        for m in methods(section)
        if m in captured.index.get_level_values("method")
    ]
    count = captured.shape[1]
    head = [
        ["method", {"text": "share of a concept spanned", "span": count},
         {"text": "F1 of detection", "span": count}],
        ["", *(f"d = {d}" for part in (captured, f1) for d in part)],
    ]  # fmt: skip
    caption = "By the dimension d of the concept; the best set of features, chosen by the truth."
    return table(head, rows, caption=caption, name="featurizers_sizes")


def _share(values: pd.Series) -> str:
    return spread(values.mean(), values.std())
