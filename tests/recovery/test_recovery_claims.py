"""Every claim about recovery and clustering: small tables that must give each of its verdicts."""

import numpy as np
import pandas as pd
import pytest

from clustering import claims as clustering
from evidence import published
from evidence.claims import COLUMNS, Evidence, claim, claims_of, collect, tally
from evidence.verdict import at_least
from recovery import claims as recovery

# The words that a reader sees.
HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
UNDECIDED, ONE_RUN = "undecided", "one run"
OTHER_SIZE, OUTSIDE = "not compared: other size", "outside the assumptions"
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
    return collect([recovery, clustering], tables(changes, dataset, **sizes), CHOICES, model)


def tables(changes=(), dataset="mnist", **sizes):
    changes = dict(changes)
    parts = [{k: changes.get(k, v) for k, v in t.items()} for t in (RECOVERY, CURVES, SCORES)]
    assert set(changes) <= {key for t in parts for key in t}, "an entry that is not there"
    curves = parts[1]
    levels = ("near", "group_sparse", "squared_error")
    if levels not in changes:
        ends = ENDS[: len(sizes.get("snrs", SNRS))]
        curves[levels] = np.concatenate([ends * 0 + 880, ends * 0 + 100, ends], -1)[:, None]
    oracle = ("near", "oracle", "squared_error")
    if oracle not in changes:
        curves[oracle] = np.array(curves[levels]) / 1.2
        curves[oracle][..., 0] = np.nan
    return {
        "recovery": recovery_table(parts[0], **sizes),
        "history": history_table(curves, **sizes),
        "clustering": clustering_table(parts[2], dataset, sizes.get("replicates", REPLICATES)),
    }


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


def seeds(*ends, before=20.0, start=880.0):
    """Curves that end at each of ``ends``, one a seed, at every noise level."""
    return np.array([[[start, before, end] for end in ends]] * len(SNRS))


OURS, BASE = "group_sparse recovers about 100%", "sparse recovers about 78%"
FLAT = "recall of sparse does not depend"
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
ERROR_FALLS, LEVEL, LOSS_FALLS = "small neighbourhood", "paper's curves end", "loss of group_sparse"
ORACLE, NOISE, DIPS, INIT = "close to least squares", "Less noise", "dips and", "from init far"
OVER_BASE, OVER_RAW = "better than sparse codes & ", "better than raw pixels & "
PLUS, SHOW, SPARSE = "cluster better still & ", "show the classes best", "are group-sparse"
CLUSTER, TRAINED = "same active group", "not from the init"
EXACTLY, ONE_STEP = "find exactly", "in one step, before training"

