"""Every claim about clustering: small tables that must give each of its verdicts."""

import numpy as np
import pandas as pd
import pytest
from claim_rows import alone, row_of

from clustering import claims
from evidence.claims import claims_of, collect, tally

# The words that a reader sees.
HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
UNDECIDED, ONE_RUN = "undecided", "one run"
REPLICATES = (0, 1)
CHOICES = {"method": "group_sparse", "baseline": "sparse", "init": "kmeans"}
CHOICES["groups"] = {"mnist": 10, "digits": 10}

# A study in which every claim holds. Scores broadcast to (replicate,).
SCORES = {
    ("raw", "none", "raw", "kmeans", "acc"): 0.5,
    ("raw", "none", "raw", "spectral", "acc"): 0.6,
    ("raw", "none", "raw", "none", "class_contrast"): 1.2,
    ("sparse", "kmeans", "codes", "kmeans", "acc"): 0.5,
    ("sparse", "kmeans", "codes", "spectral", "acc"): 0.6,
    ("sparse", "kmeans", "codes", "none", "class_contrast"): 1.3,
    ("sparse", "kmeans", "codes", "none", "active_entries"): 0.2,
    ("group_sparse", "kmeans", "codes", "kmeans", "acc"): 0.72,
    ("group_sparse", "kmeans", "codes", "spectral", "acc"): 0.8,
    ("group_sparse", "kmeans", "codes+", "kmeans", "acc"): 0.775,
    ("group_sparse", "kmeans", "codes+", "spectral", "acc"): 0.85,
    ("group_sparse", "kmeans", "codes", "none", "class_contrast"): 1.5,
    ("group_sparse", "kmeans", "codes", "none", "active_groups"): 2.0,
    ("group_sparse", "kmeans", "codes", "none", "active_entries"): 0.1,
    ("group_sparse", "kmeans", "codes", "none", "zero_codes"): 0.0,
    ("group_sparse", "kmeans", "group", "argmax", "acc"): 0.62,
    ("group_sparse", "random", "group", "argmax", "acc"): 0.61,
}


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


def tables(changes=(), dataset="mnist", replicates=REPLICATES):
    """The study above after ``changes`` of some of its entries."""
    assert set(changes) <= set(SCORES), "an entry that is not there"
    return {"clustering": clustering_table({**SCORES, **dict(changes)}, dataset, replicates)}


def study(*arguments, module=claims, **options):
    """The claims of such a study."""
    return collect(module, tables(*arguments, **options), CHOICES)


def score(method, features, algorithm, metric="acc", init="kmeans"):
    return (method, init, features, algorithm, metric)


CODES, CODES_PLUS = (score("group_sparse", f, "kmeans") for f in ("codes", "codes+"))
SPECTRAL, SPECTRAL_PLUS = (score("group_sparse", f, "spectral") for f in ("codes", "codes+"))
RAW_CONTRAST = score("raw", "raw", "none", "class_contrast", init="none")
CONTRAST = score("group_sparse", "codes", "none", "class_contrast")
GROUPS = score("group_sparse", "codes", "none", "active_groups")
ZERO = score("group_sparse", "codes", "none", "zero_codes")
ACTIVE = score("group_sparse", "group", "argmax")
RANDOM = score("group_sparse", "group", "argmax", init="random")

OVER_BASE, OVER_RAW = "better than sparse codes & ", "better than raw pixels & "
PLUS, SHOW, SPARSE = "cluster better still & ", "show the classes best", "are group-sparse"
PRINTED = "as well as in Table 1 & "
CLUSTER, TRAINED = "As a cluster, the active group", "not from the init"

