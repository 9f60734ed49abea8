"""The claims table: what the paper says beside what this run measured.

Verdicts follow from thresholds that stand here, beside each claim, and from nothing else.
"""

import numpy as np
import pandas as pd

from groupsparse import published

HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
OTHER_SIZE = "not compared: other size"
COLUMNS = (
    "id", "claim", "source", "statistic", "mean", "std", "low", "high", "seeds", "reference",
    "verdict", "reason",
)  # fmt: skip


def claims(
    recovery: pd.DataFrame | None,
    history: pd.DataFrame | None,
    clustering: pd.DataFrame | None,
    choices: dict,
    model: dict | None,
    further: list[dict] = (),
) -> pd.DataFrame:
    """Every claim as a row of ``COLUMNS``, from long-form tables and ``config.report``.

    A table that a run does not have is None. ``mean`` is that of all values and ``low`` to ``high``
    their range, over conditions and replicates; ``std`` is that of the replicates' means. ``model``
    is ``config.simulation.model``: where it is not the paper's, no verdict rests on a number of the
    paper. ``further`` rows, of the shape that ``_claim`` makes, come last.
    """
    rows = []
    if recovery is not None:
        start = choices["simulation_init"]
        here = recovery[recovery.init == start], history[history.init == start]
        rows += [*_recovery_claims(*here, choices, model), *_init_claims(history, choices, model)]
    if clustering is not None:
        for dataset in clustering.dataset.unique():
            rows += _clustering_claims(clustering, dataset, choices)
    rows += further
    return pd.DataFrame([{"id": i, **row} for i, row in enumerate(rows, 1)], columns=COLUMNS)