# Two equal seeds have an interval of no width; unequal ones, one of nine standard deviations.
CASES = [
    (OURS, {RECALL: 0.98}, HOLDS),
    (OURS, {RECALL: column(1.0, 1.0, 0.97)}, PARTLY),
    (OURS, {RECALL: column(1.0, 1.0, 0.9)}, PARTLY),
    (OURS, {RECALL: column(1.0, 1.0, 0.89)}, FAILED),  # whatever the SNR: one level refutes
    (OURS, {RECALL: [0.9, 1.0]}, UNDECIDED),
    (BASE, {BASE_RECALL: column(0.75, 0.78, 0.81)}, HOLDS),
    (BASE, {BASE_RECALL: column(0.7, 0.78, 0.86)}, PARTLY),
    (BASE, {BASE_RECALL: column(0.69, 0.78, 0.78)}, FAILED),
    (BASE, {BASE_RECALL: column(0.78, 0.78, 0.87)}, FAILED),
    (BASE, {BASE_RECALL: [0.76, 0.8]}, UNDECIDED),
    (FLAT, {BASE_RECALL: column(0.5, 0.51, 0.5299)}, HOLDS),
    (FLAT, {BASE_RECALL: column(0.5, 0.54, 0.5)}, PARTLY),
    (FLAT, {BASE_RECALL: column(0.5, 0.59, 0.5)}, FAILED),
    (FLAT, {BASE_RECALL: [[0.5, 0.5], [0.5, 0.55], [0.5, 0.5]]}, UNDECIDED),
    (EXACTLY, {EXACT: 0.98}, HOLDS),
    (EXACTLY, {EXACT: column(0.5, 1.0, 1.0)}, PARTLY),
    (EXACTLY, {EXACT: column(0.49, 1.0, 1.0)}, FAILED),
    (EXACTLY, {EXACT: [0.97, 1.0]}, PARTLY),
    (EXACTLY, {EXACT: [0.0, 1.0]}, UNDECIDED),
    (ONE_STEP, {INIT_EXACT: 0.98}, HOLDS),
    (ONE_STEP, {INIT_EXACT: column(0.5, 0.6, 1.0)}, PARTLY),
    (ONE_STEP, {INIT_EXACT: column(0.49, 1.0, 1.0)}, FAILED),
    (ONE_STEP, {INIT_EXACT: [0.4, 0.6]}, UNDECIDED),
    (ERROR_FALLS, {ERROR: ending(20, 20, 20, start=1000)}, HOLDS),
    (ERROR_FALLS, {ERROR: ending(1, 1, 200, start=1000)}, PARTLY),
    (ERROR_FALLS, {ERROR: ending(1, 1, 201, start=1000)}, FAILED),
    (ERROR_FALLS, {ERROR: seeds(180, 210, start=1000)}, UNDECIDED),
    (LEVEL, {ERROR: ending(1.49 * 6.5, 5.2 / 1.49, 4.4)}, HOLDS),
    (LEVEL, {ERROR: ending(1.99 * 6.5, 5.2 / 1.99, 4.4)}, PARTLY),
    (LEVEL, {ERROR: ending(6.5, 5.2, 4.4 * 2.01)}, FAILED),
    (LEVEL, {ERROR: ending(6.5, 5.2, 4.4 / 2.01)}, FAILED),
    (LEVEL, {ERROR: seeds(4.0, 6.0)}, UNDECIDED),
    (LOSS_FALLS, {LOSS: [np.nan, 10, 9]}, HOLDS),
    (LOSS_FALLS, {LOSS: [np.nan, 10, 9.1]}, FAILED),
    (LOSS_FALLS, {LOSS: [[[np.nan, 10, 5], [np.nan, 10, 10]]] * 3}, UNDECIDED),
    (ORACLE, {ERROR: ending(6, 6, 6), BEST: [np.nan, 4, 4]}, HOLDS),
    (ORACLE, {ERROR: ending(6, 6, 12), BEST: [np.nan, 4, 4]}, PARTLY),
    (ORACLE, {ERROR: ending(6, 6, 12.1), BEST: [np.nan, 4, 4]}, FAILED),
    (ORACLE, {ERROR: seeds(6, 12), BEST: [np.nan, 4, 4]}, UNDECIDED),
    (NOISE, {ERROR: ending(5.5, 9, 4.99)}, HOLDS),  # the ends alone
    (NOISE, {ERROR: ending(5.5, 4, 5.1)}, FAILED),
    (NOISE, {ERROR: np.array([[[880, 9, 6], [880, 9, 5]]] + [[[880, 9, 4]] * 2] * 2)}, UNDECIDED),
    (BETTER_ERROR, {ERROR: ending(1, 1, 1), OTHER: [880, 2, 2.2]}, HOLDS),
    (BETTER_ERROR, {ERROR: ending(1, 1, 1), OTHER: ending(1.1, 5, 5)}, PARTLY),
    (BETTER_ERROR, {ERROR: ending(1, 1, 1), OTHER: ending(1.09, 5, 5)}, FAILED),
    (BETTER_ERROR, {ERROR: ending(1, 1, 1), OTHER: seeds(1.2, 1.3)}, UNDECIDED),
    (BETTER_CODES, {F1: 0.851}, HOLDS),
    (BETTER_CODES, {F1: column(0.811, 0.9, 0.9)}, PARTLY),
    (BETTER_CODES, {F1: column(0.809, 0.9, 0.9)}, FAILED),  # better, by less than a point
    (BETTER_CODES, {F1: [0.801, 0.9]}, UNDECIDED),  # better for every seed
    (DIPS, {OTHER: [880, 20, 26.6]}, HOLDS),
    (DIPS, {OTHER: [880, 20, 22]}, PARTLY),
    (DIPS, {OTHER: [880, 20, 21.9]}, FAILED),
    (DIPS, {OTHER: seeds(20, 26)}, UNDECIDED),
    (DIPS, {OTHER: ending(30, 20, 20, before=20)}, HOLDS),  # the noise level of Fig. 3c alone
    (INIT, {FAR: [1000, 500, 20]}, HOLDS),
    (INIT, {FAR: [1000, 500, 200]}, PARTLY),
    (INIT, {FAR: [1000, 500, 201]}, FAILED),
    (INIT, {FAR: seeds(190, 200, start=1000)}, UNDECIDED),
    # Half of the paper's gain (10.2, 10.0, 12.0, 8.2 points; of 5.6; two points), or a quarter.
    (OVER_BASE + "kmeans,", {CODES: 0.603}, HOLDS),
    (OVER_BASE + "kmeans,", {CODES: 0.601}, PARTLY),
    (OVER_BASE + "kmeans,", {CODES: 0.551}, PARTLY),
    (OVER_BASE + "kmeans,", {CODES: 0.5508}, FAILED),
    (OVER_BASE + "kmeans,", {CODES: [0.505, 0.52]}, UNDECIDED),  # three equal signs would do, once
    (OVER_BASE + "spectral,", {SPECTRAL: 0.72}, HOLDS),
    (OVER_BASE + "spectral,", {SPECTRAL: 0.719}, PARTLY),
    (OVER_RAW + "kmeans,", {CODES: 0.6003}, HOLDS),
    (OVER_RAW + "kmeans,", {CODES: 0.6001}, PARTLY),
    (OVER_RAW + "kmeans,", {CODES: 0.509}, FAILED),
    (OVER_RAW + "kmeans,", {CODES: [0.5, 0.7]}, UNDECIDED),
    (OVER_RAW + "spectral,", {SPECTRAL: 0.682}, HOLDS),
    (OVER_RAW + "spectral,", {SPECTRAL: 0.681}, PARTLY),
    (PLUS + "kmeans,", {CODES_PLUS: 0.728}, HOLDS),
    (PLUS + "kmeans,", {CODES_PLUS: 0.727}, PARTLY),
    (PLUS + "kmeans,", {CODES_PLUS: 0.709}, FAILED),
    (PLUS + "kmeans,", {CODES_PLUS: [0.7, 0.8]}, UNDECIDED),
    (PLUS + "spectral,", {SPECTRAL_PLUS: 0.8201}, HOLDS),
    (PLUS + "spectral,", {SPECTRAL_PLUS: 0.8199}, PARTLY),
    # Over the better of the baseline's codes (1.3) and raw pixels (1.2).
    (SHOW, {CONTRAST: 1.4301}, HOLDS),
    (SHOW, {CONTRAST: 1.3261}, PARTLY),
    (SHOW, {CONTRAST: 1.3259}, FAILED),
    (SHOW, {CONTRAST: [1.3, 1.5]}, UNDECIDED),
    (SHOW, {CONTRAST: 1.45, RAW_CONTRAST: 1.43}, FAILED),
    (SPARSE, {GROUPS: 3.0}, HOLDS),
    (SPARSE, {GROUPS: 5.0}, PARTLY),
    (SPARSE, {GROUPS: 5.1}, FAILED),
    (SPARSE, {GROUPS: [3.0, 5.0]}, UNDECIDED),
    (CLUSTER, {ACTIVE: 0.551}, HOLDS),
    (CLUSTER, {ACTIVE: 0.511}, PARTLY),
    (CLUSTER, {ACTIVE: 0.509}, FAILED),
    (CLUSTER, {ACTIVE: [0.5, 0.6]}, UNDECIDED),
    (TRAINED, {ACTIVE: 0.65, RANDOM: 0.61}, HOLDS),
    (TRAINED, {ACTIVE: 0.67, RANDOM: 0.61}, FAILED),
    (TRAINED, {ACTIVE: [0.6, 0.7], RANDOM: 0.61}, UNDECIDED),
]
# Whose rules hold a number of the paper's simulation.
NEED_THE_PAPER = [OURS, BASE, ERROR_FALLS, LEVEL, BETTER_ERROR, DIPS, INIT]