# Two equal seeds have an interval of no width; unequal ones, one of nine standard deviations.
CASES = [
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
    (PLUS + "kmeans,", {CODES_PLUS: 0.7481}, HOLDS),
    (PLUS + "kmeans,", {CODES_PLUS: 0.747}, PARTLY),
    (PLUS + "kmeans,", {CODES_PLUS: 0.729}, FAILED),
    (PLUS + "kmeans,", {CODES_PLUS: [0.7, 0.8]}, UNDECIDED),
    # Within three points of 74.5 and 80.27, or within six.
    (PRINTED + "ACC of codes minus & kmeans,", {CODES: 0.7151}, HOLDS),
    (PRINTED + "ACC of codes minus & kmeans,", {CODES: 0.7149}, PARTLY),
    (PRINTED + "ACC of codes minus & kmeans,", {CODES: 0.684}, FAILED),
    (PRINTED + "ACC of codes minus & kmeans,", {CODES: [0.7, 0.72]}, UNDECIDED),
    (PRINTED + "ACC of codes+ minus & spectral,", {SPECTRAL_PLUS: 0.7728}, HOLDS),
    (PRINTED + "ACC of codes+ minus & spectral,", {SPECTRAL_PLUS: 0.7726}, PARTLY),
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
    # Zeros are not sparse: the groups of the other samples count, and of too few samples none.
    (SPARSE, {GROUPS: 2.71, ZERO: 0.1}, PARTLY),
    (SPARSE, {GROUPS: 4.51, ZERO: 0.1}, FAILED),
    (SPARSE, {GROUPS: 1.0, ZERO: 0.11}, UNDECIDED),
    (SPARSE, {GROUPS: 0.0, ZERO: 1.0}, UNDECIDED),
    (SPARSE, {GROUPS: 4.0, ZERO: 0.5}, FAILED),
    (CLUSTER, {ACTIVE: 0.551}, HOLDS),
    (CLUSTER, {ACTIVE: 0.511}, PARTLY),
    (CLUSTER, {ACTIVE: 0.509}, FAILED),
    (CLUSTER, {ACTIVE: [0.5, 0.6]}, UNDECIDED),
    (TRAINED, {ACTIVE: 0.65, RANDOM: 0.61}, HOLDS),
    (TRAINED, {ACTIVE: 0.67, RANDOM: 0.61}, FAILED),
    (TRAINED, {ACTIVE: 0.55, RANDOM: 0.61}, FAILED),  # the init matters, the other one is better
    (TRAINED, {ACTIVE: [0.6, 0.7], RANDOM: 0.61}, UNDECIDED),
]


def test_the_study_of_these_tests_bears_every_claim_out():
    table = study()
    assert table[table.verdict != HOLDS].empty, table[table.verdict != HOLDS].reason.tolist()


@pytest.mark.parametrize(("name", "changes", "verdict"), CASES)
def test_a_study_gets_the_verdict_that_its_numbers_give(name, changes, verdict):
    row = row_of(study(changes, module=alone(study, name, claims)), name)
    assert row.verdict == verdict, row.reason


def test_every_claim_has_a_case_for_each_of_its_verdicts():
    table = study()
    tested = {title: set() for title in table.claim}
    for name, _, verdict in CASES:
        tested[row_of(table, name).claim].add(verdict)
    for title, reason in zip(table.claim, table.reason, strict=True):
        partly = {PARTLY} if ", in part if" in reason else set()
        assert tested[title] == {HOLDS, FAILED, UNDECIDED} | partly, title
    assert len(claims_of(claims)) == len(tested), "a claim that this study does not test"


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
    assert row_of(other, PLUS + "spectral,").reference == "(no number in the paper)"


def test_a_gain_of_the_papers_below_two_points_is_no_test():
    """80.27 - 79.4: that very gain must not read as not reproduced."""
    gains = study({SPECTRAL: 0.794, SPECTRAL_PLUS: 0.8027})
    about = gains[gains.claim == row_of(gains, PLUS + "kmeans,").claim]
    assert about.statistic.str.contains("kmeans").all()


def test_one_replicate_is_one_run():
    assert set(study(replicates=(0,)).verdict) == {ONE_RUN}


def test_centred_images_are_not_looked_at():
    alone = tables()["clustering"]
    both = pd.concat([alone, alone.assign(centered=True, value=0.0)])
    before, after = (collect(claims, {"clustering": t}, CHOICES) for t in (alone, both))
    pd.testing.assert_frame_equal(before, after)


def test_methods_without_groups_or_a_random_init_make_fewer_claims():
    scores = tables()["clustering"]
    no_random = scores[scores.init != "random"]
    table = collect(claims, {"clustering": no_random}, CHOICES)
    assert not table.claim.str.contains(TRAINED).any()
    table = collect(claims, {"clustering": scores[scores.features != "group"]}, CHOICES)
    assert not table.claim.str.contains(f"{TRAINED}|{CLUSTER}").any()


def test_without_their_table_there_are_no_claims():
    assert collect(claims, {}, CHOICES).empty


def test_only_claims_about_the_papers_data_set_are_the_papers():
    table = study({GROUPS: 9.0})
    assert set(table[~table.paper].index) == {row_of(table, TRAINED).name}
    assert tally(table) == {HOLDS: len(table) - 2, FAILED: 1}
    assert not study(dataset="digits").paper.any()


def test_few_groups_are_few_of_those_that_there_are():
    def verdict(groups):
        choices = CHOICES | {"groups": {"mnist": groups}}
        return row_of(collect(claims, tables({GROUPS: 3.0}), choices), SPARSE).verdict

    assert [verdict(groups) for groups in (5, 8, 20)] == [FAILED, PARTLY, HOLDS]


def test_networks_whose_codes_are_zero_are_not_called_group_sparse():
    row = row_of(study({GROUPS: 1.0, ZERO: 0.5}), SPARSE)
    assert row.reason.startswith("50% of the codes are zero; ")
    assert row["mean"] == pytest.approx(0.2)