def _recovery_claims(recovery, history, choices, model):
    method, baseline = choices["method"], choices["baseline"]
    final = recovery[recovery.stage == "final"]
    wide = _wide(final, ["snr", "sampling", "method", "replicate"])
    for name, reference, low, high in ((method, 1.00, 0.98, 1.0), (baseline, 0.78, 0.70, 0.86)):
        for sampling in sorted(final.sampling.unique()):
            values = wide.xs((sampling, name), level=("sampling", "method")).entry_recall
            per_snr = values.groupby("snr").mean()
            spread = per_snr.max() - per_snr.min()
            inside, flat = per_snr.between(low, high).all(), spread <= 0.03 and len(per_snr) > 1
            verdict = HOLDS if inside and flat else PARTLY if inside or flat else FAILED
            yield _claim(
                f"{name} recovers about {reference:.0%} of the support, whatever the SNR",
                "Abstract; Sec. 4.1, Fig. 3d",
                f"recall of active entries, {sampling} sampling, all SNR",
                values,
                f"{reference:.2f}, flat",
                verdict,
                f"from {per_snr.min():.3f} to {per_snr.max():.3f} across SNR; holds if every level "
                f"is in [{low}, {high}] and several levels differ by at most 0.03",
                model=model,
            )
    for sampling in sorted(final.sampling.unique()):
        exact = wide.xs((sampling, method), level=("sampling", "method")).group_exact
        yield _claim(
            f"A constant bias lets {method} find exactly the active groups",
            "Sec. 3.2 (recall alone does not punish false groups)",
            f"samples with exact group support, {sampling} sampling, all SNR",
            exact,
            "1.00 if Lemma 1 applies",
            HOLDS if exact.min() >= 0.98 else PARTLY if exact.mean() >= 0.5 else FAILED,
            f"lowest {exact.min():.3f}; holds from 0.98 on, in part if the mean is at least 0.5",
        )
    untrained = recovery[recovery.stage == "init"]
    # The untrained encoder sees the same data for either sampling.
    untrained = untrained[untrained.sampling == untrained.sampling.iloc[0]]
    start = _wide(untrained, ["snr", "method", "replicate"]).xs(method, level="method")
    both = pd.concat([start.group_recall, start.group_exact])
    yield _claim(
        f"{method} recovers the group support in one step, before training",
        "Lemma 1",
        "samples with exact group support at init, all SNR",
        start.group_exact,
        "1.00 under its assumptions",
        HOLDS if both.min() >= 0.98 else PARTLY if start.group_recall.min() >= 0.98 else FAILED,
        f"group recall {start.group_recall.mean():.3f}; holds if recall and exact support are "
        f"at least 0.98, in part if recall is",
    )
    errors = history[history.metric == "squared_error"]
    for sampling in sorted(errors.sampling.unique()):
        here = errors[(errors.sampling == sampling) & (errors.method == method)]
        ratio = _last(here) / _first(here)
        yield _claim(
            f"The dictionary error of {method} falls to a small neighbourhood of zero",
            "Abstract; Theorem 2, Fig. 3a",
            f"final / initial squared error, {sampling} sampling, all SNR",
            ratio,
            "4.4 to 6.5 / 880 = 0.005 to 0.007",
            HOLDS if ratio.max() <= 0.02 else PARTLY if ratio.max() <= 0.2 else FAILED,
            f"largest {ratio.max():.4f}; holds up to 0.02, in part up to 0.2",
            model=model,
        )
        levels = pd.Series(published.FIG3A)
        ratio = _last(here).div(levels, level="snr").dropna()
        near = ratio.groupby("snr").mean().between(1 / 1.5, 1.5)
        if len(near):
            ends = _last(here).groupby("snr").mean()
            yield _claim(
                f"With {sampling} samples, {method} ends where the paper's curves end",
                "Fig. 3a",
                "final squared error / the paper's, all SNR",
                ratio,
                "6.5, 5.2, 4.4 at 1, 5, 10 dB, from 880",
                HOLDS if near.all() else PARTLY if near.any() else FAILED,
                "means "
                + ", ".join(f"{v:.2f} at {s:g} dB" for s, v in ends.items())
                + f", from {_first(here).mean():.0f}; holds if every mean is within a factor 1.5",
                model=model,
            )
        loss = history[(history.metric == "loss") & (history.sampling == sampling)]
        loss = loss[loss.method == method].set_index(["snr", "replicate"])
        fall = (
            loss[loss.epoch == loss.epoch.max()].value / loss[loss.epoch == loss.epoch.min()].value
        )
        yield _claim(
            f"The loss of {method} falls and settles",
            "Fig. 3b",
            f"last / first training loss, {sampling} sampling, all SNR",
            fall,
            "(a curve)",
            HOLDS if fall.max() < 1 else FAILED,
            f"largest {fall.max():.3f}; holds if that is below 1",
        )
        if "oracle" in set(errors.method):
            pooled = "; least squares has all epochs' samples" if sampling == "fresh" else ""
            best = _last(errors[(errors.sampling == sampling) & (errors.method == "oracle")])
            ratio = _last(here) / best
            yield _claim(
                f"{method} comes close to least squares given the true codes",
                "ours",
                f"final squared error / oracle's, {sampling} sampling, all SNR",
                ratio,
                "1; no bound: shrinkage can beat it",
                HOLDS if ratio.max() <= 1.5 else PARTLY if ratio.min() <= 1.5 else FAILED,
                f"from {ratio.min():.2f} to {ratio.max():.2f}{pooled}; holds if the largest is at "
                "most 1.5, in part if the lowest is",
            )
        means = _last(here).groupby("snr").mean().sort_index()
        if len(means) > 1:
            ordered = means.is_monotonic_decreasing
            yield _claim(
                "Less noise ends at a smaller error",
                "Fig. 3a",
                f"final squared error, lowest minus highest SNR, {sampling} sampling",
                _last(here).xs(means.index[0], level="snr")
                - _last(here).xs(means.index[-1], level="snr"),
                "6.5 > 5.2 > 4.4",
                HOLDS if ordered else PARTLY if means.iloc[-1] < means.iloc[0] else FAILED,
                "means " + ", ".join(f"{v:.2f} at {s:g} dB" for s, v in means.items()),
            )
        others = [m for m in errors.method.unique() if m not in (method, "oracle", "chance")]
        for other in others:
            at = errors[(errors.sampling == sampling) & (errors.method == other)]
            ratio = _last(at) / _last(here)
            yield _claim(
                f"{method} ends closer to the truth than {other}",
                "Abstract; Sec. 4.1, Fig. 3c",
                f"final squared error of {other} / {method}, {sampling} sampling, all SNR",
                ratio,
                "33 / 6.5 = 5 at 1 dB",
                HOLDS if ratio.min() > 1.05 else PARTLY if ratio.mean() > 1 else FAILED,
                f"from {ratio.min():.2f} to {ratio.max():.2f}; holds if the lowest is above "
                "1.05, in part if the mean is above 1",
            )
            ours, theirs = (
                wide.xs((sampling, name), level=("sampling", "method")).entry_f1
                for name in (method, other)
            )
            yield _claim(
                f"{method} codes better than {other}",
                "Abstract (sparse coding)",
                f"F1 of active entries, {method} minus {other}, {sampling} sampling, all SNR",
                ours - theirs,
                "(no number in the paper)",
                HOLDS if (ours > theirs).all() else PARTLY if (ours > theirs).any() else FAILED,
                f"{ours.mean():.3f} against {theirs.mean():.3f}; holds if always larger",
            )
            at = at[at.snr == choices["snr_db"]]
            rise = _last(at) / at.groupby(["snr", "replicate"]).value.min()
            yield _claim(
                f"The error of {other} dips and then rises",
                "Fig. 3c",
                f"final / lowest squared error, {sampling} sampling, {choices['snr_db']:g} dB",
                rise,
                "33 / 20 = 1.65",
                HOLDS if rise.min() >= 1.1 else PARTLY if rise.max() >= 1.1 else FAILED,
                f"at its lowest {at.groupby(['snr', 'replicate']).value.min().mean():.2f}; holds "
                "if the least ratio is at least 1.1, in part if the largest is",
            )