def test_the_study_of_these_tests_bears_every_claim_out():
    table = study()
    assert table[table.verdict != HOLDS].empty, table[table.verdict != HOLDS].reason.tolist()


@pytest.mark.parametrize(("name", "changes", "verdict"), CASES)
def test_a_study_gets_the_verdict_that_its_numbers_give(name, changes, verdict):
    row = row_of(study(changes), name)
    assert row.verdict == verdict, row.reason


def test_every_claim_has_a_case_for_each_of_its_verdicts():
    table = study()
    tested = {title: set() for title in table.claim}
    for name, _, verdict in CASES:
        tested[row_of(table, name).claim].add(verdict)
    for title, reason in zip(table.claim, table.reason, strict=True):
        partly = {PARTLY} if ", in part if" in reason else set()
        assert tested[title] == {HOLDS, FAILED, UNDECIDED} | partly, title
    made = [c for module in (recovery, clustering) for c in claims_of(module)]
    assert len(made) == len(tested), "a claim that this study does not test"


def test_one_noise_level_can_show_neither_a_flat_curve_nor_an_order():
    text = study(snrs=(1.0,)).claim
    assert not text.str.contains(f"{FLAT}|{NOISE}").any()
    assert study().claim.str.contains(f"{FLAT}|{NOISE}").sum() == 2


