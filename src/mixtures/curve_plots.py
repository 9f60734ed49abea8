"""Figures of the studies: scores against the share of missing pixels or the number of clusters."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evidence.style import draw_range, legend_right
from mixtures.conditions import FILLINGS
from mixtures.names import FILLED

MARKS = ("o-", "s--", "^:")


def missing(table: pd.DataFrame) -> Figure:
    """ACC and in-painting error against the share of missing pixels, a line for each filling.

    Means over seeds, with the range of the seeds as a band. All begin where nothing is missing.
    """
    figure = Figure(figsize=(11.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True)
    colors = sns.color_palette("colorblind", len(FILLINGS))
    for filling, color, mark in zip(FILLINGS, colors, MARKS, strict=True):
        here = table[(table.filling == filling) | (table.share == 0)]
        for ax, metric in ((left, "acc"), (right, "inpainting")):
            values = here[here.metric == metric].dropna(subset="value")
            draw_range(ax, values.groupby("share").value, mark, color, FILLED[filling])
    label = "share of the pixels that an image misses"
    left.set(title="(a) clusters", xlabel=label, ylabel="ACC")
    right.set(title="(b) missing pixels", xlabel=label, ylabel="error / root mean square")
    legend_right(right)
    return figure


def counts(table: pd.DataFrame) -> Figure:
    """Free energy, agreement of two halves and ARI against the number of clusters.

    Means over seeds, with the range of the seeds as a band; a dashed line at the classes.
    """
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    panels = {
        "free_energy": ("(a) held-out images", "free energy per image (nats)"),
        "agreement": ("(b) two halves", "ARI of their clusters"),
        "ari": ("(c) with labels, only to judge", "ARI with the classes"),
    }
    classes = table[table.metric == "classes"].value.iloc[0]
    color = sns.color_palette("colorblind")[0]
    for ax, (metric, (title, label)) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        draw_range(ax, table[table.metric == metric].groupby("clusters").value, "o-", color, metric)
        ax.axvline(classes, color="0.3", ls="--", lw=1)
        ax.set(title=title, xlabel="number of clusters", ylabel=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure
