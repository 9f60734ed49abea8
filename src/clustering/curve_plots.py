"""Figures of Experiment 2 against epochs and lambda; every function returns a Figure."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from clustering.words import ALGORITHMS
from evidence.names import method_name
from evidence.style import draw_range, legend_right

MARKS = {"kmeans": "o-", "spectral": "s--", "argmax": "^:"}


def convergence(table: pd.DataFrame, epochs: int) -> Figure:
    """Training loss per epoch and ACC of snapshots of long runs; a line marks ``epochs``.

    Means over replicates, with the range of the replicates as a band.
    """
    figure = Figure(figsize=(11.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    methods, last = list(dict.fromkeys(table.method)), int(table.epoch.max())
    colors = dict(zip(methods, sns.color_palette("colorblind", len(methods)), strict=True))
    for method, color in colors.items():
        here = table[table.method == method]
        losses = here[here.metric == "loss"].groupby("epoch").value
        loss = draw_range(left, losses, "-", color, method_name(method))
        left.lines[-1].set_label(
            f"{method_name(method)}\n{loss[min(epochs, last)]:.4g} at {min(epochs, last)}, "
            f"{loss[last]:.4g} at {last}"
        )
        for algorithm, mark in MARKS.items():
            values = here[here.metric == f"acc_{algorithm}"]
            if len(values):
                name = f"{method_name(method)}, {ALGORITHMS[algorithm]}"
                draw_range(right, values.groupby("epoch").value, mark, color, name)
    for ax in (left, right):
        ax.axvline(epochs, color="0.3", ls="-.", lw=1)
        ax.set(xlabel="epoch", xlim=(-0.5, last + 0.5))
    left.legend()
    count = table.replicate.nunique()
    seeds = f"mean and range of {count} replicates" if count > 1 else "one replicate"
    left.set(title="(a) training loss", yscale="log", ylabel=r"$\frac{1}{2}\|y - \hat{y}\|^2$")
    right.set(title=f"(b) test set, {seeds}; line: {epochs} epochs", ylabel="ACC")
    legend_right(right)
    return figure


def sweep(table: pd.DataFrame) -> Figure:
    """ACC and active groups over a grid of lambda, with unit atoms and with free ones.

    (a) ACC of the active group against the number of active groups, a point a replicate, lambda
    beside its mean; (b) ACC of the active group and of k-means against lambda.
    """
    figure = Figure(figsize=(11.5, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    wide = table.pivot_table(
        index=["normalize", "lambda", "replicate"], columns="metric", values="value"
    )
    colors = dict(zip((True, False), sns.color_palette("colorblind", 2), strict=True))
    for unit in [u for u in colors if u in wide.index.get_level_values("normalize")]:
        here, color = wide.loc[unit], colors[unit]
        name = "unit atoms" if unit else "free atoms"
        means = here.groupby("lambda").mean()
        left.plot(here.active_groups, here.acc_argmax, "o", color=color, ms=3, alpha=0.6)
        left.plot(means.active_groups, means.acc_argmax, "-", color=color, lw=1, label=name)
        for value, row in means.iterrows():
            left.annotate(
                f"{value:g}", (row.active_groups, row.acc_argmax), color=color, fontsize=7,
                xytext=(3, 3), textcoords="offset points",
            )  # fmt: skip
        for algorithm in ("argmax", "kmeans"):
            right.plot(
                means.index, means[f"acc_{algorithm}"], MARKS[algorithm], color=color, ms=4,
                label=f"{name}, {ALGORITHMS[algorithm]}",
            )  # fmt: skip
    left.set(title="(a) numbers: lambda", xlabel="active groups per image", ylabel="ACC")
    left.legend()
    right.set(title="(b) against the penalty", xlabel="lambda", ylabel="ACC", xscale="symlog")
    legend_right(right)
    return figure
