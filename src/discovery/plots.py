"""Figure of the discovery: how often it succeeds as a problem gets harder."""

import math

import pandas as pd
from matplotlib.figure import Figure

from discovery.names import AXES
from discovery.scores import share, study, successes


def success(runs: pd.DataFrame, axes: dict, factor: float) -> Figure:
    """A panel per axis: share of seeds at the oracle's error, with Wilson's 95 % interval."""
    across = min(2, len(axes))
    down = math.ceil(len(axes) / across)
    figure = Figure(figsize=(3.2 * across, 2.5 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharey=True).flatten()
    for ax, axis in zip(panels, axes, strict=False):
        groups = study(runs, axis).groupby("setting")
        shares = {x: share(successes(here, factor)) for x, here in groups}
        middle, low, high = (list(part) for part in zip(*shares.values(), strict=True))
        ax.fill_between(list(shares), low, high, alpha=0.25, linewidth=0)
        ax.plot(list(shares), middle, "o-", markersize=4)
        ax.set(xlabel=AXES[axis], ylim=(-0.03, 1.03))
        if axis == "samples":
            ax.set_xscale("log")
        ax.set_xticks(list(shares), [f"{x:g}" for x in shares])
        ax.minorticks_off()
    for ax in panels[len(axes) :]:
        ax.remove()
    for row in range(down):
        panels[row * across].set_ylabel("share of seeds")
    return figure
