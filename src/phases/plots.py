"""Phase diagrams: heat maps of the share of successes, with the limits drawn in."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phases import names
from phases.conditions import ACROSS, UP, axis
from phases.limits import LIMITS
from phases.success import CRITERIA

LINES = {"counting": "--", "activity": ":", "oracle": "-"}
COLOR = "tab:red"
FINE = 15  # points of a limit in a cell, along each axis


def diagram(run: pd.DataFrame, plane: dict, model: dict) -> Figure:
    """A plane: a row for each criterion, a column for each method and start.

    Cells show the number of successes. ``run`` has a row per run of this plane, as of
    :func:`phases.success.runs`.
    """
    panels = list(run[["method", "start"]].drop_duplicates().itertuples(index=False, name=None))
    (across, horizontal), (up, vertical) = axis(plane, ACROSS), axis(plane, UP)
    replicates = run.replicate.nunique()
    width = 1.2 + len(panels) * (0.5 + 0.34 * len(horizontal))
    figure = Figure(figsize=(width, 1.6 + 0.8 * len(vertical)), layout="constrained")
    limits = crossing(plane, model)
    grid = figure.subplots(len(CRITERIA), len(panels), squeeze=False, sharex=True, sharey=True)
    for number, (criterion, words) in enumerate(CRITERIA.items()):
        row = grid[number]
        for ax, (method, start) in zip(row, panels, strict=True):
            here = run[(run.method == method) & (run.start == start)]
            share = here.pivot_table(index="up", columns="across", values=criterion, sort=True)
            sns.heatmap(
                share, annot=(share * replicates).round(), fmt=".0f", vmin=0, vmax=1, cbar=False,
                cmap="mako", ax=ax, annot_kws={"size": 7}, linewidths=0.3,
                xticklabels=[f"{value:g}" for value in share.columns],
            )  # fmt: skip
            draw(ax, limits)
            ax.set(xlabel="", ylabel="")
            if not number:
                ax.set_title(names.panel_name(method, start).replace(" from", "\nfrom"), size=8)
            if number == len(CRITERIA) - 1:
                ax.set_xlabel(names.AXES[across])
        row[0].set_ylabel(f"{words}\n{names.AXES[up]}")
    grid[0, 0].invert_yaxis()  # the axes are shared
    if limits:
        handles = [
            Line2D([], [], color=COLOR, linestyle=LINES[n], label=names.LIMITS[n]) for n in limits
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def draw(ax: Axes, limits: dict[str, np.ndarray]) -> None:
    """Draw where there are just enough samples; cells are centred at 0.5, 1.5, and so on."""
    for name, shares in limits.items():
        up, across = (np.linspace(0, size / FINE, size) for size in shares.shape)
        ax.contour(across, up, shares, levels=[1.0], colors=COLOR, linestyles=LINES[name])


def crossing(plane: dict, model: dict) -> dict[str, np.ndarray]:
    """Samples over those of a limit on a mesh (up, across), for limits that cross the plane."""
    (across, horizontal), (up, vertical) = (
        (key, between(np.asarray(values, float), FINE * len(values)))
        for key, values in (axis(plane, ACROSS), axis(plane, UP))
    )
    mesh = [[{**model, across: x, up: y} for x in horizontal] for y in vertical]
    found = {
        name: np.array([[m["samples"] / limit(**m) for m in row] for row in mesh])
        for name, limit in LIMITS.items()
    }
    return {name: shares for name, shares in found.items() if shares.min() < 1 < shares.max()}


def between(values: np.ndarray, count: int) -> np.ndarray:
    """Values at ``count`` positions from edge to edge of the cells, whose centres have ``values``.

    Geometric between positive values, which steps of equal ratio suit, and linear otherwise; the
    outer halves of the first and last cell continue the step next to them.

    Examples
    --------
    >>> between(np.array([1.0, 4.0]), 5).round(2).tolist()
    [0.5, 1.0, 2.0, 4.0, 8.0]
    """
    positive = bool((values > 0).all())
    scaled = np.log(values) if positive else values
    ends = [2 * scaled[0] - scaled[1], *scaled, 2 * scaled[-1] - scaled[-2]]
    centres = np.arange(-0.5, len(values) + 1)
    found = np.interp(np.linspace(0, len(values), count), centres, ends)
    return np.exp(found) if positive else found
