"""Figures of Experiment 2: atoms that are images or not, and the scores of Table 1."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from clustering import curve_plots, pictures, plots

GROUPS, SIZE = 3, 2


def atoms(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, GROUPS * SIZE))


def lines(ax) -> list[np.ndarray]:
    """The atoms drawn as lines, without the line that marks zero."""
    found = [c for c in ax.collections if isinstance(c, LineCollection)]
    return [line for c in found for line in c.get_segments() if len(line) > 2]


@pytest.mark.parametrize(
    ("header", "n", "shape"),
    [
        ({}, 784, (28, 28)),  # what is built in
        ({"shape": [12, 20]}, 240, (12, 20)),
        ({"shape": [12, 20, 1]}, 240, (12, 20)),
        ({"shape": [64]}, 64, None),
        ({"shape": [8, 8, 3]}, 192, None),
    ],
)
def test_samples_are_images_where_their_file_says_so(header, n, shape):
    assert pictures.image_shape(header, n) == shape


@pytest.mark.parametrize(("shape", "images", "drawn"), [(None, 0, GROUPS * SIZE), ((5, 20), 1, 0)])
def test_atoms_are_images_of_their_shape_or_lines(shape, images, drawn):
    a, code = atoms(100), np.arange(GROUPS * SIZE)
    figure = plots.atoms_and_activations({"m": a}, {"m": code}, SIZE, a @ code, shape)
    mosaic, codes = figure.axes
    assert (len(mosaic.images), len(lines(mosaic))) == (images, drawn)
    (inset,) = codes.child_axes
    assert (len(inset.images), len(inset.lines)) == (images, 1 - images)
    left, right, _ = plots.silhouettes(
        {"m": a}, {"m": code[None]}, np.array([0]), {"m": SIZE}, {"m": ""}, shape, ["cat"]
    ).axes
    assert (len(left.images), len(lines(left))) == (images, drawn)
    assert [text.get_text() for text in right.get_yticklabels()] == ["cat"]
    if shape:
        tile = mosaic.images[0].get_array()[6:11, 21:41]  # of group 1, atom 1, after lines of white
        assert np.corrcoef(tile.ravel(), a[:, SIZE + 1])[0, 1] == pytest.approx(1)


def drawn_members(codes, header, labels=None, n=6):
    """The figure for codes (N, 6) of samples that are their own numbers, and its two panels."""
    samples = np.arange(len(codes) * n, dtype=float).reshape(-1, n)
    figure = pictures.members(atoms(n), np.array(codes), samples, SIZE, header, labels)
    return figure, *figure.axes


def beside(ax) -> list[str]:
    return [text.get_text() for text in ax.get_yticklabels()]


CODES = [[1.0, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 1], [0, 0, 0, 0, 3, 0], [0, 0, 0, 0, 0, 0]]


def test_groups_that_no_sample_uses_are_left_out_and_counted():
    figure, left, right = drawn_members(CODES, {"shape": [2, 3]})
    assert figure.get_suptitle() == "Left out: 1 of 3 groups, active in no sample"
    assert beside(left) == ["0", "2"], "the numbers of clusters.csv"
    assert beside(right) == ["strongest in 2", "strongest in 1"]
    tiles = np.ma.filled(right.images[0].get_array(), np.nan)
    assert tiles.shape == (2 * 3, 4 * 4), "two rows of four samples"
    assert np.isnan(tiles[:2, 8:11]).all(), "a place without a sample is blank"
    assert not np.isnan(tiles[:2, :7]).any()
    figure, left, right = drawn_members(np.zeros((4, 6)), {"shape": [2, 3]})
    assert figure.get_suptitle() == "All codes are zero: no group is active"
    assert beside(right) == ["strongest in none"] * 3


def test_a_group_is_described_by_its_class_and_its_features():
    header = {"shape": [6], "classes": ["x", "y"], "features": ["a" * 30, *"bcdef"]}
    codes = [[1.0, 0, 0, 0, 0, 0]] * 3 + [[0, 0, 0, 0, 3, 0]]
    _, _, right = drawn_members(codes, header, np.array([0, 1, 1, 0]))
    first, last = beside(right)
    assert first.startswith("strongest in 3, 67 % y\n")
    assert (
        last == "strongest in 1, 100 % x\n" + "a" * 19 + "… +1.3, b +1.3"
    )  # 1.5 / sqrt(1.25) deviations
    assert "each a line over 6 entries" in right.get_title()


def test_distances_name_the_classes():
    figure = plots.pairwise_distances({"m": np.eye(4)}, np.array([0, 1, 0, 1]), ["cat", "dog"])
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["cat", "dog"]


def test_a_line_has_the_shape_of_its_atom_in_the_row_of_its_group():
    a = atoms(97)
    figure = plots.atoms_and_activations({"m": a}, {"m": a[0]}, SIZE, a[:, 0], None)
    for i, line in enumerate(lines(figure.axes[0])):
        x, y = line.T
        row, column = divmod(i, SIZE)
        assert column < x[0] < x[-1] < column + 1
        assert np.abs(y - row).max() < 0.5
        # The axis points down.
        assert np.corrcoef(row - y, a[:, i])[0, 1] == pytest.approx(1)


def test_no_more_atoms_of_a_group_are_drawn_than_asked_for():
    a = np.random.default_rng(0).normal(size=(97, 12))
    figure = plots.atoms_and_activations({"m": a}, {"m": a[0]}, 6, a[:, 0], None, shown=4)
    assert len(lines(figure.axes[0])) == 2 * 4


NOTHING = pd.DataFrame(columns=["method", "features", "algorithm", "accuracy"])


def scores(replicates: int = 1, count: int = 1) -> pd.DataFrame:
    methods = [("raw", "raw", "none"), ("chance", "random", "none")]
    methods += [("m" * (i + 1), "codes", "kmeans") for i in range(count)]
    return pd.DataFrame(
        [
            {
                "method": method, "features": features, "init": init, "centered": False,
                "algorithm": "kmeans", "replicate": r, "metric": "acc", "value": 0.5,
            }
            for method, features, init in methods
            for r in range(replicates)
        ]
    )  # fmt: skip


@pytest.mark.parametrize(("replicates", "spread"), [(1, False), (2, True)])
def test_the_scores_of_one_replicate_span_nothing(replicates, spread):
    figure = plots.clustering_accuracy(scores(replicates), "digits", NOTHING)
    title = figure.legends[0].get_title().get_text()
    assert ("all replicates" in title) == spread


def test_the_figure_of_scores_grows_with_its_methods():
    sizes = [
        plots.clustering_accuracy(scores(count=count), "d", NOTHING).get_size_inches()
        for count in (2, 12, 22)
    ]
    (_, few), (_, more), (wide, most) = sizes
    assert most - more == pytest.approx(more - few)
    # Twenty rows are legible at half the width of the page, where the height is 32 rem: 480 pixels.
    assert most < wide * 1.2


def diamonds(figure) -> list[list[float]]:
    """Places of the paper's numbers in either panel."""
    return [[float(x) for line in ax.lines if line.get_marker() == "D" for x in line.get_xdata()]
            for ax in figure.axes]  # fmt: skip


