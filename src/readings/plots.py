"""Figure of the readings: their error curves beside the paper's."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from evidence.style import legend_right


def curves(scores: pd.DataFrame, papers: dict[str, pd.Series]) -> Figure:
    """Error per epoch of every reading, a panel per network; the paper's points in black."""
    figure = Figure(figsize=(6, 3.2 * len(papers)), layout="constrained")
    errors = scores[scores.metric == "squared_error"]
    for ax, (network, points) in zip(
        figure.subplots(len(papers), squeeze=False)[:, 0], papers.items(), strict=True
    ):
        here = errors[errors.network == network]
        sns.lineplot(here, x="epoch", y="value", hue="reading", ax=ax)
        ax.plot(points.index, points, "ko", markersize=3.5, label="the paper")
        ax.set(title=network, ylabel=r"$\|A - A^*\|_F^2$", yscale="log")
        legend_right(ax, title="reading")
    return figure
