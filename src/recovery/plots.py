"""Figures of Experiment 1 from long-form tables; every function returns a Figure."""

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from evidence.style import legend_right, method_name

SAMPLING = {"fixed": "fixed data set", "fresh": "fresh samples every epoch"}


def error_per_epoch(history: pd.DataFrame, method: str) -> Figure:
    """Fig. 3a: ||A - A*||_F^2 per epoch and SNR of one method, oracle dashed."""
    return _curves(history, method, "squared_error", r"$\|A - A^*\|_F^2$", oracle=True)


def loss_per_epoch(history: pd.DataFrame, method: str) -> Figure:
    """Fig. 3b: training loss per epoch and SNR of one method."""
    return _curves(history, method, "loss", r"loss $\frac{1}{2}\|y - \hat{y}\|^2$", oracle=False)


def _curves(history, method, metric, label, *, oracle) -> Figure:
    table = history[history.metric == metric]
    levels = sorted(table.snr.unique())
    colors = dict(zip(levels, sns.color_palette("viridis", len(levels)), strict=True))
    figure, axes = _panels(table.sampling.unique())
    for sampling, ax in axes.items():
        here = table[table.sampling == sampling]
        for name, style in ((method, "-"), *((("oracle", "--"),) if oracle else ())):
            sns.lineplot(
                here[here.method == name], x="epoch", y="value", hue="snr", palette=colors,
                errorbar=("pi", 100), linestyle=style, ax=ax, legend=False,
            )  # fmt: skip
        ax.set(title=SAMPLING[sampling], xlabel="epoch", ylabel=label, yscale="log")
    handles = [mpl.lines.Line2D([], [], color=c, label=f"{s:g} dB") for s, c in colors.items()]
    if oracle:
        handles.append(mpl.lines.Line2D([], [], color="gray", ls="--", label=method_name("oracle")))
    legend_right(list(axes.values())[-1], handles=handles, title=method_name(method))
    return figure


def methods_compared(history: pd.DataFrame, snr: float) -> Figure:
    """Fig. 3c: error per epoch of all methods and controls at one SNR."""
    return _compared(history.assign(method=history.method.map(method_name)), "method", snr)


def inits_compared(history: pd.DataFrame, method: str, snr: float) -> Figure:
    """Error per epoch of one method from every initialisation at one SNR."""
    title = f"{method_name(method)}, init"
    return _compared(history[history.method == method], "init", snr, title=title)


def _compared(history, column, snr, **legend) -> Figure:
    table = history[(history.metric == "squared_error") & (history.snr == snr)]
    order = list(dict.fromkeys(table[column]))
    figure, axes = _panels(table.sampling.unique())
    for sampling, ax in axes.items():
        last = ax is list(axes.values())[-1]
        sns.lineplot(
            table[table.sampling == sampling], x="epoch", y="value", hue=column, style=column,
            errorbar=("pi", 100), ax=ax, hue_order=order, style_order=order, legend=last,
        )  # fmt: skip
        title = f"{SAMPLING[sampling]}, {snr:g} dB"
        ax.set(title=title, xlabel="epoch", ylabel=r"$\|A - A^*\|_F^2$", yscale="log")
        if last:
            legend_right(ax, **legend)
    return figure


def lambda_sweep(sweep: pd.DataFrame) -> Figure:
    """Dictionary error and group support after training against lambda, a column per prox."""
    metrics = {
        "squared_error": r"$\|A - A^*\|_F^2$",
        "group_exact": "samples with exact groups",
    }
    proxes = list(dict.fromkeys(sweep.prox))
    figure = Figure(figsize=(4.2 * len(proxes), 5.4), layout="constrained")
    grid = figure.subplots(len(metrics), len(proxes), sharex=True, sharey="row", squeeze=False)
    for row, (metric, label) in zip(grid, metrics.items(), strict=True):
        for ax, prox in zip(row, proxes, strict=True):
            first = ax is grid[0][0]
            here = sweep[(sweep.metric == metric) & (sweep.prox == prox)]
            sns.lineplot(
                here.assign(snr=here.snr.map("{:g} dB".format)), x="lambda", y="value", hue="snr",
                style="snr", markers=True, dashes=False, errorbar=("pi", 100), ax=ax, legend=first,
            )  # fmt: skip
            ax.set(xlabel=r"$\lambda$", ylabel=label, yscale="log" if ax in grid[0] else "linear")
            if ax in grid[0]:
                ax.set_title(prox.replace("_", " ") + " threshold")
            if first:
                ax.legend(title="SNR")
    return figure


def support_recovery(recovery: pd.DataFrame) -> Figure:
    """Fig. 3d: recall, precision and exact-support rate of entries vs SNR, after training."""
    metrics = {
        "entry_recall": "recall of active entries",
        "entry_precision": "precision of active entries",
        "group_recall": "recall of active groups",
        "group_exact": "samples with exact group support",
    }
    table = recovery[(recovery.stage == "final") & recovery.metric.isin(metrics)]
    samplings = [s for s in SAMPLING if s in set(table.sampling)]
    figure = Figure(figsize=(3 * len(metrics), 2.8 * len(samplings)), layout="constrained")
    shape = len(samplings), len(metrics)
    grid = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False)
    methods = list(dict.fromkeys(table.method.map(method_name)))
    for row, sampling in zip(grid, samplings, strict=True):
        for ax, (metric, title) in zip(row, metrics.items(), strict=True):
            last = sampling == samplings[0] and ax is row[-1]
            here = table[(table.metric == metric) & (table.sampling == sampling)]
            sns.lineplot(
                here.assign(method=here.method.map(method_name)), x="snr", y="value", hue="method",
                style="method", markers=True, hue_order=methods, style_order=methods,
                errorbar=("pi", 100), ax=ax, legend=last,
            )  # fmt: skip
            ax.set(title=title, xlabel="SNR (dB)", ylabel=SAMPLING[sampling], ylim=(-0.03, 1.05))
            ax.set_xticks(sorted(table.snr.unique()))
            if last:
                legend_right(ax)
    return figure


def _panels(samplings) -> tuple[Figure, dict]:
    samplings = [s for s in SAMPLING if s in set(samplings)]
    figure = Figure(figsize=(3.8 * len(samplings) + 1.8, 3.2), layout="constrained")
    axes = figure.subplots(1, len(samplings), sharey=True, squeeze=False)[0]
    return figure, dict(zip(samplings, axes, strict=True))
