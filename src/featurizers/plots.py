"""Figure of the featurizers: what is found of a concept, by how often it occurs."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter

from featurizers.conditions import methods
from featurizers.names import described

BINS = 6  # of equally many concepts
METRICS = {"captured_set": "share of the concept", "f1_set": "F1 of detection"}


def by_rate(concepts: pd.DataFrame, section: dict) -> Figure:
    """A row per score, a column per dimension; lines are means over concepts of alike rate."""
    sizes = sorted(concepts["size"].unique())
    figure = Figure(figsize=(2.6 * len(sizes) + 1.8, 4.6), layout="constrained")
    panels = figure.subplots(len(METRICS), len(sizes), squeeze=False, sharex=True, sharey=True)
    shown = [m for m in methods(section) if m in set(concepts.method)]
    for row, (metric, label) in enumerate(METRICS.items()):
        panels[row, 0].set_ylabel(label)
        for column, size in enumerate(sizes):
            ax = panels[row, column]
            here = concepts[(concepts.metric == metric) & (concepts["size"] == size)]
            edges = here.rate.quantile(np.linspace(0, 1, BINS + 1)).unique()
            for number, method in enumerate(shown):
                part = here[here.method == method]
                bins = part.groupby(np.digitize(part.rate, edges[1:-1]))[["rate", "value"]].mean()
                ax.plot(
                    bins.rate, bins.value, color=f"C{number}", marker="osD^vP*Xdh"[number % 10],
                    markersize=4, label=described(method, section),
                )  # fmt: skip
            ax.set(xscale="log", ylim=(-0.03, 1.03))
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
            ax.xaxis.set_minor_formatter(NullFormatter())
            if not row:
                ax.set_title(f"{size} dimension{'s' if size > 1 else ''}")
    figure.supxlabel("share of samples that have the concept")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    return figure
