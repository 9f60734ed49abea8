"""Figure of the study: a heat map of ratios to the oracle's error."""

import pandas as pd
import seaborn as sns
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from models.names import described, model_name
from models.reasons import over_oracle

LARGEST = 100.0  # where the colours end


def ratios(scores: pd.DataFrame, section: dict) -> Figure:
    """Mean ratio of every method (columns) in every model (rows), coloured in logarithms."""
    means = pd.DataFrame(
        {
            described(method, entry): {
                model_name(model): over_oracle(scores, model, method).mean()
                for model in section["run"]
            }
            for method, entry in section["methods"].items()
        }
    )
    figure = Figure(
        figsize=(2.6 + 0.85 * means.shape[1], 1.6 + 0.33 * len(means)), layout="constrained"
    )
    ax = figure.subplots()
    sns.heatmap(
        means, annot=means.map(lambda ratio: f"{ratio:.3g}"), fmt="", cmap="mako_r", ax=ax,
        norm=LogNorm(1.0, LARGEST), linewidths=0.3, annot_kws={"size": 7},
        cbar_kws={"label": "subspace error / oracle's", "extend": "max"},
    )  # fmt: skip
    ax.set(xlabel="", ylabel="")
    ax.set_xticklabels([name.replace(", ", ",\n") for name in means], rotation=30, ha="right")
    return figure
