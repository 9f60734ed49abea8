"""Figures of the paper from long-form tables and tensors; every function returns a Figure."""

import io
from pathlib import Path

import matplotlib as mpl
import matplotlib.patheffects
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from evidence import published
from groupsparse.files import write_checked

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
    "silhouette": "nonnegative group-sparse",
    "raw": "raw pixels",
    "oracle": "oracle (given true codes)",
    "chance": "chance",
}
ALGORITHMS = {"kmeans": "k-means", "spectral": "spectral clustering", "argmax": "active group"}
SAMPLING = {"fixed": "fixed data set", "fresh": "fresh samples every epoch"}


def save(figures: dict[str, Figure], paths: list[str]) -> None:
    """Write to each path the figure of that name, in the format of its ending, without timestamps.

    Atomic and with a checksum. KeyError if a path is named after none of the ``figures``.
    """
    for path in paths:
        ending, content = Path(path).suffix[1:], io.BytesIO()
        metadata = {"Date": None} if ending == "svg" else {}
        figure = figures[Path(path).stem]
        figure.savefig(content, format=ending, bbox_inches="tight", metadata=metadata)
        write_checked(path, content.getvalue())


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
    """Error per epoch of one method from every initialisation at one SNR."""
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


def lambda_sweep(sweep: pd.DataFrame) -> Figure:
    """Dictionary error and group support after training against lambda, a column per prox."""
    metrics = {
        "squared_error": r"$\|A - A^*\|_F^2$",
        "group_exact": "samples with exact groups",
    }
    proxes = list(dict.fromkeys(sweep.prox))
    figure = Figure(figsize=(4.2 * len(proxes), 5.4), layout="constrained")
    grid = figure.subplots(len(metrics), len(proxes), sharex=True, sharey="row", squeeze=False)
    for row, (metric, label) in zip(grid, metrics.items(), strict=True):
        for ax, prox in zip(row, proxes, strict=True):
            first = ax is grid[0][0]
            here = sweep[(sweep.metric == metric) & (sweep.prox == prox)]
            sns.lineplot(
                here.assign(snr=here.snr.map("{:g} dB".format)), x="lambda", y="value", hue="snr",
                style="snr", markers=True, dashes=False, errorbar=("pi", 100), ax=ax, legend=first,
            )  # fmt: skip
            ax.set(xlabel=r"$\lambda$", ylabel=label, yscale="log" if ax in grid[0] else "linear")
            if ax in grid[0]:
                ax.set_title(prox.replace("_", " ") + " threshold")
            if first:
                ax.legend(title="SNR")
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
    shape = len(samplings), len(metrics)
    grid = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False)
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
    dictionaries : method -> (n, m), drawn as images where n is a square number, else as lines
    codes : method -> (m,), the code of ``sample`` (n,)
    """
    figure = Figure(figsize=(4.2 * len(codes), 6.2), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[2.2, 1])
    axes = top.subplots(1, len(dictionaries), squeeze=False)[0]
    for letter, ax, (method, dictionary) in zip("abcdef", axes, dictionaries.items(), strict=False):
        _draw_atoms(ax, dictionary, group_size, shown)
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
    axes[-1].set_xlim(right=1.2 * len(codes[method]))
    inset = axes[-1].inset_axes([0.855, 0.64, 0.14, 0.34])
    if side := _side(len(sample)):
        inset.imshow(sample.reshape(side, side), cmap="gray")
    else:
        inset.plot(sample, color="k", lw=0.8)
        inset.grid(False)
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


def silhouettes(
    dictionaries: dict[str, np.ndarray],
    codes: dict[str, np.ndarray],
    labels: np.ndarray,
    group_size: int,
) -> Figure:
    r"""Atoms by group (one row a group) and the mean activation of every class, per method.

    Parameters
    ----------
    dictionaries : method -> (n, m), drawn as images where n is a square number, else as lines
    codes : method -> (N, m); the map shows the mean of \|x\| over each class of ``labels`` (N,)
    """
    classes = np.unique(labels)
    figure = Figure(figsize=(13, 3.9 * len(codes)), layout="constrained")
    grid = figure.subplots(len(codes), 2, squeeze=False, width_ratios=[1, 1.15])
    letters = iter("abcdefgh")
    for (left, right), (method, code) in zip(grid, codes.items(), strict=True):
        _draw_atoms(left, dictionaries[method], group_size, group_size)
        left.set(title=f"({next(letters)}) atoms, {_name(method)}", xticks=[], yticks=[])
        left.set(xlabel="atom of the group", ylabel="group (first at the top)")
        left.grid(False)
        means = np.stack([np.abs(code[labels == c]).mean(0) for c in classes])
        image = right.imshow(means, cmap="magma", aspect="auto", interpolation="nearest")
        groups = means.shape[1] // group_size
        for edge in range(1, groups):
            right.axvline(edge * group_size - 0.5, color="w", lw=0.8)
        right.set_xticks((np.arange(groups) + 0.5) * group_size - 0.5, labels=range(groups))
        right.set_yticks(np.arange(len(classes)), labels=classes)
        right.set(title=f"({next(letters)}) mean |code| of each class, {_name(method)}")
        right.set(xlabel="group (its atoms side by side)", ylabel="class")
        right.grid(False)
        figure.colorbar(image, ax=right, label="mean |coefficient|")
    return figure


def clustering_accuracy(
    clustering: pd.DataFrame, dataset: str, supervised: tuple[str, ...] = ()
) -> Figure:
    """Table 1 as a figure: ACC of every feature, initialisation and centring, mean and replicates.

    ``clustering`` is the long-form table of one data set. Dashed: raw pixels. Diamonds: the
    paper's numbers for ``dataset``, if any. Crosses: initialisations that are ``supervised``.
    """
    table = clustering[(clustering.metric == "acc") & ~clustering.method.isin(["oracle", "raw"])]
    chance = table[table.method == "chance"].value.mean()
    table = table[table.method != "chance"]
    texts = {"codes": "codes", "codes+": "codes+", "group": "active group (no algorithm)"}
    present = set(zip(table.method, table.features, strict=True))
    rows = [(m, f) for m in table.method.unique() for f in texts if (m, f) in present]
    inits = list(dict.fromkeys(table.init))
    colors = dict(zip(inits, sns.color_palette("colorblind", len(inits)), strict=True))
    shifts = {i: (k + 0.5) / len(inits) * 0.8 - 0.4 for k, i in enumerate(inits)}
    figure = Figure(figsize=(12, 0.75 * len(rows) + 1.6), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    raw = clustering[(clustering.metric == "acc") & (clustering.method == "raw")]
    for ax, algorithm in zip(axes, ("kmeans", "spectral"), strict=True):
        # The active group needs no algorithm: both panels show its points.
        here = table[table.algorithm.isin([algorithm, "argmax"])]
        keys = ["method", "features", "init", "centered"]
        for (method, features, init, centered), part in here.groupby(keys, sort=False):
            y = rows.index((method, features)) + shifts[init] + (0.04 if centered else -0.04)
            x = part.value.mean()
            ax.plot([part.value.min(), part.value.max()], [y, y], color=colors[init], lw=1.2)
            ax.plot(
                x, y, "x" if init in supervised else "o", color=colors[init], ms=5.5,
                markerfacecolor="white" if centered else colors[init],
            )  # fmt: skip
        ax.axvline(raw[raw.algorithm == algorithm].value.mean(), color="0.25", ls="--", lw=1)
        ax.axvline(chance, color="0.6", ls=":", lw=1)
        if dataset == published.TABLE1_DATASET:
            for y, row in enumerate(rows):
                if row in published.TABLE1:
                    ax.plot(published.TABLE1[row][algorithm], y, "D", color="k", ms=6, zorder=5)
        for edge in range(1, len(rows)):
            ax.axhline(edge - 0.5, color="0.85", lw=0.8)
        ax.grid(False, axis="y")
        ax.set(title=ALGORITHMS[algorithm], xlabel="ACC on the test set")
    labels = [f"{_name(method)}\n{texts[features]}" for method, features in rows]
    axes[0].set_yticks(range(len(rows)), labels=labels)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    line = mpl.lines.Line2D
    handles = [
        line([], [], color=c, marker="x" if i in supervised else "o", ls="", label=f"init {i}"
             + (" (uses labels)" if i in supervised else ""))
        for i, c in colors.items()
    ]  # fmt: skip
    if table.centered.any():
        handles += [line([], [], color="0.4", marker="o", ls="", label="not centred (filled)"),
                    line([], [], color="0.4", marker="o", ls="", mfc="w", label="centred (open; x: "
                         "lower)")]  # fmt: skip
    handles += [line([], [], color="0.25", ls="--", label="raw pixels"),
                line([], [], color="0.6", ls=":", label="chance")]  # fmt: skip
    if dataset == published.TABLE1_DATASET:
        handles.append(line([], [], color="k", marker="D", ls="", label="paper (one number)"))
    several = table.replicate.max() > 0
    title = f"{dataset}; bars span\nall replicates" if several else dataset
    _legend_right(axes[-1], handles=handles, title=title)
    return figure


def convergence(table: pd.DataFrame, epochs: int) -> Figure:
    """Training loss per epoch and ACC of snapshots of long runs; a line marks ``epochs``."""
    figure = Figure(figsize=(11.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    methods = list(dict.fromkeys(table.method))
    last = int(table.epoch.max())
    colors = dict(zip(methods, sns.color_palette("colorblind", len(methods)), strict=True))
    marks = {"kmeans": "o-", "spectral": "s--", "argmax": "^:"}
    for method, color in colors.items():
        here = table[table.method == method].set_index(["metric", "epoch"]).value
        loss = here.loc["loss"]
        label = f"{_name(method)}\n{loss[epochs]:.4g} at {epochs}, {loss[last]:.4g} at {last}"
        left.plot(loss.index, loss, color=color, label=label)
        for algorithm, mark in marks.items():
            if (metric := f"acc_{algorithm}") in here.index.get_level_values("metric"):
                values = here.loc[metric]
                name = f"{_name(method)}, {ALGORITHMS[algorithm]}"
                right.plot(values.index, values, mark, color=color, ms=4, label=name)
    for ax in (left, right):
        ax.axvline(epochs, color="0.3", ls="-.", lw=1)
        ax.set(xlabel="epoch", xlim=(-0.5, last + 0.5))
    left.legend()
    left.set(title="(a) training loss", yscale="log", ylabel=r"$\frac{1}{2}\|y - \hat{y}\|^2$")
    right.set(title=f"(b) test set, scored at snapshots; line: {epochs} epochs", ylabel="ACC")
    _legend_right(right)
    return figure


def _side(n: int) -> int:
    """The side of a square image of n pixels; 0 if there is none."""
    side = int(n**0.5)
    return side if side * side == n else 0


def _draw_atoms(ax, dictionary: np.ndarray, group_size: int, shown: int) -> None:
    """The first ``shown`` atoms of each group, one row a group: images, or lines of any length."""
    n, m = dictionary.shape
    atoms = dictionary.T.reshape(m // group_size, group_size, n)[:, :shown]
    if side := _side(n):
        ax.imshow(_mosaic(atoms.reshape(*atoms.shape[:2], side, side)), cmap="gray")
        return
    scale = np.maximum(np.abs(atoms).max(-1, keepdims=True), 1e-12)
    rows, columns = np.indices(atoms.shape[:2])[..., None]
    x = columns + np.linspace(0.05, 0.95, n)
    y = rows - 0.45 * atoms / scale  # the axis points down, as that of images
    lines = np.stack([x, y], -1).reshape(-1, n, 2)
    ax.hlines(np.arange(len(atoms)), 0, atoms.shape[1], color="0.85", lw=0.6)
    ax.add_collection(mpl.collections.LineCollection(lines, colors="k", linewidths=0.8))
    ax.set(xlim=(0, atoms.shape[1]), ylim=(len(atoms) - 0.4, -0.6))


def _mosaic(atoms: np.ndarray) -> np.ndarray:
    """Images (groups, shown, side, side), each from black to white, as one image."""
    shown, side = atoms.shape[1], atoms.shape[-1]
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


def theory_constants(theory: pd.DataFrame) -> Figure:
    """Errors, the paper's constants, Lemma 1's interval and support recovery, per regime."""
    error = {
        "raw": r"$\|A - A^*\|_F^2$ (Theorem 2)",
        "unit": "the same, unit atoms (Fig. 3)",
        "span": "the part outside the true spans",
    }
    constants = {
        "delta": r"$\delta$",
        "delta_unit": r"$\delta$ of unit atoms",
        "zeta": r"$\zeta$",
        "alpha_mean": r"mean $\alpha_i$",
        "orthonormality_defect": r"$\max_g\|A_g^TA_g - I\|_F$",
    }
    fractions = {
        "tau_mean": r"mean $\tau_g$",
        "mu": r"$\mu$",
        "mu_B": r"$\mu_B$",
        "p_mean": r"mean $p_g$",
    }
    interval = {
        "lambda": r"$\lambda$ in use",
        "lemma1_low": "lower end, printed",
        "lemma1_high": "upper end, printed",
        "lemma1_low_rank": r"lower end, $d\mu_B$ for $\mu_B$",
        "lemma1_high_rank": r"upper end, $d\mu_B$ for $\mu_B$",
    }
    support = {
        "support_exact": "exact support",
        "support_recall": "recall of groups",
        "support_precision": "precision of groups",
    }
    figure, grid = _regimes(theory, 5)
    _rows(grid[0], theory, error, "squared error", yscale="log")
    _rows(grid[1], theory, constants, "constants")
    _rows(grid[2], theory, fractions, "constants", ylim=(0, 1))
    _rows(grid[3], theory, interval, r"$\lambda$ (Lemma 1)", styles=["-", "-", "-", "--", "--"],
          colors=["k", "C0", "C3", "C0", "C3"])  # fmt: skip
    for regime, ax in grid[3].items():
        bounds = _mean(theory, regime, ["lemma1_low", "lemma1_high"])
        ax.fill_between(
            bounds.index, bounds.lemma1_low, bounds.lemma1_high,
            where=bounds.lemma1_low <= bounds.lemma1_high, color="C2", alpha=0.25,
        )  # fmt: skip
        if (bounds.lemma1_low > bounds.lemma1_high).all():
            ax.text(0.5, 0.5, "empty throughout", transform=ax.transAxes, ha="center")
    _rows(grid[4], theory, support, "support recovery", ylim=(-0.03, 1.05), xlabel="epoch")
    return figure


def theory_gradients(theory: pd.DataFrame) -> Figure:
    """Contraction per step against Theorem 2's rho; gradients against eqs. 27 and 32."""
    contraction = {
        "contraction_raw": r"measured, $\|A - A^*\|_F^2$",
        "contraction_unit": "measured, unit atoms",
        "contraction_span": "measured, outside the true spans",
        "rho_printed": r"$\rho$ as printed",
        "rho_without_v": r"$\rho$ without its $V$ term",
    }
    pairs = {
        "approximate": "eq. 27 against exact",
        "printed": "eq. 32 against measured",
        "outside": "eq. 32, outside the group's span",
        "derived": "derived mean against measured",
    }
    figure, grid = _regimes(theory, 3)
    _rows(grid[0], theory, contraction, r"$\rho$ per step", styles=["-", "-", "-", "--", "--"])
    for ax in grid[0].values():
        ax.axhline(0, color="0.4", lw=0.8)
        ax.set_yscale("symlog", linthresh=0.1)
    cosines = {f"{k}_cosine": v for k, v in pairs.items()}
    _rows(grid[1], theory, cosines, "cosine", ylim=(-1.05, 1.05))
    errors = {f"{k}_error": v for k, v in pairs.items()}
    errors["monte_carlo_error"] = "sampling error of the measured"
    _rows(grid[2], theory, errors, "relative error", yscale="log", xlabel="epoch")
    return figure


