"""Figures of the benchmarks from tidy tables; every function returns a Figure."""

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

import evidence.style  # noqa: F401  (its theme)

FLOOR = "bare product"  # the one dense product that no method in float32 can do without
BLACK = {"color": "black", "ls": "--"}
AXES = {
    "n": "dimension n",
    "groups": "atoms m",
    "samples": "samples N",
    "active": "share of active groups",
}


def speedups(ratios: pd.DataFrame) -> Figure:
    """Bars of how many times faster than the baseline, a panel for each experiment.

    ``ratios``: experiment, case, candidate, reference, threads and the median, min and max of the
    ratio. A dash on a bar is the speed of the bare product alone, in float32.
    """
    experiments = list(dict.fromkeys(ratios.experiment))
    ratios = ratios.assign(label=_labels(ratios))
    heights = [max(1, ratios[ratios.experiment == e].label.nunique()) for e in experiments]
    figure = Figure(figsize=(7, 0.8 + 0.5 * sum(heights) + 0.6 * len(heights)))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(len(experiments), 1, squeeze=False, height_ratios=heights)[:, 0]
    threads = sorted(ratios.threads.unique())
    colors = sns.color_palette(n_colors=len(threads))
    for ax, experiment in zip(grid, experiments, strict=True):
        here = ratios[ratios.experiment == experiment]
        bars, floors = here[here.candidate != FLOOR], here[here.candidate == FLOOR]
        labels = list(dict.fromkeys(bars.label))
        width = 0.8 / len(threads)
        for k, (count, color) in enumerate(zip(threads, colors, strict=True)):
            part = bars[bars.threads == count]
            y = [labels.index(label) + (k - (len(threads) - 1) / 2) * width for label in part.label]
            error = [part["median"] - part["min"], part["max"] - part["median"]]
            ax.barh(y, part["median"], width, xerr=error, color=color, label=_threads(count))
            places = dict(zip(part.case, y, strict=False))
            for row in floors[floors.threads == count].itertuples():
                low = places[row.case] - width / 2
                ax.vlines(row.median, low, low + width, color="black", lw=2)
        ax.axvline(1, color="gray", lw=1)
        ax.set(yticks=range(len(labels)), yticklabels=labels, xlim=(0, None))
        ax.invert_yaxis()
        reference = ", ".join(dict.fromkeys(here.reference))
        ax.set_title(f"{experiment}: times faster than {reference}", loc="left")
    handles, names = grid[0].get_legend_handles_labels()
    if (ratios.candidate == FLOOR).any():
        handles.append(mpl.lines.Line2D([], [], color="black", lw=2))
        names.append("product Y A alone")
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    return figure


def _labels(ratios: pd.DataFrame) -> pd.Series:
    groups = ratios[ratios.candidate != FLOOR].groupby("experiment").candidate
    several = groups.agg(lambda candidates: len(set(candidates)) > 1)
    return ratios.candidate.where(ratios.experiment.map(several), ratios.case)


def floor(seconds: pd.DataFrame) -> Figure:
    """Seconds of loss and gradient against n, m, N and the active share; the floor dashed.

    ``seconds``: case (what varies), candidate, n, m, samples, active, median, min and max.
    """
    cases = [case for case in AXES if case in set(seconds.case)]
    figure = Figure(figsize=(3 * len(cases) + 0.6, 3), layout="constrained")
    grid = figure.subplots(1, len(cases), sharey=True, squeeze=False)[0]
    for ax, case in zip(grid, cases, strict=True):
        x, here = "m" if case == "groups" else case, seconds[seconds.case == case]
        _lines(ax, here, x)
        ax.set(xlabel=AXES[case], xscale="log", yscale="log")
        ax.set_xticks(sorted(set(here[x])), map("{:g}".format, sorted(set(here[x]))), rotation=45)
        ax.minorticks_off()
    grid[0].set_ylabel("seconds for loss and gradient")
    grid[0].legend()
    return figure


