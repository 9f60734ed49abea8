"""Figures of the deconvolution: kernels, a trial with its events, errors of events; sweeps."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from deconvolution.names import AXES, called
from deconvolution.results import curve


def kernels(
    learnt: list[np.ndarray], truth: np.ndarray | None, bin_ms: float, y: np.ndarray,
    rate: np.ndarray, found: tuple[np.ndarray, np.ndarray],
    true: tuple[np.ndarray, np.ndarray] | None, curves: pd.DataFrame,
) -> Figure:  # fmt: skip
    """Kernels of all replicates, one trial, and missed against false events.

    Parameters
    ----------
    learnt : kernels (K, L) of every replicate, in the order of the true ones
    truth : (K, L), if known
    y, rate : (T,) of one neuron in one trial
    found, true : times and kernels of the events of that trial
    curves : columns method, tolerance, missed, false
    """
    figure = Figure(figsize=(10, 5.4), layout="constrained")
    count = learnt[0].shape[0]
    grid = figure.add_gridspec(2, max(count, 2) + 1)
    lags = np.arange(learnt[0].shape[1]) * bin_ms
    for k in range(count):
        ax = figure.add_subplot(grid[0, k])
        for number, kernel in enumerate(learnt):
            ax.plot(lags, kernel[k], color=f"C{k}", lw=1.2, label=None if number else "learnt")
        if truth is not None and k < len(truth):
            ax.plot(lags, truth[k], "k--", lw=1.2, label="true")
        ax.set(title=f"kernel {k + 1}", xlabel="time (ms)")
        ax.legend()
    ax = figure.add_subplot(grid[0, max(count, 2)])
    for method, here in curves.groupby("method", sort=False):
        ax.plot(here["false"], here.missed, "o-", ms=4, label=called(method))
    ax.set(xlabel="share of found events that are false", ylabel="share of events missed")
    ax.set(title="events, by tolerance", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    if len(curves):
        ax.legend()
    ax = figure.add_subplot(grid[1, :])
    times = np.arange(len(y)) * bin_ms
    ax.step(times, y, where="mid", color="0.6", lw=0.8, label="data")
    ax.plot(times, rate, color="k", lw=1.2, label="rate given the events")
    top = max(float(y.max()), float(rate.max()))
    for words, marks, height, shape in (("found", found, 1.06, "v"), ("true", true, 1.14, "^")):
        if marks is None:
            continue
        for k in range(count):
            here = marks[0][marks[1] == k] * bin_ms
            label = f"{words}, kernel {k + 1}" if len(here) else None
            fill = f"C{k}" if words == "found" else "none"
            ax.plot(
                here, np.full(len(here), height * top), shape, color=f"C{k}", mfc=fill, label=label
            )
    ax.set(xlabel="time (ms)", ylabel="one trial", xlim=(0, times[-1]))
    ax.legend(ncol=3, loc="center left", bbox_to_anchor=(1.0, 0.5)).set_ncols(1)
    return figure


def sweeps(runs: pd.DataFrame, section: dict) -> Figure:
    """A panel for each sweep: kernel error, mean and standard deviation over replicates."""
    names = list(section["sweeps"])
    across = min(3, len(names))
    down = math.ceil(len(names) / across)
    figure = Figure(figsize=(3.4 * across, 2.8 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).flatten()
    for ax, name in zip(panels, names, strict=False):
        sweep = section["sweeps"][name]
        table = curve(runs, section, name, "kernel_error")
        for method, here in table.groupby("method", sort=False):
            ax.errorbar(
                here.value, here["mean"], here["std"].fillna(0), marker="o", ms=4, capsize=2,
                label=called(method),
            )  # fmt: skip
        if max(sweep["values"]) > 8 * min(sweep["values"]):
            ax.set_xscale("log")
        ax.set_xticks(sweep["values"], [f"{x:g}" for x in sweep["values"]])
        ax.minorticks_off()
        ax.set(title=sweep["of"], xlabel=AXES[sweep["key"]], ylabel="kernel error", yscale="log")
        ax.legend()
    for ax in panels[len(names) :]:
        ax.remove()
    return figure
