"""Style of all figures: theme, legends, and files without timestamps; names are in names.py."""

import io
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.api.typing import SeriesGroupBy

from groupsparse.files import write_atomic

mpl.use("Agg")
sns.set_theme(
    context="paper",
    style="whitegrid",
    palette="colorblind",
    rc={
        "figure.dpi": 100,
        "savefig.dpi": 160,
        "svg.hashsalt": "groupsparse",
        "svg.fonttype": "path",
        "legend.frameon": True,
    },
)


def legend_right(ax, **options) -> None:
    """Put the legend to the right of a panel; ``options`` as those of ``Axes.legend``."""
    if "handles" not in options:
        handles, labels = ax.get_legend_handles_labels()
        options |= {"handles": handles, "labels": labels}
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), **options)


def draw_range(ax: Axes, groups: SeriesGroupBy, mark: str, color: object, label: str) -> pd.Series:
    """Draw the means of values against what they are grouped by, above their range; return them."""
    mean, low, high = groups.mean(), groups.min(), groups.max()
    ax.fill_between(mean.index, low, high, color=color, alpha=0.2, lw=0)
    ax.plot(mean.index, mean, mark, color=color, ms=4, label=label)
    return mean


def save(figures: dict[str, Figure], paths: list[str]) -> None:
    """Write to each path the figure of that name, in the format of its ending, without timestamps.

    Atomic; a PNG holds checksums of its own. KeyError if a path is named after no figure.
    """
    for path in paths:
        ending, content = Path(path).suffix[1:], io.BytesIO()
        metadata = {"Date": None} if ending == "svg" else {}
        figure = figures[Path(path).stem]
        figure.savefig(content, format=ending, bbox_inches="tight", metadata=metadata)
        write_atomic(path, content.getvalue())
