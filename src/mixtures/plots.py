"""The figure of a data set: atoms, confusion, gaps of the energies, and extreme images."""

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from mixtures.names import ATOMS
from mixtures.outcome import confusion, extremes, gaps, matched, right

EACH = 5  # images of least energy, and of most
SMALLEST = 1e-2  # gap at which the histogram begins


def mixture(
    atoms: np.ndarray, images: np.ndarray, labels: np.ndarray, clusters: np.ndarray,
    energies: np.ndarray, shape: tuple[int, int],
) -> Figure:  # fmt: skip
    """Four panels, clusters in the order of the classes that they are matched to.

    Parameters
    ----------
    atoms : (K, n, h), of which up to ``ATOMS`` of a cluster are drawn
    images, labels, clusters, energies : (N, n), (N,), (N,), (N, K)
    shape : of an image, of n pixels
    """
    figure = Figure(figsize=(12, 10.5), layout="constrained")
    axes = figure.subplots(2, 2)
    counts = confusion(labels, clusters, len(atoms))
    order = matched(counts)
    rows = [atoms[k].T[:ATOMS] for k in order]
    _draw_images(axes[0, 0], rows, shape, len(rows[0]), range(ATOMS))
    axes[0, 0].set(title="(a) atoms", xlabel="atom", ylabel="cluster")
    _draw_confusion(axes[0, 1], counts[:, order], np.unique(labels))
    _draw_gaps(axes[1, 0], gaps(energies), right(labels, clusters, len(atoms)))
    found = extremes(energies, clusters, EACH)
    places = [*range(EACH), *range(EACH + 1, 2 * EACH + 1)]
    _draw_images(axes[1, 1], [images[found[k]] for k in order], shape, 2 * EACH + 1, places)
    axes[1, 1].set(title="(d) images", xlabel="least energy          most energy", ylabel="cluster")
    for ax in axes.flat:
        ax.grid(False)
    return figure


def _draw_images(ax, rows: list[np.ndarray], shape, columns: int, places) -> None:
    """Rows of images (count, n), each from black to white, at these columns; the rest is white."""
    height, width = shape
    canvas = np.ones((len(rows) * (height + 1), columns * (width + 1)))
    for i, row in enumerate(rows):
        for place, image in zip(places, row, strict=False):
            low, high = image.min(), image.max()
            top, left = i * (height + 1), place * (width + 1)
            scaled = (image - low) / max(high - low, 1e-12)
            canvas[top : top + height, left : left + width] = scaled.reshape(height, width)
    ax.imshow(canvas, cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=(np.arange(len(rows)) + 0.5) * (height + 1))
    ax.set_yticklabels(range(len(rows)))


def _draw_confusion(ax, counts: np.ndarray, classes: np.ndarray) -> None:
    shares = counts / counts.sum(1, keepdims=True)
    sns.heatmap(
        shares, annot=counts, fmt="d", cmap="mako_r", vmin=0, vmax=1, ax=ax, square=True,
        yticklabels=classes, annot_kws={"size": 6}, cbar_kws={"label": "share of the class"},
    )  # fmt: skip
    ax.set(title="(b) images of a class by cluster", xlabel="cluster", ylabel="class")


def _draw_gaps(ax, values: np.ndarray, correct: np.ndarray) -> None:
    values = np.maximum(values, SMALLEST)
    bins = np.geomspace(SMALLEST, max(values.max(), 1.0) * 1.01, 40)
    for mask, words in ((correct, "right cluster"), (~correct, "wrong cluster")):
        ax.hist(values[mask], bins, histtype="step", lw=1.4, label=f"{words} ({mask.sum()})")
    ax.set(title="(c) second-least minus least energy", xscale="log", yscale="log")
    ax.set(xlabel=f"difference (at least {SMALLEST:g})", ylabel="images")
    ax.legend()
