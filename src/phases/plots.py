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
FINE = 61  # points of a limit between two cells


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
    grid = figure.subplots(len(CRITERIA), len(panels), squeeze=False, sharex=True, sharey=True)
    for row, (criterion, words) in zip(grid, CRITERIA.items(), strict=True):
        for ax, (method, start) in zip(row, panels, strict=True):
            here = run[(run.method == method) & (run.start == start)]
            share = here.pivot_table(index="up", columns="across", values=criterion, sort=True)
            sns.heatmap(
                share, annot=(share * replicates).round(), fmt=".0f", vmin=0, vmax=1, cbar=False,
                cmap="mako", ax=ax, annot_kws={"size": 7}, linewidths=0.3,
            )  # fmt: skip
            draw_limits(ax, plane, model)
            ax.set(xlabel="", ylabel="")
            if row is grid[0]:
                ax.set_title(names.panel_name(method, start).replace(" from", "\nfrom"), size=8)
            if row is grid[-1]:
                ax.set_xlabel(names.AXES[across])
        row[0].set_ylabel(f"{words}\n{names.AXES[up]}")
    grid[0, 0].invert_yaxis()  # the axes are shared
    if lines := visible(plane, model):
        handles = [
            Line2D([], [], color=COLOR, linestyle=LINES[n], label=names.LIMITS[n]) for n in lines
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def draw_limits(ax: Axes, plane: dict, model: dict) -> None:
    """Draw the limits that cross the plane; cells are at positions 0.5, 1.5, and so on."""
    shares = limit_shares(plane, model)
    for name in visible(plane, model):
        positions = (np.linspace(0, size, n) for size, n in zip(*shape(plane), strict=True))
        ax.contour(*positions, shares[name], levels=[1.0], colors=COLOR, linestyles=LINES[name])


def visible(plane: dict, model: dict) -> list[str]:
    """Limits that have both sides on the plane."""
    shares = limit_shares(plane, model)
    return [name for name, values in shares.items() if values.min() < 1 < values.max()]


def shape(plane: dict) -> tuple[list[int], list[int]]:
    """Cells of each axis, across and up, and the points at which limits are computed."""
    counts = [len(axis(plane, name)[1]) for name in (ACROSS, UP)]
    return counts, [FINE * count for count in counts]


def limit_shares(plane: dict, model: dict) -> dict[str, np.ndarray]:
    """Samples over those of every limit, on a fine mesh (up, across) of the plane."""
    axes = {}
    for name, size in zip((ACROSS, UP), shape(plane)[1], strict=True):
        key, values = axis(plane, name)
        axes[name] = key, between(np.asarray(values, float), size)
    (across, horizontal), (up, vertical) = axes[ACROSS], axes[UP]
    models = [[{**model, across: x, up: y} for x in horizontal] for y in vertical]
    return {
        name: np.array([[m["samples"] / limit(**m) for m in row] for row in models])
        for name, limit in LIMITS.items()
    }


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
