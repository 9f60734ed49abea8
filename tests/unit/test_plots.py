"""Figures of atoms that are images, and of atoms that are not."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from evidence import plots

GROUPS, SIZE = 3, 2


def atoms(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, GROUPS * SIZE))


def lines(ax) -> list[np.ndarray]:
    """The atoms drawn as lines, without the line that marks zero."""
    found = [c for c in ax.collections if isinstance(c, LineCollection)]
    return [line for c in found for line in c.get_segments() if len(line) > 2]


@pytest.mark.parametrize(("n", "images", "drawn"), [(97, 0, GROUPS * SIZE), (100, 1, 0)])
def test_atoms_are_images_where_their_length_is_a_square_and_lines_elsewhere(n, images, drawn):
    a, code = atoms(n), np.arange(GROUPS * SIZE)
    figure = plots.atoms_and_activations({"m": a}, {"m": code}, SIZE, a @ code)
    mosaic, codes = figure.axes
    assert (len(mosaic.images), len(lines(mosaic))) == (images, drawn)
    (inset,) = codes.child_axes
    assert (len(inset.images), len(inset.lines)) == (images, 1 - images)
    left, _, _ = plots.silhouettes({"m": a}, {"m": code[None]}, np.array([0]), SIZE).axes
    assert (len(left.images), len(lines(left))) == (images, drawn)


def test_a_line_has_the_shape_of_its_atom_in_the_row_of_its_group():
    a = atoms(97)
    figure = plots.atoms_and_activations({"m": a}, {"m": a[0]}, SIZE, a[:, 0])
    for i, line in enumerate(lines(figure.axes[0])):
        x, y = line.T
        row, column = divmod(i, SIZE)
        assert column < x[0] < x[-1] < column + 1
        assert np.abs(y - row).max() < 0.5
        # The axis points down.
        assert np.corrcoef(row - y, a[:, i])[0, 1] == pytest.approx(1)


def test_no_more_atoms_of_a_group_are_drawn_than_asked_for():
    a = np.random.default_rng(0).normal(size=(97, 12))
    figure = plots.atoms_and_activations({"m": a}, {"m": a[0]}, 6, a[:, 0], shown=4)
    assert len(lines(figure.axes[0])) == 2 * 4


@pytest.mark.parametrize(("replicates", "spread"), [(1, False), (2, True)])
def test_the_scores_of_one_replicate_span_nothing(replicates, spread):
    methods = [("raw", "raw", "none"), ("chance", "random", "none"), ("m", "codes", "kmeans")]
    table = pd.DataFrame(
        [
            {
                "method": method, "features": features, "init": init, "centered": False,
                "algorithm": "kmeans", "replicate": r, "metric": "acc", "value": 0.5,
            }
            for method, features, init in methods
            for r in range(replicates)
        ]
    )  # fmt: skip
    figure = plots.clustering_accuracy(table, "digits")
    title = figure.axes[-1].get_legend().get_title().get_text()
    assert ("all replicates" in title) == spread
