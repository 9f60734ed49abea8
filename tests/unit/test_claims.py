"""Every verdict rule of the claims: small tables that must give each verdict, edges included."""

import numpy as np
import pandas as pd
import pytest

from groupsparse import published
from groupsparse.claims import claims

# The words that a reader sees.
HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
OTHER_SIZE = "not compared: other size"
SNRS, REPLICATES = (1.0, 5.0, 10.0), (0, 1)
CHOICES = {
    "method": "group_sparse", "baseline": "sparse", "init": "kmeans", "simulation_init": "near",
    "snr_db": 1.0,
}  # fmt: skip

# A study in which every claim holds. Values broadcast to (SNR, replicate); curves to
# (SNR, replicate, epoch); scores to (replicate,).
RECOVERY = {
    ("group_sparse", "final", "entry_recall"): 1.0,
    ("group_sparse", "final", "entry_f1"): 0.9,
    ("group_sparse", "final", "group_exact"): 1.0,
    ("group_sparse", "init", "group_exact"): 1.0,
    ("group_sparse", "init", "group_recall"): 1.0,
    ("sparse", "final", "entry_recall"): 0.78,
    ("sparse", "final", "entry_f1"): 0.8,
    ("sparse", "init", "group_exact"): 0.0,
    ("sparse", "init", "group_recall"): 0.0,
}
ENDS = np.array([6.5, 5.2, 4.4])[:, None]
CURVES = {
    ("near", "group_sparse", "squared_error"): [880, 100, 6.5],
    ("near", "group_sparse", "loss"): [np.nan, 10, 5],  # measured while an epoch runs: none at 0
    ("near", "sparse", "squared_error"): [880, 20, 33],
    ("near", "oracle", "squared_error"): [np.nan, 6, 6],
    ("far", "group_sparse", "squared_error"): [1000, 100, 20],
}
SCORES = {
    ("raw", "none", "raw", "kmeans", "acc"): 0.5,
    ("raw", "none", "raw", "spectral", "acc"): 0.6,
    ("raw", "none", "raw", "none", "class_contrast"): 1.2,
    ("sparse", "kmeans", "codes", "kmeans", "acc"): 0.5,
    ("sparse", "kmeans", "codes", "spectral", "acc"): 0.6,
    ("sparse", "kmeans", "codes", "none", "class_contrast"): 1.3,
    ("sparse", "kmeans", "codes", "none", "active_entries"): 0.2,
    ("group_sparse", "kmeans", "codes", "kmeans", "acc"): 0.7,
    ("group_sparse", "kmeans", "codes", "spectral", "acc"): 0.8,
    ("group_sparse", "kmeans", "codes+", "kmeans", "acc"): 0.75,
    ("group_sparse", "kmeans", "codes+", "spectral", "acc"): 0.85,
    ("group_sparse", "kmeans", "codes", "none", "class_contrast"): 1.5,
    ("group_sparse", "kmeans", "codes", "none", "active_groups"): 2.0,
    ("group_sparse", "kmeans", "codes", "none", "active_entries"): 0.1,
    ("group_sparse", "kmeans", "group", "argmax", "acc"): 0.62,
    ("group_sparse", "random", "group", "argmax", "acc"): 0.61,
}


def recovery_table(values, snrs=SNRS, replicates=REPLICATES):
    rows = []
    for (method, stage, metric), value in values.items():
        full = np.broadcast_to(value, (len(snrs), len(replicates)))
        rows += [
            {
                "snr": snr, "init": "near", "sampling": "fresh", "method": method, "stage": stage,
                "replicate": r, "metric": metric, "value": full[i, r],
            }
            for i, snr in enumerate(snrs)
            for r in replicates
        ]  # fmt: skip
    return pd.DataFrame(rows)


def history_table(curves, snrs=SNRS, replicates=REPLICATES):
    rows = []
    for (init, method, metric), curve in curves.items():
        epochs = np.shape(curve)[-1]
        full = np.array(np.broadcast_to(curve, (len(snrs), len(replicates), epochs)), dtype=float)
        rows += [
            {
                "snr": snr, "init": init, "sampling": "fresh", "method": method, "replicate": r,
                "epoch": epoch, "metric": metric, "value": full[i, r, epoch],
            }
            for i, snr in enumerate(snrs)
            for r in replicates
            for epoch in range(epochs)
        ]  # fmt: skip
    return pd.DataFrame(rows).dropna()