def theory_support(sweep: pd.DataFrame) -> Figure:
    """Support recovery, Theorem 1 and eq. 32 over delta (rows) and lambda (columns)."""
    panels = {
        "support_exact": "(a) samples with exact support",
        "theorem1_violated": "(b) atoms that violate Theorem 1",
        "theorem1_vacuous": "(c) atoms where Theorem 1 promises nothing",
        "printed_cosine": "(d) cosine of eq. 32's main term and the gradient",
    }
    in_use = sweep[sweep.metric == "lambda"].iloc[0]
    b_min = in_use["value"] / in_use["lambda"]
    outline = [mpl.patheffects.withStroke(linewidth=3.5, foreground="black")]
    figure = Figure(figsize=(11, 7), layout="constrained")
    for ax, (metric, title) in zip(figure.subplots(2, 2).flat, panels.items(), strict=True):
        table = sweep[sweep.metric == metric].pivot_table("value", "delta", "lambda")
        # What is undefined, as the angle of a zero vector, stays an empty cell.
        table = table.reindex(sweep.delta.unique(), columns=sweep["lambda"].unique())
        sns.heatmap(
            table, vmin=0, vmax=1, cmap="viridis", annot=True, fmt=".2g", annot_kws={"size": 7},
            ax=ax,
        )  # fmt: skip
        ax.invert_yaxis()
        ax.set(title=title, xlabel=r"$\lambda / B_{min}$", ylabel=r"$\delta$")
        if metric != "support_exact":
            continue
        ticks = np.arange(len(table.columns)) + 0.5
        for shift, suffix, color in ((0.25, "", "white"), (0.75, "_rank", "red")):
            ends = sweep[sweep.metric.isin([f"lemma1_low{suffix}", f"lemma1_high{suffix}"])]
            ends = ends.pivot_table("value", "delta", "metric") / b_min
            for row, (low, high) in enumerate(ends.iloc[:, ::-1].to_numpy()):
                if low <= high:
                    line = np.interp([low, high], table.columns, ticks), [row + shift] * 2
                    ax.plot(*line, color=color, lw=2, path_effects=outline)
    handles = [
        mpl.lines.Line2D(
            [], [], color="white", lw=2, path_effects=outline, label="Lemma 1's interval, printed"
        ),
        mpl.lines.Line2D(
            [], [], color="red", lw=2, path_effects=outline, label=r"with $d\mu_B$ for $\mu_B$"
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _regimes(theory, rows):
    """A grid of ``rows`` x regimes; a diverged regime has nothing to draw but its start."""
    gone = set(theory[(theory.metric == "diverged") & (theory.value > 0)].regime)
    regimes = [r for r in theory.regime.unique() if r not in gone]
    figure = Figure(figsize=(3.1 * len(regimes) + 2.6, 2.3 * rows), layout="constrained")
    axes = figure.subplots(rows, len(regimes), sharex="col", squeeze=False)
    for ax, regime in zip(axes[0], regimes, strict=True):
        ax.set_title(regime)
    return figure, [dict(zip(regimes, row, strict=True)) for row in axes]


def _rows(axes, theory, labels, ylabel, *, styles=None, colors=None, xlabel="", **options) -> None:
    """One row of panels: mean over replicates of each metric, with a band over all of them."""
    styles = styles or ["-"] * len(labels)
    colors = colors or [f"C{i}" for i in range(len(labels))]
    for regime, ax in axes.items():
        here = theory[theory.regime == regime]
        for (metric, label), style, color in zip(labels.items(), styles, colors, strict=True):
            values = here[here.metric == metric].groupby("epoch").value.agg(["mean", "min", "max"])
            ax.plot(values.index, values["mean"], style, color=color, label=label, lw=1.4)
            ax.fill_between(values.index, values["min"], values["max"], color=color, alpha=0.15)
        ax.set(xlabel=xlabel, **options)
    first, last = next(iter(axes.values())), ax
    first.set_ylabel(ylabel)
    _legend_right(last)


def _mean(theory, regime, metrics):
    here = theory[(theory.regime == regime) & theory.metric.isin(metrics)]
    return here.pivot_table(index="epoch", columns="metric", values="value")
