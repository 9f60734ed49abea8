"""What the featurizers show, as sentences with computed numbers."""

import pandas as pd

from featurizers.conditions import TRUTH
from featurizers.names import described
from featurizers.tables import wide


def findings(scores: pd.DataFrame, section: dict) -> list[str]:
    """The methods that the config compares, beside the true dictionary."""
    runs, shown = wide(scores).groupby("method").mean(), section["shown"]
    names = [name for name in (*shown.values(), TRUTH) if name in runs.index]
    if TRUTH not in names:
        return []
    parts = [
        f"{described(name, section)} {runs.found[name]:.0%} found, F1 {runs.f1_set[name]:.2f}, "
        f"explained variance {runs.explained[name]:.2f}"
        for name in names
    ]
    seeds = scores.replicate.nunique()
    return [
        f"Of {section['truth']['concepts']} known features of {_listed(section)} dimensions, with "
        f"{section['active_atoms']} active atoms ({seeds} seed{'s' if seeds > 1 else ''}): "
        f"{'; '.join(parts)}."
    ]


def _listed(section: dict) -> str:
    *first, last = map(str, section["truth"]["sizes"])
    return f"{', '.join(first)} or {last}" if first else last
