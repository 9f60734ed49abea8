"""Figures of the deconvolution: kernels, a trial with its events, errors of events; sweeps."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from deconvolution.names import AXES, called, data_name
from deconvolution.results import curve
from evidence.style import legend_right


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
    count = len(learnt[0])
    panels = count + bool(len(curves))
    figure = Figure(figsize=(min(3.1, 11 / panels) * max(panels, 2) + 2, 5.6), layout="constrained")
    grid = figure.add_gridspec(2, panels, width_ratios=[*[1] * count, *[1.3] * (panels - count)])
    unit, scale = _unit(learnt[0].shape[1] * bin_ms)
    lags = np.arange(learnt[0].shape[1]) * bin_ms / scale
    for k in range(count):
        ax = figure.add_subplot(grid[0, k])
        for number, kernel in enumerate(learnt):
            ax.plot(lags, kernel[k], color=f"C{k}", lw=1.2, label=None if number else "learnt")
        if truth is not None and k < len(truth):
            ax.plot(lags, truth[k], "k--", lw=1.2, label="true")
            if not k:
                ax.legend()
        ax.set(title=f"kernel {k + 1}", xlabel=f"time ({unit})")
    if len(curves):
        _draw_errors(figure.add_subplot(grid[0, count]), curves, bin_ms)
    ax = figure.add_subplot(grid[1, :])
    unit, scale = _unit(len(y) * bin_ms)
    times = np.arange(len(y)) * bin_ms / scale
    ax.step(times, y, where="mid", color="0.6", lw=0.8, label="data")
    ax.plot(times, rate, color="k", lw=1.2, label="rate given the events")
    low, high = (float(f([f(y), f(rate)])) for f in (np.nanmin, np.nanmax))
    for words, marks, height, shape in (("found", found, 1.06, "v"), ("true", true, 1.14, "^")):
        if marks is None:
            continue
        for k in range(count):
            here = marks[0][marks[1] == k] * bin_ms / scale
            at = np.full(len(here), low + height * (high - low))
            fill = f"C{k}" if words == "found" else "none"
            label = f"{words}, kernel {k + 1}" if len(here) else None
            ax.plot(here, at, shape, color=f"C{k}", mfc=fill, label=label)
    ax.set(xlabel=f"time ({unit})", ylabel="one trial", xlim=(0, times[-1]))
    legend_right(ax)
    return figure


def _draw_errors(ax, curves: pd.DataFrame, bin_ms: float) -> None:
    """Events found (solid) and found events that are false (dotted), by tolerance."""
    unit, scale = _unit(curves.tolerance.max() * bin_ms)
    for number, (method, here) in enumerate(curves.groupby("method", sort=False)):
        times = here.tolerance * bin_ms / scale
        ax.plot(times, 1 - here.missed, "o-", ms=4, color=f"C{number}", label=called(method))
        ax.plot(times, here["false"], ":", color=f"C{number}")
    ax.set(xlabel=f"tolerance ({unit})", ylabel="share", ylim=(-0.03, 1.03))
    ax.set(title="events found (solid),\nfalse (dotted)")  # beside six kernels it is narrow
    legend_right(ax)


def _unit(duration_ms: float) -> tuple[str, float]:
    """Milliseconds, or seconds from 5 s on: the unit, and how many milliseconds it has."""
    return ("s", 1000.0) if duration_ms >= 5000 else ("ms", 1.0)


def sweeps(runs: pd.DataFrame, section: dict) -> Figure:
    """A panel for each sweep: kernel error, mean and standard deviation over replicates."""
    names = sorted(section["sweeps"], key=lambda name: section["sweeps"][name]["of"])
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
        ax.set(
            title=data_name(sweep["of"]),
            xlabel=AXES[sweep["key"]],
            ylabel="kernel error",
            ylim=(0, None),
        )
        ax.legend()
    for ax in panels[len(names) :]:
        ax.remove()
    return figure