def test_levels_that_the_paper_does_not_show_are_not_held_against_it():
    assert not study(snrs=(2.0, 1.0)).claim.empty
    row = row_of(study(snrs=(1.0, 2.0)), LEVEL)
    assert row.conditions == 1
    # report.snr_db is checked by the workflow: here a study has it.
    other = tables(snrs=(2.0, 3.0))
    table = collect([recovery], other, {**CHOICES, "snr_db": 2.0}, published.MODEL)
    assert not table.claim.str.contains(LEVEL).any()


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
    kept = [c for c in COLUMNS if c not in ("verdict", "reason")]
    pd.testing.assert_frame_equal(table[kept], same[kept])


def test_what_fails_without_the_paper_fails_at_any_size():
    small = {**published.MODEL, "n": 40}
    for name, changes, verdict in CASES:
        expected = OTHER_SIZE if name in NEED_THE_PAPER else verdict
        assert row_of(study(changes, model=small), name).verdict == expected


def test_numbers_of_mnist_are_no_yardstick_for_other_images():
    changes = {CODES: 0.551}  # 5.1 points: a quarter of the paper's gain
    mnist, other = (study(changes, dataset=name) for name in ("mnist", "digits"))
    for name in (OVER_BASE + "kmeans,", OVER_RAW + "kmeans,"):
        assert row_of(mnist, name).verdict == PARTLY
        assert row_of(other, name).verdict == HOLDS
        assert row_of(mnist, name).reference.startswith("74.5 - 54.")
        assert row_of(other, name).reference == "(no number in the paper)"
    assert row_of(study({CODES: 0.549}, dataset="digits"), OVER_RAW + "kmeans,").verdict == PARTLY
    assert row_of(study({CODES: 0.509}, dataset="digits"), OVER_RAW + "kmeans,").verdict == FAILED
    assert row_of(mnist, PLUS + "spectral,").reference == "80.3 - 79.4 = 0.9 points"


def test_spread_over_seeds_and_range_over_conditions_are_told_apart():
    row = row_of(study({RECALL: [[0.98, 1.0], [0.99, 1.0], [1.0, 1.0]]}), OURS)
    assert row["mean"] == pytest.approx((0.98 + 0.99 + 4) / 6)
    spreads = [np.std(pair, ddof=1) for pair in ([0.98, 1.0], [0.99, 1.0], [1.0, 1.0])]
    assert row["std"] == pytest.approx(np.sqrt(np.mean(np.square(spreads))))
    assert (row.low, row.high) == pytest.approx((0.99, 1.0))
    assert (row.conditions, row.seeds) == (3, 2)
    levels = row_of(study({RECALL: column(0.98, 0.99, 1.0)}), OURS)
    assert levels["std"] == 0, "not that over noise levels"
    assert (levels.low, levels.high) == (0.98, 1.0)


