"""Figures of Experiment 1 from long-form tables; every function returns a Figure.

``papers`` are the paper's points (:func:`evidence.fig3.curves`). They are drawn as crosses where
the sampling is the one that gives the paper's curves.
"""

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from evidence.fig3 import NOTHING, SPARSE
from evidence.names import PAPERS, SAMPLINGS, method_name
from evidence.style import legend_right

CROSS = {"marker": "x", "ls": "", "ms": 4, "mew": 1.2}


def error_per_epoch(history: pd.DataFrame, method: str, papers: pd.DataFrame = NOTHING) -> Figure:
    """Fig. 3a: ||A - A*||_F^2 per epoch and SNR of one method, oracle dashed."""
    table = history[history.metric == "squared_error"]
    label = r"$\|A - A^*\|_F^2$"
    return _curves(table, method, label, papers[papers.figure == "3a"], oracle=True)


def loss_per_epoch(
    history: pd.DataFrame, method: str, n: int, papers: pd.DataFrame = NOTHING
) -> Figure:
    """Fig. 3b: squared error of the reconstruction per entry, 2 / n times the training loss."""
    table = history[history.metric == "loss"]
    table = table.assign(value=table.value * 2 / n)
    label = r"$\|y - \hat{y}\|^2 / n$, mean over samples"
    return _curves(table, method, label, papers[papers.figure == "3b"], oracle=False)


def _curves(table, method, label, papers, *, oracle) -> Figure:
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
        for level, color in colors.items() if sampling == PAPERS else ():
            theirs = papers[papers.snr == level]
            ax.plot(theirs.epoch, theirs.value, color=color, **CROSS)
        ax.set(title=SAMPLINGS[sampling], xlabel="epoch", ylabel=label, yscale="log")
    handles = [mpl.lines.Line2D([], [], color=c, label=f"{s:g} dB") for s, c in colors.items()]
    if oracle:
        handles.append(mpl.lines.Line2D([], [], color="gray", ls="--", label=method_name("oracle")))
    if PAPERS in axes and len(papers):
        handles.append(mpl.lines.Line2D([], [], color="gray", label="the paper", **CROSS))
    legend_right(list(axes.values())[-1], handles=handles, title=method_name(method))
    return figure


def methods_compared(history: pd.DataFrame, snr: float, papers: pd.DataFrame = NOTHING) -> Figure:
    """Fig. 3c: error per epoch of all methods and controls at one SNR."""
    papers = papers[(papers.figure == "3c") & (papers.snr == snr)]
    named = history.assign(method=history.method.map(method_name))
    return _compared(named, "method", snr, papers)


def inits_compared(history: pd.DataFrame, method: str, snr: float) -> Figure:
    """Error per epoch of one method from every initialisation at one SNR."""
    title = f"{method_name(method)}, init"
    return _compared(history[history.method == method], "init", snr, NOTHING, title=title)


def _compared(history, column, snr, papers, **legend) -> Figure:
    table = history[(history.metric == "squared_error") & (history.snr == snr)]
    order = list(dict.fromkeys(table[column]))
    figure, axes = _panels(table.sampling.unique())
    for sampling, ax in axes.items():
        last = ax is list(axes.values())[-1]
        sns.lineplot(
            table[table.sampling == sampling], x="epoch", y="value", hue=column, style=column,
            errorbar=("pi", 100), ax=ax, hue_order=order, style_order=order, legend=last,
        )  # fmt: skip
        if sampling == PAPERS:
            _draw(ax, papers, "epoch")
        title = f"{SAMPLINGS[sampling]}, {snr:g} dB"
        ax.set(title=title, xlabel="epoch", ylabel=r"$\|A - A^*\|_F^2$", yscale="log")
        if last:
            legend_right(ax, handles=_handles(ax, axes, papers), **legend)
    return figure


def _draw(ax, papers, x) -> None:
    """The paper's points of either network, in black."""
    for network, marker in _networks(papers):
        points = papers[papers.method == network]
        ax.plot(points[x], points.value, color="black", zorder=5, **{**CROSS, "marker": marker})


def _networks(papers) -> list[tuple[str, str]]:
    return [(m, "+" if m == SPARSE else "x") for m in papers.method.unique()]


def _handles(ax, axes, papers) -> list:
    """Those of a panel, and of the paper's points, which may be in another panel."""
    lines = ax.get_legend_handles_labels()[0]
    for network, marker in _networks(papers) if PAPERS in axes else ():
        label = f"the paper, {'sparse' if network == SPARSE else method_name(network)}"
        style = {**CROSS, "marker": marker, "label": label}
        lines.append(mpl.lines.Line2D([], [], color="black", **style))
    return lines


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


def support_recovery(recovery: pd.DataFrame, papers: pd.DataFrame = NOTHING) -> Figure:
    """Fig. 3d: recall, precision and exact-support rate vs SNR, after training.

    The paper does not say how it counts: its points are drawn beside either recall.
    """
    papers = papers[papers.figure == "3d"]
    metrics = {
        "entry_recall": "recall of active entries",
        "positive_recall": "recall of positive entries",
        "entry_precision": "precision of active entries",
        "group_exact": "samples with exact group support",
    }
    table = recovery[(recovery.stage == "final") & recovery.metric.isin(metrics)]
    samplings = [s for s in SAMPLINGS if s in set(table.sampling)]
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
            if sampling == PAPERS and metric.endswith("_recall"):
                _draw(ax, papers[papers.snr.isin(table.snr)], "snr")
            ax.set(title=title, xlabel="SNR (dB)", ylabel=SAMPLINGS[sampling], ylim=(-0.03, 1.05))
            ax.set_xticks(sorted(table.snr.unique()))
            if last:
                legend_right(ax, handles=_handles(ax, samplings, papers))
    return figure


def _panels(samplings) -> tuple[Figure, dict]:
    samplings = [s for s in SAMPLINGS if s in set(samplings)]
    figure = Figure(figsize=(3.8 * len(samplings) + 1.8, 3.2), layout="constrained")
    axes = figure.subplots(1, len(samplings), sharey=True, squeeze=False)[0]
    return figure, dict(zip(samplings, axes, strict=True))