def clustering_table(scores, dataset="mnist", replicates=REPLICATES):
    names = ["method", "init", "features", "algorithm", "metric"]
    rows = [
        {
            **dict(zip(names, key, strict=True)), "dataset": dataset, "centered": False,
            "replicate": r, "value": np.broadcast_to(value, len(replicates))[r],
        }
        for key, value in scores.items()
        for r in replicates
    ]  # fmt: skip
    return pd.DataFrame(rows)


def study(changes=(), model=published.MODEL, dataset="mnist", **sizes):
    """The claims of the study above after ``changes`` of some of its entries."""
    changes = dict(changes)
    tables = [{k: changes.get(k, v) for k, v in t.items()} for t in (RECOVERY, CURVES, SCORES)]
    assert set(changes) <= {key for t in tables for key in t}, "an entry that is not there"
    curves = tables[1]
    levels = ("near", "group_sparse", "squared_error")
    if levels not in changes:
        ends = ENDS[: len(sizes.get("snrs", SNRS))]
        curves[levels] = np.concatenate([ends * 0 + 880, ends * 0 + 100, ends], -1)[:, None]
    oracle = ("near", "oracle", "squared_error")
    if oracle not in changes:
        curves[oracle] = np.array(curves[levels]) / 1.2
        curves[oracle][..., 0] = np.nan
    return claims(
        recovery_table(tables[0], **sizes),
        history_table(curves, **sizes),
        clustering_table(tables[2], dataset, sizes.get("replicates", REPLICATES)),
        CHOICES,
        model,
    )


def row_of(table, name):
    """The one row whose claim and statistic hold every part of ``name``."""
    text = table.claim + " | " + table.statistic
    found = [i for i, t in text.items() if all(part in t for part in name.split(" & "))]
    assert len(found) == 1, (name, text.tolist())
    return table.loc[found[0]]


def column(*values):
    """Values that differ between noise levels."""
    return np.array(values)[:, None]


def ending(*ends, start=880.0, before=100.0):
    """Curves that end at each of ``ends``, one a noise level."""
    return np.array([[start, before, end] for end in ends])[:, None]


OURS, BASE = "group_sparse recovers about 100%", "sparse recovers about 78%"
RECALL = ("group_sparse", "final", "entry_recall")
BASE_RECALL = ("sparse", "final", "entry_recall")
EXACT = ("group_sparse", "final", "group_exact")
INIT_EXACT, INIT_RECALL = (("group_sparse", "init", f"group_{m}") for m in ("exact", "recall"))
ERROR, LOSS = (("near", "group_sparse", m) for m in ("squared_error", "loss"))
OTHER, BEST = (("near", m, "squared_error") for m in ("sparse", "oracle"))
FAR = ("far", "group_sparse", "squared_error")
F1 = ("group_sparse", "final", "entry_f1")


def score(method, features, algorithm, metric="acc", init="kmeans"):
    return (method, init, features, algorithm, metric)


CODES, CODES_PLUS = (score("group_sparse", f, "kmeans") for f in ("codes", "codes+"))
SPECTRAL, SPECTRAL_PLUS = (score("group_sparse", f, "spectral") for f in ("codes", "codes+"))
RAW_CONTRAST = score("raw", "raw", "none", "class_contrast", init="none")
CONTRAST = score("group_sparse", "codes", "none", "class_contrast")
GROUPS = score("group_sparse", "codes", "none", "active_groups")
ACTIVE = score("group_sparse", "group", "argmax")
RANDOM = score("group_sparse", "group", "argmax", init="random")