def test_one_replicate_is_one_run_without_spread_or_verdict():
    table = study(replicates=(0,))
    assert set(table.verdict) == {ONE_RUN}
    assert table["std"].isna().all()
    assert table.reason.str.startswith("it keeps the rule; ").all()
    assert not table.reason.str.contains("every (?:run|pair|replicate)").any()
    failed = study({RECALL: 0.5}, replicates=(0,))
    assert row_of(failed, OURS).reason.startswith("it breaks the rule; ")
    small = study(replicates=(0,), model={**published.MODEL, "n": 40})
    assert set(small.verdict) == {ONE_RUN, OTHER_SIZE}


def test_centred_images_and_other_inits_are_not_looked_at():
    alone = tables()
    far = alone["recovery"].assign(init="far", value=0.0)
    centred = alone["clustering"].assign(centered=True, value=0.0)
    both = {
        "recovery": pd.concat([alone["recovery"], far]),
        "history": alone["history"],
        "clustering": pd.concat([alone["clustering"], centred]),
    }
    before, after = (
        collect([recovery, clustering], each, CHOICES, published.MODEL) for each in (alone, both)
    )
    pd.testing.assert_frame_equal(before, after)


def test_methods_without_groups_or_a_random_init_make_fewer_claims():
    whole = tables()
    scores = whole["clustering"]
    no_random = scores[scores.init != "random"]
    table = collect([clustering], {"clustering": no_random}, CHOICES)
    assert not table.claim.str.contains(TRAINED).any()
    table = collect([clustering], {"clustering": scores[scores.features != "group"]}, CHOICES)
    assert not table.claim.str.contains(f"{TRAINED}|{CLUSTER}").any()


def test_the_untrained_encoder_is_asked_once():
    both = tables()
    for name in ("recovery", "history"):
        both[name] = pd.concat([both[name], both[name].assign(sampling="fixed")])
    table = collect([recovery], both, CHOICES, published.MODEL)
    assert table.claim.str.contains(ONE_STEP).sum() == 1
    assert table.claim.str.contains(EXACTLY).sum() == 2


@pytest.mark.parametrize("missing", ["recovery", "history", "clustering"])
def test_claims_without_their_tables_are_left_out(missing):
    left = "clustering" if missing != "clustering" else "recovery"
    for absent in (
        {**tables(), missing: None},
        {k: v for k, v in tables().items() if k != missing},
    ):
        table = collect([recovery, clustering], absent, CHOICES, published.MODEL)
        assert set(table.experiment) == {left}
        assert table.id.tolist() == list(range(1, len(table) + 1))
    empty = collect([recovery, clustering], {}, CHOICES)
    assert (len(empty), tuple(empty.columns)) == (0, COLUMNS)


def test_the_tally_counts_tests_of_the_papers_claims_alone():
    table = study({GROUPS: 9.0})
    ours = {row_of(table, name).id for name in (LEVEL, ORACLE, TRAINED)}
    assert set(table[~table.paper].id) == ours
    assert tally(table) == {HOLDS: len(table) - 4, FAILED: 1}
    other = study(dataset="digits")
    assert set(other[other.paper].experiment) == {"recovery"}, "only MNIST is the paper's"
    assert tally(table.assign(verdict=OUTSIDE)) == {}
    assert tally(table.iloc[:0]) == {}


def test_what_is_outside_the_assumptions_is_shown_and_not_judged(monkeypatch):
    @claim("a", source="b", statistic="{what}", reference="c", rule=at_least(1),
           cases=lambda tables, choices: [{"what": "d"}])  # fmt: skip
    def outside(tables, case):
        index = pd.Index([0, 1], name="replicate")
        return Evidence(pd.Series([0.0, 0.0], index), "a note", "it assumes more")

    monkeypatch.setattr(recovery, "outside", outside, raising=False)
    row = collect([recovery], {}, {}).iloc[0]
    assert (row.verdict, row.statistic) == (OUTSIDE, "d")
    assert row.reason == "it assumes more; 0; holds if at least 1; a note"
