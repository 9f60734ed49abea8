"""Figures of the paper from long-form tables and tensors; every function returns a Figure."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

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

NAMES = {
    "group_sparse": "group-sparse",
    "sparse": "sparse (soft threshold)",
    "relu": "sparse (one-sided ReLU)",
    "oracle": "oracle (given true codes)",
    "chance": "chance",
}
SAMPLING = {"fixed": "fixed data set", "fresh": "fresh samples every epoch"}


def save(figure: Figure, paths: list[str]) -> None:
    """Write a figure in the format of each path's ending, without timestamps."""
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        metadata = {"Date": None} if path.endswith(".svg") else {}
        figure.savefig(path, bbox_inches="tight", metadata=metadata)


def error_per_epoch(history: pd.DataFrame, method: str) -> Figure:
    """Fig. 3a: ||A - A*||_F^2 per epoch and SNR of one method, oracle dashed."""
    return _curves(history, method, "squared_error", r"$\|A - A^*\|_F^2$", oracle=True)


def loss_per_epoch(history: pd.DataFrame, method: str) -> Figure:
    """Fig. 3b: training loss per epoch and SNR of one method."""
    return _curves(history, method, "loss", r"loss $\frac{1}{2}\|y - \hat{y}\|^2$", oracle=False)


def _curves(history, method, metric, label, *, oracle) -> Figure:
    table = history[history.metric == metric]
    levels = sorted(table.snr.unique())
    colors = dict(zip(levels, sns.color_palette("viridis", len(levels)), strict=True))
    figure, axes = _panels(table.sampling.unique())
    for sampling, ax in axes.items():
        here = table[table.sampling == sampling]
        for name, style in ((method, "-"), *((("oracle", "--"),) if oracle else ())):
            sns.lineplot(
                here[here.method == name], x="epoch", y="value", hue="snr", palette=colors,
                errorbar=("pi", 100), linestyle=style, ax=ax, legend=False,
            )  # fmt: skip
        ax.set(title=SAMPLING[sampling], xlabel="epoch", ylabel=label, yscale="log")
    handles = [mpl.lines.Line2D([], [], color=c, label=f"{s:g} dB") for s, c in colors.items()]
    if oracle:
        handles.append(mpl.lines.Line2D([], [], color="gray", ls="--", label=NAMES["oracle"]))
    _legend_right(list(axes.values())[-1], handles=handles, title=_name(method))
    return figure


def methods_compared(history: pd.DataFrame, snr: float) -> Figure:
    """Fig. 3c: error per epoch of all methods and controls at one SNR."""
    table = history[(history.metric == "squared_error") & (history.snr == snr)]
    methods = list(dict.fromkeys(table.method))
    figure, axes = _panels(table.sampling.unique())
    for sampling, ax in axes.items():
        last = ax is list(axes.values())[-1]
        sns.lineplot(
            table[table.sampling == sampling].assign(method=lambda t: t.method.map(_name)),
            x="epoch", y="value", hue="method", style="method", errorbar=("pi", 100), ax=ax,
            hue_order=[_name(m) for m in methods], style_order=[_name(m) for m in methods],
            legend=last,
        )  # fmt: skip
        title = f"{SAMPLING[sampling]}, {snr:g} dB"
        ax.set(title=title, xlabel="epoch", ylabel=r"$\|A - A^*\|_F^2$", yscale="log")
        if last:
            _legend_right(ax)
    return figure


def inits_compared(history: pd.DataFrame, method: str, snr: float) -> Figure:
    """Error per epoch of one method from every init at one SNR."""
    table = history[(history.metric == "squared_error") & (history.snr == snr)]
    table = table[table.method == method]
    inits = list(dict.fromkeys(table.init))
    figure, axes = _panels(table.sampling.unique())
    for sampling, ax in axes.items():
        last = ax is list(axes.values())[-1]
        sns.lineplot(
            table[table.sampling == sampling], x="epoch", y="value", hue="init", style="init",
            errorbar=("pi", 100), ax=ax, hue_order=inits, style_order=inits, legend=last,
        )  # fmt: skip
        title = f"{SAMPLING[sampling]}, {snr:g} dB"
        ax.set(title=title, xlabel="epoch", ylabel=r"$\|A - A^*\|_F^2$", yscale="log")
        if last:
            _legend_right(ax, title=f"{_name(method)}, init")
    return figure


def support_recovery(recovery: pd.DataFrame) -> Figure:
    """Fig. 3d: recall, precision and exact-support rate of entries vs SNR, after training."""
    metrics = {
        "entry_recall": "recall of active entries",
        "entry_precision": "precision of active entries",
        "group_recall": "recall of active groups",
        "group_exact": "samples with exact group support",
    }
    table = recovery[(recovery.stage == "final") & recovery.metric.isin(metrics)]
    samplings = [s for s in SAMPLING if s in set(table.sampling)]
    figure = Figure(figsize=(3 * len(metrics), 2.8 * len(samplings)), layout="constrained")
    grid = figure.subplots(len(samplings), len(metrics), sharey=True, squeeze=False)
    methods = list(dict.fromkeys(table.method.map(_name)))
    for row, sampling in zip(grid, samplings, strict=True):
        for ax, (metric, title) in zip(row, metrics.items(), strict=True):
            last = sampling == samplings[0] and ax is row[-1]
            here = table[(table.metric == metric) & (table.sampling == sampling)]
            sns.lineplot(
                here.assign(method=here.method.map(_name)), x="snr", y="value", hue="method",
                style="method", markers=True, hue_order=methods, style_order=methods,
                errorbar=("pi", 100), ax=ax, legend=last,
            )  # fmt: skip
            ax.set(title=title, xlabel="SNR (dB)", ylabel=SAMPLING[sampling], ylim=(-0.03, 1.05))
            ax.set_xticks(sorted(table.snr.unique()))
            if last:
                _legend_right(ax)
    return figure