def scale(seconds: pd.DataFrame, memory: pd.DataFrame) -> Figure:
    """Seconds per epoch and peak memory against samples and atoms; the floor dashed."""
    cases = list(dict.fromkeys(seconds.case))
    figure = Figure(figsize=(3.6 * len(cases) + 0.6, 5.6), layout="constrained")
    grid = figure.subplots(2, len(cases), sharex="col", sharey="row", squeeze=False)
    for column, case in enumerate(cases):
        x = "m" if case == "groups" else case
        _lines(grid[0, column], seconds[seconds.case == case], x)
        _lines(grid[1, column], memory[memory.case == case], x)
        grid[1, column].set(xlabel=AXES[case])
    for ax in grid.flat:
        ax.set(xscale="log", yscale="log")
    grid[0, 0].set_ylabel("seconds per epoch")
    grid[1, 0].set_ylabel("peak memory, MB")
    grid[0, 0].legend()
    return figure


def stream(table: pd.DataFrame) -> Figure:
    """Samples a second and resident memory of every part of a stream; the floor dashed."""
    figure = Figure(figsize=(7.6, 2.8), layout="constrained")
    rate, memory = figure.subplots(1, 2)
    done = (table.repetition + 1) * table.samples
    seconds, held = (
        table[(table.candidate == "library") & (table.metric == m)] for m in ("seconds", "rss_mb")
    )
    floor = table[table.candidate == FLOOR]
    rate.plot(done[seconds.index], seconds.samples / seconds.value, label="library")
    rate.axhline(float(floor.samples.iloc[0] / floor.value.median()), **BLACK, label=FLOOR)
    memory.plot(done[held.index], held.value)
    rate.set(xlabel=AXES["samples"], ylabel="samples a second", ylim=(0, None))
    memory.set(xlabel=AXES["samples"], ylabel="resident memory, MB", ylim=(0, None))
    rate.legend()
    return figure


def _lines(ax, table: pd.DataFrame, x: str) -> None:
    candidates = [c for c in dict.fromkeys(table.candidate) if c != FLOOR]
    colors = dict(zip(candidates, sns.color_palette(n_colors=len(candidates)), strict=True))
    for name, part in table.groupby("candidate", sort=False):
        style = BLACK if name == FLOOR else {"color": colors[name]}
        part = part.sort_values(x)
        ax.plot(part[x], part["median"], marker="o", ms=3, label=name, **style)
        ax.fill_between(part[x], part["min"], part["max"], color=style["color"], alpha=0.2)


def recovery(table: pd.DataFrame) -> Figure:
    """Dictionary error against seconds of training, plain and aligned; a line per repetition.

    ``table``: candidate, repetition, passes and the columns seconds, squared_error, aligned_error.
    """
    metrics = {
        "squared_error": r"$\|A - A^*\|_F^2$",
        "aligned_error": "the same, groups matched and rotated",
    }
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    grid = figure.subplots(1, len(metrics), sharey=True)
    names = list(dict.fromkeys(table.candidate))
    colors = dict(zip(names, sns.color_palette(n_colors=len(names)), strict=True))
    for ax, (metric, title) in zip(grid, metrics.items(), strict=True):
        for (name, _), run in table.groupby(["candidate", "repetition"], sort=False):
            run = run.sort_values("passes")
            ax.plot(run.seconds, run[metric], color=colors[name], marker=".", ms=3, lw=1)
        ax.set(title=title, xlabel="seconds of training", yscale="log")
        ax.set_xscale("symlog", linthresh=max(table.seconds[table.seconds > 0].min(), 1e-3))
        ax.set_xlim(left=0)
    grid[0].set_ylabel("squared error")
    handles = [
        mpl.lines.Line2D([], [], color=colors[name], marker=".", label=name) for name in names
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _threads(count: int) -> str:
    return f"{count} thread" + ("s" if count > 1 else "")
