"""What the discovery shows, as sentences with computed numbers."""

import pandas as pd

from discovery.conditions import ALTERNATE, DISCOVER, STARTS, WHOLE
from discovery.names import start_name
from discovery.scores import study, successes


def findings(runs: pd.DataFrame, section: dict) -> list[str]:
    """At the larger size; then the starts of the small problem."""
    lines, whole, starts = [], study(runs, WHOLE), study(runs, STARTS)
    if len(whole):
        groups = section["whole"]["model"]["groups"]
        parts = [
            f"{snr:g} dB {groups * here.found.mean():.1f} of {groups} groups, "
            f"{here.ratio.mean():.3f} times the oracle's error, {here.seconds.mean():.0f} s"
            for snr, here in whole.groupby("setting")
        ]
        lines.append(
            f"From no start at all ({whole.replicate.nunique()} seeds): {'; '.join(parts)}."
        )
    if len(starts):
        good = successes(starts, section["factor"])
        words = []
        for method, label in ((DISCOVER, "discovery"), (ALTERNATE, "alternation alone")):
            here = good[starts.method == method].groupby(starts.start, sort=False)
            counts = ", ".join(f"{start_name(s)} {int(g.sum())}" for s, g in here)
            words += [f"{label}: {counts}"] if counts else []
        lines.append(
            f"Starts of a small problem, successes of {section['starts']['replicates']} seeds: "
            f"{'; '.join(words)}."
        )
    return lines