BETTER_ERROR, BETTER_CODES = "ends closer to the truth than sparse", "codes better than sparse"
CASES = [
    # Recall: every level inside its interval, ends included, and levels at most 0.03 apart.
    (OURS, {RECALL: 0.98}, HOLDS),
    (OURS, {RECALL: [0.97, 0.99]}, HOLDS),  # a level is the mean over replicates
    (OURS, {RECALL: 0.97}, PARTLY),  # flat
    (OURS, {RECALL: column(0.9, 0.95, 1.0)}, FAILED),
    (BASE, {BASE_RECALL: column(0.70, 0.71, 0.72)}, HOLDS),
    (BASE, {BASE_RECALL: column(0.84, 0.85, 0.86)}, HOLDS),
    (BASE, {BASE_RECALL: column(0.70, 0.78, 0.86)}, PARTLY),  # inside
    (BASE, {BASE_RECALL: 1.0}, PARTLY),  # flat
    (BASE, {BASE_RECALL: column(0.5, 0.78, 0.78)}, FAILED),
    ("find exactly", {EXACT: 0.98}, HOLDS),
    ("find exactly", {EXACT: [0.97, 1.0]}, PARTLY),  # the lowest counts
    ("find exactly", {EXACT: [0.0, 1.0]}, PARTLY),
    ("find exactly", {EXACT: [0.0, 0.99]}, FAILED),
    ("in one step, before training", {INIT_EXACT: 0.98, INIT_RECALL: 0.98}, HOLDS),
    ("in one step, before training", {INIT_EXACT: [0.1, 1.0]}, PARTLY),
    ("in one step, before training", {INIT_EXACT: 0.1, INIT_RECALL: [0.97, 1.0]}, FAILED),
    ("small neighbourhood", {ERROR: ending(20, 20, 20, start=1000)}, HOLDS),
    ("small neighbourhood", {ERROR: ending(1, 1, 200, start=1000)}, PARTLY),
    ("small neighbourhood", {ERROR: ending(1, 1, 201, start=1000)}, FAILED),
    ("paper's curves end", {ERROR: ending(1.49 * 6.5, 5.2 / 1.49, 4.4)}, HOLDS),
    ("paper's curves end", {ERROR: ending(1.51 * 6.5, 5.2 / 1.51, 4.4)}, PARTLY),
    ("paper's curves end", {ERROR: ending(1.51 * 6.5, 5.2 / 1.51, 8.0)}, FAILED),
    ("falls and settles", {LOSS: [np.nan, 10, 9.99]}, HOLDS),
    ("falls and settles", {LOSS: [[[np.nan, 10, 5], [np.nan, 10, 10]]] * 3}, FAILED),
    ("close to least squares", {ERROR: ending(6, 6, 6), BEST: [np.nan, 4, 4]}, HOLDS),
    ("close to least squares", {ERROR: ending(6.1, 6, 6), BEST: [np.nan, 4, 4]}, PARTLY),
    ("close to least squares", {ERROR: ending(6.1, 7, 8), BEST: [np.nan, 4, 4]}, FAILED),
    ("Less noise", {ERROR: ending(6, 5, 4)}, HOLDS),
    ("Less noise", {ERROR: ending(6, 4, 5)}, PARTLY),
    ("Less noise", {ERROR: ending(6, 5, 6)}, FAILED),
    (BETTER_ERROR, {ERROR: ending(1, 1, 1), OTHER: [880, 20, 1.06]}, HOLDS),
    (BETTER_ERROR, {ERROR: ending(1, 1, 1), OTHER: ending(1.04, 1.06, 1.06)}, PARTLY),
    (BETTER_ERROR, {ERROR: ending(1, 1, 1), OTHER: ending(0.9, 1.0, 1.1)}, FAILED),
    (BETTER_CODES, {F1: 0.801}, HOLDS),
    (BETTER_CODES, {F1: [0.8, 0.9]}, PARTLY),  # equal is not better
    (BETTER_CODES, {F1: 0.8}, FAILED),
    ("dips and then rises", {OTHER: [880, 20, 22]}, HOLDS),
    ("dips and then rises", {OTHER: np.array([[[880, 20, 20], [880, 20, 22]]] * 3)}, PARTLY),
    ("dips and then rises", {OTHER: [880, 20, 21.9]}, FAILED),
    # Only the noise level of Fig. 3c is asked.
    ("dips and then rises", {OTHER: ending(22, 20, 20, before=20)}, HOLDS),
    ("from init far", {FAR: [1000, 500, 20]}, HOLDS),
    ("from init far", {FAR: [1000, 500, 200]}, PARTLY),
    ("from init far", {FAR: [1000, 500, 201]}, FAILED),
    ("better than sparse codes & kmeans,", {CODES: 0.501}, HOLDS),
    ("better than sparse codes & kmeans,", {CODES: [0.5, 0.6]}, PARTLY),
    ("better than sparse codes & kmeans,", {CODES: [0.4, 0.6]}, FAILED),
    ("better than sparse codes & spectral,", {SPECTRAL: 0.6}, FAILED),
    ("better than raw pixels & kmeans,", {CODES: 0.501}, HOLDS),
    ("better than raw pixels & kmeans,", {CODES: [0.49, 0.6]}, PARTLY),
    ("better than raw pixels & kmeans,", {CODES: 0.5}, FAILED),
    ("better than raw pixels & spectral,", {SPECTRAL: 0.59}, FAILED),
    ("cluster better still & kmeans,", {CODES_PLUS: 0.701}, HOLDS),
    ("cluster better still & kmeans,", {CODES_PLUS: [0.7, 0.8]}, PARTLY),
    ("cluster better still & kmeans,", {CODES_PLUS: 0.7}, FAILED),
    ("cluster better still & spectral,", {SPECTRAL_PLUS: 0.8}, FAILED),
    # Over the better of the baseline's codes (1.3) and raw pixels (1.2).
    ("show the classes best", {CONTRAST: 1.31}, HOLDS),
    ("show the classes best", {CONTRAST: [1.29, 1.4]}, PARTLY),
    ("show the classes best", {CONTRAST: 1.3}, FAILED),
    ("show the classes best", {CONTRAST: 1.35, RAW_CONTRAST: 1.4}, FAILED),
    ("are group-sparse", {GROUPS: 3.0}, HOLDS),
    ("are group-sparse", {GROUPS: [3.0, 7.0]}, PARTLY),
    ("are group-sparse", {GROUPS: 5.1}, FAILED),
    ("same active group", {ACTIVE: 0.501}, HOLDS),
    ("same active group", {ACTIVE: [0.5, 0.6]}, PARTLY),
    ("same active group", {ACTIVE: [0.4, 0.6]}, FAILED),
    ("not from the init", {ACTIVE: 0.65, RANDOM: 0.61}, HOLDS),
    ("not from the init", {ACTIVE: [0.7, 0.6], RANDOM: 0.6}, HOLDS),  # 0.05 on average
    ("not from the init", {ACTIVE: 0.67, RANDOM: 0.61}, FAILED),
]
TWO_VERDICTS = {"falls and settles", "not from the init"}
# Whose rules hold a number of the paper.
NEED_THE_PAPER = [OURS, BASE, "small neighbourhood", "paper's curves end", "from init far"]


