"""Figures of Experiment 2 from tables and arrays; every function returns a Figure."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from clustering.pictures import draw_atoms
from clustering.words import ALGORITHMS
from evidence.names import method_name


def atoms_and_activations(
    dictionaries: dict[str, np.ndarray],
    codes: dict[str, np.ndarray],
    group_size: int,
    sample: np.ndarray,
    shape: tuple[int, int] | None,
    shown: int = 8,
) -> Figure:
    """Fig. 4: atoms by group (one row a group) and the code of one sample, per method.

    Parameters
    ----------
    dictionaries : method -> (n, m), drawn as images of a ``shape``, or as lines without one
    codes : method -> (m,), the code of ``sample`` (n,)
    """
    groups, columns = len(codes[next(iter(codes))]) // group_size, min(group_size, shown)
    ratio = shape[0] / shape[1] if shape else 2 / 3
    heights = np.clip(3.9 * ratio * groups / columns + 0.6, 1.6, 4.26), 1.94
    figure = Figure(figsize=(4.2 * len(codes), sum(heights)), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=heights)
    axes = top.subplots(1, len(dictionaries), squeeze=False)[0]
    for letter, ax, (method, dictionary) in zip("abcdef", axes, dictionaries.items(), strict=False):
        draw_atoms(ax, dictionary, group_size, shown, shape)
        title = f"({letter}) atoms, {method_name(method)}"
        ax.set(title=title, xlabel="atom of the group", ylabel="group")
    axes = bottom.subplots(1, len(codes), squeeze=False)[0]
    letters = "abcdef"[len(dictionaries) :]
    for letter, ax, (method, code) in zip(letters, axes, codes.items(), strict=False):
        colors = np.array(sns.color_palette("husl", len(code) // group_size))
        ax.vlines(np.arange(len(code)), 0, code, colors=np.repeat(colors, group_size, axis=0))
        for edge in range(0, len(code) + 1, group_size):
            ax.axvline(edge - 0.5, color="0.85", lw=0.6, zorder=0)
        ax.axhline(0, color="0.4", lw=0.6)
        ax.set(title=f"({letter}) code, {method_name(method)}", xlabel="atom (coloured by group)")
        ax.set_ylabel("coefficient")
        ax.grid(False)
    axes[-1].set_xlim(right=1.2 * len(codes[method]))
    inset = axes[-1].inset_axes([0.855, 0.64, 0.14, 0.34])
    if shape:
        inset.imshow(sample.reshape(shape), cmap="gray")
    else:
        inset.plot(sample, color="k", lw=0.8)
        inset.grid(False)
    inset.set(xticks=[], yticks=[])
    return figure


def with_one_group(codes: np.ndarray, group_size: int) -> int:
    """The first code (N, m) with a single active group, or with the fewest if there is none.

    The paper shows such a code in Fig. 4d.
    """
    active = (codes != 0).reshape(len(codes), -1, group_size).any(-1).sum(1)
    return int(np.where(active > 0, active, active.max() + 1).argmin())


def pairwise_distances(
    features: dict[str, np.ndarray], labels: np.ndarray, names: list[str] | None = None
) -> Figure:
    """Fig. 5: Euclidean distances between samples sorted by class, one panel per feature.

    ``features`` maps a name to (N, k); each panel is scaled to its own maximum. ``names`` are those
    of the classes, which are numbers otherwise.
    """
    order = np.argsort(labels, kind="stable")
    figure = Figure(figsize=(3.6 * len(features) + 0.6, 3.7), layout="constrained")
    axes = figure.subplots(1, len(features), squeeze=False)[0]
    classes, counts = np.unique(labels, return_counts=True)
    edges = np.cumsum(counts)
    for letter, ax, (name, array) in zip("abcdef", axes, features.items(), strict=False):
        distances = cdist(array[order], array[order])
        image = ax.imshow(distances / distances.max(), cmap="magma", vmin=0, vmax=1)
        ax.set(title=f"({letter}) {method_name(name)}", xlabel="class", ylabel="class")
        for setter in (ax.set_xticks, ax.set_yticks):
            setter(edges - counts / 2 - 0.5, labels=called(classes, names))
        ax.tick_params("x", rotation=90 if names and max(map(len, names)) > 2 else 0)
        ax.grid(False)
    figure.colorbar(image, ax=axes, label="distance / largest distance", shrink=0.8)
    return figure


def called(classes: np.ndarray, names: list[str] | None) -> list[str]:
    """What readers call classes: by their numbers, without names."""
    return [names[c] if names else str(c) for c in classes]


def silhouettes(
    dictionaries: dict[str, np.ndarray],
    codes: dict[str, np.ndarray],
    labels: np.ndarray,
    group_sizes: dict[str, int],
    notes: dict[str, str],
    shape: tuple[int, int] | None,
    names: list[str] | None = None,
    shown: int = 16,
) -> Figure:
    r"""Atoms by group (one row a group) and the mean activation of every class, per method.

    Parameters
    ----------
    dictionaries : method -> (n, m), drawn as images of a ``shape``, or as lines without one,
        ``shown`` atoms of each group at most
    group_sizes, notes : method -> atoms per group, and what its titles add
    codes : method -> (N, m); the map shows the mean of \|x\| over each class of ``labels`` (N,)
    names : of the classes, which are numbers otherwise
    """
    classes = np.unique(labels)
    figure = Figure(figsize=(13, 3.9 * len(codes)), layout="constrained")
    grid = figure.subplots(len(codes), 2, squeeze=False, width_ratios=[1, 1.15])
    letters = iter("abcdefgh")
    for (left, right), (method, code) in zip(grid, codes.items(), strict=True):
        group_size, name = group_sizes[method], method_name(method) + notes[method]
        draw_atoms(left, dictionaries[method], group_size, shown, shape)
        left.set(title=f"({next(letters)}) atoms, {name}")
        left.set(xlabel="atom of the group", ylabel="group (first at the top)")
        means = np.stack([np.abs(code[labels == c]).mean(0) for c in classes])
        image = right.imshow(means, cmap="magma", aspect="auto", interpolation="nearest")
        groups = means.shape[1] // group_size
        for edge in range(1, groups):
            right.axvline(edge * group_size - 0.5, color="w", lw=0.8)
        right.set_xticks((np.arange(groups) + 0.5) * group_size - 0.5, labels=range(groups))
        right.set_yticks(np.arange(len(classes)), labels=called(classes, names))
        right.set(title=f"({next(letters)}) mean |code| of each class, {name}")
        right.set(xlabel="group (its atoms side by side)", ylabel="class")
        right.grid(False)
        figure.colorbar(image, ax=right, label="mean |coefficient|")
    return figure


def clustering_accuracy(
    clustering: pd.DataFrame,
    dataset: str,
    printed: pd.DataFrame,
    supervised: tuple[str, ...] = (),
    raw_name: str = "raw pixels",
) -> Figure:
    """Table 1 as a figure: ACC of every feature, initialisation and centring, mean and replicates.

    Dashed: raw data, under ``raw_name``. Dotted: chance.

    Parameters
    ----------
    clustering : the long-form table of one data set
    printed : method, features, algorithm and accuracy of the paper's numbers, drawn as diamonds
    supervised : initialisations that use labels, drawn as crosses
    """
    table = clustering[(clustering.metric == "acc") & (clustering.method != "oracle")]
    raw, chance = (table[table.method == control] for control in ("raw", "chance"))
    table = table[~table.method.isin(["raw", "chance"])]
    texts = {"codes": "codes", "codes+": "codes+", "norms": "group norms"}
    texts["group"] = "active group"
    present = set(zip(table.method, table.features, strict=True))
    rows = [(m, f) for m in table.method.unique() for f in texts if (m, f) in present]
    inits = list(dict.fromkeys(table.init))
    colors = dict(zip(inits, sns.color_palette("colorblind", len(inits)), strict=True))
    marks = {init: "x" if init in supervised else "o" for init in inits}
    # A row has a place for every init; the top of the page shows the figure at half its width.
    height = (0.16 + 0.12 * len(inits)) * len(rows) + 1.7
    figure = Figure(figsize=(8.5, height), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for ax, algorithm in zip(axes, ("kmeans", "spectral"), strict=True):
        # The active group needs no algorithm: both panels show its points.
        here = table[table.algorithm.isin([algorithm, "argmax"])]
        _draw_accuracies(ax, here, rows, colors, marks)
        ax.axvline(raw[raw.algorithm == algorithm].value.mean(), color="0.25", ls="--", lw=1)
        ax.axvline(chance.value.mean(), color="0.6", ls=":", lw=1)
        for number in printed[printed.algorithm == algorithm].itertuples():
            if (number.method, number.features) in present:
                y = rows.index((number.method, number.features))
                ax.plot(number.accuracy, y, "D", color="k", ms=6, zorder=5)
        for edge in range(1, len(rows)):
            ax.axhline(edge - 0.5, color="0.85", lw=0.8)
        ax.grid(False, axis="y")
        ax.set(title=ALGORITHMS[algorithm], xlabel="ACC on the test set")
    labels = [f"{method_name(method)}: {texts[features]}" for method, features in rows]
    axes[0].set_yticks(range(len(rows)), labels=labels)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    handles = _accuracy_legend(colors, marks, table.centered.any(), len(printed) > 0, raw_name)
    several = table.replicate.max() > 0
    title = f"{dataset}; bars span all replicates" if several else dataset
    figure.legend(handles=handles, title=title, loc="outside lower center", ncols=4)
    return figure


def _draw_accuracies(ax, table, rows, colors, marks) -> None:
    """Mean and range over replicates of every clustering, at the height of its row."""
    shifts = {i: (k + 0.5) / len(colors) * 0.8 - 0.4 for k, i in enumerate(colors)}
    keys = ["method", "features", "init", "centered"]
    for (method, features, init, centered), part in table.groupby(keys, sort=False):
        y = rows.index((method, features)) + shifts[init] + (0.04 if centered else -0.04)
        ax.plot([part.value.min(), part.value.max()], [y, y], color=colors[init], lw=1.2)
        ax.plot(
            part.value.mean(), y, marks[init], color=colors[init], ms=5.5,
            markerfacecolor="white" if centered else colors[init],
        )  # fmt: skip


def _accuracy_legend(colors, marks, centered, printed, raw_name) -> list[mpl.lines.Line2D]:
    styles = [
        (f"init {init}" + (" (uses labels)" if marks[init] == "x" else ""),
         {"color": color, "marker": marks[init], "ls": ""})
        for init, color in colors.items()
    ]  # fmt: skip
    if centered:
        styles += [
            ("not centred (filled)", {"color": "0.4", "marker": "o", "ls": ""}),
            ("centred (open; x: lower)", {"color": "0.4", "marker": "o", "ls": "", "mfc": "w"}),
        ]
    styles += [
        (raw_name, {"color": "0.25", "ls": "--"}),
        ("chance", {"color": "0.6", "ls": ":"}),
    ]
    if printed:
        styles.append(("paper (one number)", {"color": "k", "marker": "D", "ls": ""}))
    return [mpl.lines.Line2D([], [], label=label, **style) for label, style in styles]
