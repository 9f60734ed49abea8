"""Figure of the limits: error against seconds."""

import pandas as pd
from matplotlib.figure import Figure

from evidence.style import legend_right
from limits.conditions import FIXED, ORACLE
from limits.names import described, noise
from limits.scores import NO_NOISE, curve, last


def race(scores: pd.DataFrame, section: dict) -> Figure:
    """Subspace error of the raced methods per second, a panel per noise level, all replicates."""
    raced = section["race"]["methods"]
    here = scores[(scores.sampling == FIXED) & scores.method.isin(raced)]
    levels = sorted(level for level in here.snr.unique() if level != NO_NOISE) or [NO_NOISE]
    figure = Figure(figsize=(3.2 * len(levels) + 2, 3), layout="constrained")
    axes = figure.subplots(1, len(levels), sharey=True, squeeze=False)[0]
    for ax, snr in zip(axes, levels, strict=True):
        for number, method in enumerate(raced):
            errors = curve(here, FIXED, method, "invariant")
            seconds = curve(here, FIXED, method, "seconds")
            if snr not in errors.index.get_level_values("snr"):
                continue
            for replicate, values in errors.loc[snr].groupby(level="replicate"):
                label = described(method, section["methods"][method]) if not replicate else None
                # A logarithm has no place for the start.
                x = seconds.loc[snr, replicate].clip(lower=seconds[seconds > 0].min() / 3)
                ax.plot(x, values, ".-", color=f"C{number}", markersize=4, lw=0.8, label=label)
        oracle = last(curve(scores, FIXED, ORACLE, "invariant")).loc[snr].mean()
        ax.axhline(oracle, color="black", linestyle="--", lw=0.8, label="oracle")
        ax.set(title=noise(snr), xscale="log", yscale="log", xlabel="seconds")
    axes[0].set_ylabel("subspace error")
    legend_right(axes[-1])
    return figure