def test_the_study_of_these_tests_bears_every_claim_out():
    table = study()
    assert table[table.verdict != HOLDS].empty, table[table.verdict != HOLDS].reason.tolist()


@pytest.mark.parametrize(("name", "changes", "verdict"), CASES)
def test_a_study_gets_the_verdict_that_its_numbers_give(name, changes, verdict):
    row = row_of(study(changes), name)
    assert row.verdict == verdict, row.reason


def test_every_rule_has_a_case_for_each_of_its_verdicts():
    table = study()
    tested = {claim: set() for claim in table.claim}
    for name, _, verdict in CASES:
        tested[row_of(table, name).claim].add(verdict)
    for claim, verdicts in tested.items():
        two = any(part in claim for part in TWO_VERDICTS)
        assert verdicts == ({HOLDS, FAILED} if two else {HOLDS, PARTLY, FAILED}), claim


def test_one_noise_level_cannot_show_that_recall_is_flat():
    assert row_of(study(snrs=(1.0,)), OURS).verdict == PARTLY
    assert row_of(study({RECALL: 0.9}, snrs=(1.0,)), OURS).verdict == FAILED


def test_one_noise_level_makes_no_claim_about_their_order():
    assert not study(snrs=(1.0,)).claim.str.contains("Less noise").any()


