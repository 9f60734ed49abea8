"""What the featurizers show, as sentences with computed numbers."""

import pandas as pd

from featurizers.conditions import TRUTH, compared
from featurizers.names import described
from featurizers.tables import wide


def findings(scores: pd.DataFrame, section: dict) -> list[str]:
    """The methods that the config compares, and the true dictionary, whose atoms are fewer."""
    runs = wide(scores).groupby("method").mean()
    if TRUTH not in runs.index:
        return []
    found = {
        name: f"{described(name, section)} {here.found:.0%} found, F1 {here.f1_set:.2f}, "
        f"explained variance {here.explained:.2f}"
        for name, here in runs.iterrows()
    }
    names = [name for name in compared(section["shown"]).values() if name in found]
    seeds = scores.replicate.nunique()
    return [
        f"Of {section['truth']['concepts']} known features of {_listed(section)} dimensions, with "
        f"{section['active_atoms']} active atoms ({seeds} seed{'s' if seeds > 1 else ''}): "
        f"{'; '.join(found[name] for name in names)}. With {runs.active_atoms[TRUTH]:.3g} active "
        f"atoms: {found[TRUTH]}."
    ]


def _listed(section: dict) -> str:
    *first, last = map(str, section["truth"]["sizes"])
    return f"{', '.join(first)} or {last}" if first else last
