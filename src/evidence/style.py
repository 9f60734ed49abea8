"""Style of all figures: theme, legends, and files without timestamps; names are in names.py."""

import io
from pathlib import Path

import matplotlib as mpl
import seaborn as sns
from matplotlib.figure import Figure

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