def atoms_and_activations(
    dictionaries: dict[str, np.ndarray],
    codes: dict[str, np.ndarray],
    group_size: int,
    sample: np.ndarray,
    shown: int = 8,
) -> Figure:
    """Fig. 4: atoms by group (one row a group) and the code of one sample, per method.

    Parameters
    ----------
    dictionaries : method -> (n, m); n is a square number of pixels
    codes : method -> (m,), the code of ``sample`` (n,)
    """
    figure = Figure(figsize=(4.2 * len(codes), 6.2), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[2.2, 1])
    axes = top.subplots(1, len(dictionaries), squeeze=False)[0]
    for letter, ax, (method, dictionary) in zip("abcdef", axes, dictionaries.items(), strict=False):
        ax.imshow(_mosaic(dictionary, group_size, shown), cmap="gray")
        title = f"({letter}) atoms, {_name(method)}"
        ax.set(title=title, xlabel="atom of the group", ylabel="group", xticks=[], yticks=[])
        ax.grid(False)
    axes = bottom.subplots(1, len(codes), squeeze=False)[0]
    letters = "abcdef"[len(dictionaries) :]
    for letter, ax, (method, code) in zip(letters, axes, codes.items(), strict=False):
        colors = np.array(sns.color_palette("husl", len(code) // group_size))
        ax.vlines(np.arange(len(code)), 0, code, colors=np.repeat(colors, group_size, axis=0))
        for edge in range(0, len(code) + 1, group_size):
            ax.axvline(edge - 0.5, color="0.85", lw=0.6, zorder=0)
        ax.axhline(0, color="0.4", lw=0.6)
        ax.set(title=f"({letter}) code, {_name(method)}", xlabel="atom (coloured by group)")
        ax.set_ylabel("coefficient")
        ax.grid(False)
    side = int(len(sample) ** 0.5)
    axes[-1].set_xlim(right=1.2 * len(codes[method]))
    inset = axes[-1].inset_axes([0.855, 0.64, 0.14, 0.34])
    inset.imshow(sample.reshape(side, side), cmap="gray")
    inset.set(xticks=[], yticks=[])
    return figure


def pairwise_distances(features: dict[str, np.ndarray], labels: np.ndarray) -> Figure:
    """Fig. 5: Euclidean distances between samples sorted by class, one panel per feature.

    ``features`` maps a name to (N, k); each panel is scaled to its own maximum.
    """
    order = np.argsort(labels, kind="stable")
    figure = Figure(figsize=(3.6 * len(features) + 0.6, 3.7), layout="constrained")
    axes = figure.subplots(1, len(features), squeeze=False)[0]
    classes, counts = np.unique(labels, return_counts=True)
    edges = np.cumsum(counts)
    for letter, ax, (name, array) in zip("abcdef", axes, features.items(), strict=False):
        distances = cdist(array[order], array[order])
        image = ax.imshow(distances / distances.max(), cmap="magma", vmin=0, vmax=1)
        ax.set(title=f"({letter}) {_name(name)}", xlabel="class", ylabel="class")
        for setter in (ax.set_xticks, ax.set_yticks):
            setter(edges - counts / 2 - 0.5, labels=classes)
        ax.grid(False)
    figure.colorbar(image, ax=axes, label="distance / largest distance", shrink=0.8)
    return figure


def _mosaic(dictionary: np.ndarray, group_size: int, shown: int) -> np.ndarray:
    n, m = dictionary.shape
    side, shown = int(n**0.5), min(shown, group_size)
    if side * side != n:
        raise ValueError(f"atoms of {n} entries are not square images")
    atoms = dictionary.T.reshape(m // group_size, group_size, side, side)[:, :shown]
    low, high = atoms.min((2, 3), keepdims=True), atoms.max((2, 3), keepdims=True)
    atoms = (atoms - low) / np.maximum(high - low, 1e-12)
    atoms = np.pad(atoms, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=1.0)
    return atoms.transpose(0, 2, 1, 3).reshape(-1, shown * (side + 1))


def _panels(samplings) -> tuple[Figure, dict]:
    samplings = [s for s in SAMPLING if s in set(samplings)]
    figure = Figure(figsize=(3.8 * len(samplings) + 1.8, 3.2), layout="constrained")
    axes = figure.subplots(1, len(samplings), sharey=True, squeeze=False)[0]
    return figure, dict(zip(samplings, axes, strict=True))


def _legend_right(ax, **options) -> None:
    if "handles" not in options:
        handles, labels = ax.get_legend_handles_labels()
        options |= {"handles": handles, "labels": labels}
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), **options)


def _name(method: str) -> str:
    return NAMES.get(method, method)