def _init_claims(history, choices, model):
    """Whether the inits that the paper's text allows lead to the truth as well."""
    method, snr = choices["method"], choices["snr_db"]
    errors = history[(history.metric == "squared_error") & (history.method == method)]
    errors = errors[(errors.snr == snr) & (errors.init != choices["simulation_init"])]
    for (init, sampling), here in errors.groupby(["init", "sampling"], sort=False):
        ratio = _last(here) / _first(here)
        yield _claim(
            f"Training from init {init} converges as well",
            "Sec. 4.1 (init correlation 0.15), Fig. 3a (0.56)",
            f"final / initial squared error of {method}, {sampling} sampling, {snr:g} dB",
            ratio,
            "0.007",
            HOLDS if ratio.max() <= 0.02 else PARTLY if ratio.max() <= 0.2 else FAILED,
            f"{_first(here).mean():.0f} to {_last(here).mean():.4g} in {here.epoch.max()} epochs; "
            "holds up to 0.02, in part up to 0.2",
            model=model,
        )


def _clustering_claims(clustering, dataset, choices):
    method, baseline, init = choices["method"], choices["baseline"], choices["init"]
    in_paper = dataset == published.TABLE1_DATASET
    elsewhere = "(no number in the paper)"
    here = clustering[(clustering.dataset == dataset) & ~clustering.centered]
    table = here[here.metric == "acc"]
    keys = ["method", "init", "features", "algorithm", "replicate"]
    accuracy = table.set_index(keys).value.sort_index()
    raw = accuracy.xs("raw", level="method").droplevel(["init", "features"])
    references = {"kmeans": ("74.5", "54.1", "54.5"), "spectral": ("79.4", "55.5", "63.0")}
    for algorithm, (ours, theirs, pixels) in references.items():
        codes = accuracy.loc[method, init, "codes", algorithm]
        pairs = (
            (f"{baseline} codes", accuracy.loc[baseline, init, "codes", algorithm], theirs),
            ("raw pixels", raw.loc[algorithm], pixels),
        )
        for what, other, reference in pairs:
            gain = codes - other
            yield _claim(
                f"{method} codes cluster better than {what}",
                "Abstract; Table 1",
                f"{dataset}: ACC gain, {algorithm}, init {init} "
                f"({codes.mean():.3f} against {other.mean():.3f})",
                gain,
                f"{ours} against {reference} %" if in_paper else elsewhere,
                HOLDS if gain.min() > 0 else PARTLY if gain.mean() > 0 else FAILED,
                f"from {gain.min():+.3f} to {gain.max():+.3f}; holds if the least is positive",
            )
        gain = accuracy.loc[method, init, "codes+", algorithm] - codes
        yield _claim(
            "Nonnegative, normalised codes cluster better still",
            "Table 1",
            f"{dataset}: ACC gain of codes+ over codes, {method}, {algorithm}, init {init}",
            gain,
            "80.1 - 74.5 (kmeans), 80.3 - 79.4 (spectral)" if in_paper else elsewhere,
            HOLDS if gain.min() > 0 else PARTLY if gain.mean() > 0 else FAILED,
            f"from {gain.min():+.3f} to {gain.max():+.3f}; holds if the least is positive",
        )
    contrast = here[(here.metric == "class_contrast") & here.init.isin([init, "none"])]
    contrast = contrast.set_index(["method", "features", "replicate"]).value.sort_index()
    ours, theirs, pixels = (
        contrast.loc[name] for name in ((method, "codes"), (baseline, "codes"), ("raw", "raw"))
    )
    gain = ours / np.maximum(theirs, pixels)
    yield _claim(
        f"Distances between {method} codes show the classes best",
        "Fig. 5",
        f"{dataset}: distance between / within classes, over the better of {baseline} codes and "
        f"raw pixels, init {init}",
        gain,
        "(a picture)",
        HOLDS if gain.min() > 1 else PARTLY if gain.mean() > 1 else FAILED,
        f"{ours.mean():.3f} against {theirs.mean():.3f} ({baseline}) and {pixels.mean():.3f} "
        "(raw); holds if the least ratio is above 1",
    )
    active = here[(here.metric == "active_groups") & (here.method == method)]
    active = active[active.init == init].set_index("replicate").value
    entries = here[(here.metric == "active_entries") & (here.init == init)]
    entries = entries.groupby("method").value.mean()
    yield _claim(
        f"The codes of {method} are group-sparse",
        "Abstract; Fig. 4",
        f"{dataset}: groups with a nonzero entry per sample, init {init}",
        active,
        "few (a picture)",
        HOLDS if active.max() <= 3 else PARTLY if active.mean() <= 5 else FAILED,
        f"{entries[method]:.0%} of the entries are nonzero, {entries[baseline]:.0%} with "
        f"{baseline}; holds up to 3 groups, in part up to 5",
    )
    if "group" not in accuracy.loc[method].index.get_level_values("features"):
        return
    active = accuracy.loc[method].xs("argmax", level="algorithm").droplevel("features")
    gain = active.loc[init] - raw.loc["kmeans"]
    yield _claim(
        "Inputs with the same active group belong to the same cluster",
        "Abstract; Sec. 2",
        f"{dataset}: ACC of the active group minus k-means on raw pixels, init {init} "
        f"({active.loc[init].mean():.3f} against {raw.loc['kmeans'].mean():.3f})",
        gain,
        "(no number in the paper)",
        HOLDS if gain.min() > 0 else PARTLY if gain.mean() > 0 else FAILED,
        f"from {gain.min():+.3f} to {gain.max():+.3f}; holds if the least is positive",
    )
    if {"random", init} <= set(active.index.get_level_values("init")) and init != "random":
        gain = active.loc[init] - active.loc["random"]
        yield _claim(
            "The clustering comes from training, not from the init",
            "ours",
            f"{dataset}: ACC of the active group, init {init} minus init random "
            f"({active.loc['random'].mean():.3f})",
            gain,
            "0 if the init does not matter",
            HOLDS if gain.mean() <= 0.05 else FAILED,
            "the paper does not state its init; holds if the mean gain is at most 0.05",
        )


