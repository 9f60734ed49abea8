"""Figures of the theory from long-form tables; every function returns a Figure."""

import matplotlib as mpl
import matplotlib.patheffects
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from evidence.style import legend_right


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
    legend_right(last)


def _mean(theory, regime, metrics):
    here = theory[(theory.regime == regime) & theory.metric.isin(metrics)]
    return here.pivot_table(index="epoch", columns="metric", values="value")