def test_numbers_of_the_paper_are_drawn_where_their_row_is_and_only_if_given():
    numbers = [("m", "codes", "kmeans", 0.7), ("m", "codes", "spectral", 0.8)]
    numbers.append(("not run", "codes", "kmeans", 0.9))
    printed = pd.DataFrame(numbers, columns=NOTHING.columns)
    assert diamonds(plots.clustering_accuracy(scores(), "d", printed)) == [[0.7], [0.8]]
    assert diamonds(plots.clustering_accuracy(scores(), "d", NOTHING)) == [[], []]


@pytest.mark.parametrize(
    ("supervised", "label"), [((), "init kmeans"), (("kmeans",), "init kmeans (uses labels)")]
)
def test_the_legend_marks_inits_that_use_labels(supervised, label):
    figure = plots.clustering_accuracy(scores(), "digits", NOTHING, supervised)
    assert label in [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_sample_of_fig_4_has_one_active_group():
    codes = np.array(
        [[1, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 2, 3, 0, 0], [1, 0, 0, 0, 0, 0]]
    )
    assert plots.with_one_group(codes, SIZE) == 2
    assert plots.with_one_group(codes[:2], SIZE) == 0, "the fewest, and not none"


def test_curves_show_means_and_ranges_over_replicates():
    rows = [
        {"method": "group_sparse", "metric": metric, "epoch": epoch, "replicate": r, "value": value}
        for metric in ("loss", "acc_kmeans", "acc_argmax")
        for epoch in (0, 1, 2)
        for r, value in enumerate((0.4 + epoch / 10, 0.6 + epoch / 10))
    ]
    left, right = curve_plots.convergence(pd.DataFrame(rows), 2).axes
    np.testing.assert_allclose(right.lines[0].get_ydata(), [0.5, 0.6, 0.7])
    band = right.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(0.4)
    assert band[:, 1].max() == pytest.approx(0.8)
    assert "0.7 at 2" in left.get_legend().get_texts()[0].get_text()


def test_the_sweep_holds_accuracy_against_active_groups():
    rows = [
        {"normalize": unit, "lambda": value, "replicate": r, "metric": metric, "value": number}
        for unit in (True, False)
        for value in (1.0, 5.0)
        for r in (0, 1)
        for metric, number in (
            ("active_groups", 10 / value + r), ("acc_argmax", value / 10), ("acc_kmeans", 0.5),
        )
    ]  # fmt: skip
    left, right = curve_plots.sweep(pd.DataFrame(rows)).axes
    means = left.lines[1]
    np.testing.assert_allclose(means.get_xdata(), [10.5, 2.5])
    np.testing.assert_allclose(means.get_ydata(), [0.1, 0.5])
    assert len(right.lines) == 4