def _claim(claim, source, statistic, values, reference, verdict, reason, model=None) -> dict:
    """A row; with a ``model``, its rule holds a number of the paper: no verdict at another size."""
    means = values.groupby("replicate").mean()
    if model and not _of_paper_size(model):
        verdict = OTHER_SIZE
        reason = f"the paper has {_size(published.MODEL)}; this study {_size(model)}; {reason}"
    if len(means) == 1:
        reason = f"one run; {reason}"
    return {
        "claim": claim, "source": source, "statistic": statistic, "mean": float(values.mean()),
        "std": float(means.std()), "low": float(values.min()), "high": float(values.max()),
        "seeds": len(means), "reference": reference, "verdict": verdict, "reason": reason,
    }  # fmt: skip


def _of_paper_size(model):
    return all(model[key] == value for key, value in published.MODEL.items())


def _size(model):
    low, high = model["amplitude"]
    return (
        f"n = {model['n']}, {model['groups']} groups of {model['group_size']}, {model['samples']} "
        f"samples, {model['active_groups']} active groups of norm {low:g} to {high:g}"
    )


def _wide(table, keys):
    return table.pivot_table(index=keys, columns="metric", values="value")


def _last(history):
    return history[history.epoch == history.epoch.max()].set_index(["snr", "replicate"]).value


def _first(history):
    return history[history.epoch == 0].set_index(["snr", "replicate"]).value