def test_levels_that_the_paper_does_not_show_are_not_held_against_it():
    text = study(snrs=(2.0, 3.0)).claim
    assert not text.str.contains("paper's curves end").any()


@pytest.mark.parametrize("key", published.MODEL)
def test_a_study_of_another_size_is_not_judged_by_numbers_of_the_paper(key):
    other = [4.0, 6.0] if key == "amplitude" else published.MODEL[key] + 1
    size = {**published.MODEL, key: other}
    table, same = study(model=size), study()
    needing = [row_of(table, name).id for name in NEED_THE_PAPER]
    assert table[table.verdict == OTHER_SIZE].id.tolist() == sorted(needing)
    assert (table[table.verdict != OTHER_SIZE].verdict == HOLDS).all()
    reasons = table[table.verdict == OTHER_SIZE].reason
    assert reasons.str.contains("n = 950, 500 groups of 2, 10000 samples, 3 active").all()
    written = f"{other[1]:g}" if key == "amplitude" else str(other)
    assert reasons.str.contains(f"this study .*{written}").all()
    kept = ["claim", "statistic", "mean", "std", "low", "high", "seeds", "reference"]
    pd.testing.assert_frame_equal(table[kept], same[kept])


def test_what_fails_without_the_paper_fails_at_any_size():
    small = {**published.MODEL, "n": 40}
    for name, changes, verdict in CASES:
        expected = OTHER_SIZE if name in NEED_THE_PAPER else verdict
        assert row_of(study(changes, model=small), name).verdict == expected


def test_numbers_of_mnist_are_no_yardstick_for_other_images():
    worse = {CODES: 0.4, SPECTRAL: 0.4, GROUPS: 4.0}
    mnist, other = (study(worse, dataset=name) for name in ("mnist", "digits"))
    assert mnist.verdict.tolist() == other.verdict.tolist()
    assert mnist.reference.str.contains("74.5 against").any()
    assert not other.reference.str.contains("74.5|79.4|80.1|54.1").any()


def test_the_spread_is_that_of_replicates_and_the_range_that_of_all_values():
    row = row_of(study({RECALL: [[0.98, 1.0], [0.99, 1.0], [1.0, 1.0]]}), OURS)
    assert row["mean"] == pytest.approx((0.98 + 0.99 + 4) / 6)
    assert row["std"] == pytest.approx(np.std([0.99, 1.0], ddof=1)), "not that over noise levels"
    assert (row.low, row.high, row.seeds) == (0.98, 1.0, 2)
    levels = row_of(study({RECALL: column(0.98, 0.99, 1.0)}), OURS)
    assert levels["std"] == pytest.approx(0, abs=1e-15)


def test_one_replicate_is_called_one_run_and_has_no_spread():
    table = study(replicates=(0,))
    assert table.reason.str.startswith("one run; ").all()
    assert table["std"].isna().all()
    assert not study().reason.str.contains("one run").any()


def test_no_verdict_speaks_of_every_run():
    assert not study(replicates=(0,)).reason.str.contains("every (?:run|pair|replicate)").any()


def test_centred_images_and_other_inits_are_not_looked_at():
    recovery, history = recovery_table(RECOVERY), history_table(CURVES)
    clustering = clustering_table(SCORES)
    far = recovery.assign(init="far", value=0.0)
    centred = clustering.assign(centered=True, value=0.0)
    alone = claims(recovery, history, clustering, CHOICES, published.MODEL)
    both = claims(
        pd.concat([recovery, far]), history, pd.concat([clustering, centred]), CHOICES,
        published.MODEL,
    )  # fmt: skip
    pd.testing.assert_frame_equal(alone, both)


def test_claims_are_numbered_and_further_ones_come_last():
    extra = {**study().iloc[0].drop("id"), "claim": "another"}
    table = claims(
        recovery_table(RECOVERY), history_table(CURVES), clustering_table(SCORES), CHOICES,
        published.MODEL, [extra],
    )  # fmt: skip
    assert table.id.tolist() == list(range(1, len(table) + 1))
    assert table.claim.iloc[-1] == "another"
