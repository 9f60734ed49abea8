"""Every claim about the mixtures: small tables that must give each of its verdicts."""

from itertools import permutations

import pandas as pd
import pytest
from claim_rows import alone, row_of
from conftest import CONFIG
from made_up import CHOICES, table

from evidence.claims import claims_of, collect
from mixtures import claims
from mixtures.pairs import differing
from mixtures.scores import jobs_of

HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
UNDECIDED, ONE_RUN = "undecided", "one run"


def study(changes=(), dataset="mnist", module=claims, **options):
    return collect(module, {"mixtures": table(changes, dataset, **options)}, CHOICES)


# Two equal seeds have an interval of no width; unequal ones, one of nine standard deviations.
# A gain below a point is none, however sure.
PRINTED, IMPROVES = "printed accuracy", "improves on its start & ACC of MixMate from k-means"
WEIGHT = "(weight 1/2) & likelihood and weight 1/2 minus"
EXPECTED = "(weight 1/2) & ACC of MixMate with weight 1/2 minus"
OBJECTIVE, DOUBLED = (
    "The likelihood & likelihood and weight 1/2 minus",
    "The likelihood & ACC of MixMate with likelihood minus",
)
CHANGED, ONE_EACH = "The changed MixMate & subspace clustering", "One network & from k-means"
FEATURES, RESIDUAL, FREE = "networks of pixels & from k-means", "The residual", "The free energy"
ENERGIES, VOTE = "taken as features", "each of them & from k-means"
AIM = "aimed at & ACC of MixMate from"
AIM_SUBSPACES = "aimed at & ACC of subspaces"
CASES = [
    (PRINTED, {("mixmate", "ssc", "acc"): 0.90}, HOLDS),
    (PRINTED, {("mixmate", "ssc", "acc"): 0.88}, PARTLY),
    (PRINTED, {("mixmate", "ssc", "acc"): 0.80}, FAILED),
    (PRINTED, {("mixmate", "ssc", "acc"): [0.95, 0.89]}, UNDECIDED),
    (IMPROVES, {("mixmate", "kmeans", "before"): 0.8}, HOLDS),
    (IMPROVES, {("mixmate", "kmeans", "before"): 0.915}, FAILED),
    (IMPROVES, {("mixmate", "kmeans", "before"): 0.93}, FAILED),
    (WEIGHT, {}, HOLDS),
    (WEIGHT, {("mixmate_doubled", "ssc", "acc"): 0.965}, FAILED),
    (WEIGHT, {("mixmate_doubled", "ssc", "acc"): 0.98}, FAILED),
    (EXPECTED, {}, HOLDS),
    (EXPECTED, {("mixmate_expected", "ssc", "acc"): 0.945}, FAILED),
    (EXPECTED, {("mixmate_expected", "ssc", "acc"): 0.9}, FAILED),
    (OBJECTIVE, {}, HOLDS),
    (OBJECTIVE, {("mixmate_expected", "ssc", "acc"): 0.965}, FAILED),
    (OBJECTIVE, {("mixmate_expected", "ssc", "acc"): 0.98}, FAILED),
    (DOUBLED, {}, HOLDS),
    (DOUBLED, {("mixmate_doubled", "ssc", "acc"): 0.9}, FAILED),
    (CHANGED, {}, HOLDS),
    (CHANGED, {("mixmate", "ssc", "acc"): 0.965}, FAILED),
    (CHANGED, {("mixmate", "ssc", "acc"): 0.98}, FAILED),
    (ONE_EACH, {}, HOLDS),
    (ONE_EACH, {("group_sparse", "kmeans", "acc"): 0.915}, FAILED),
    (ONE_EACH, {("group_sparse", "kmeans", "acc"): 0.93}, FAILED),
    (FEATURES, {}, HOLDS),
    (FEATURES, {("subspaces", "kmeans", "acc"): 0.925}, FAILED),
    (FEATURES, {("subspaces", "kmeans", "acc"): 0.88}, FAILED),
    (ENERGIES, {}, HOLDS),
    (ENERGIES, {("energies", "subspaces", "acc"): 0.965}, FAILED),
    (ENERGIES, {("energies", "subspaces", "acc"): 0.95}, FAILED),
    (VOTE, {}, HOLDS),
    (VOTE, {("subspaces", "kmeans", "acc"): 0.995}, FAILED),
    (VOTE, {("vote_of_starts", "several", "acc"): 0.96}, FAILED),
    (AIM, {}, HOLDS),
    (AIM, {("mixmate", "subspaces", "acc"): 0.94}, PARTLY),
    (AIM, {("mixmate", "subspaces", "acc"): 0.9}, FAILED),
    (AIM_SUBSPACES, {}, HOLDS),
    (AIM_SUBSPACES, {("subspaces", "ssc", "acc"): 0.96}, PARTLY),
    (AIM_SUBSPACES, {("subspaces", "ssc", "acc"): 0.94}, FAILED),
    # The start with the least residual has 0.99, the best one more.
    (RESIDUAL, {}, HOLDS),
    (RESIDUAL, {("subspaces", "any", "acc"): 0.995}, HOLDS),
    (RESIDUAL, {("subspaces", "any", "acc"): [0.9, 0.995]}, HOLDS),
    (RESIDUAL, {("subspaces", "ssc", "acc"): 0.95}, FAILED),
    # One seed is enough to refute what must hold for each.
    (RESIDUAL, {("subspaces", "kmeans", "residual"): [0.5, 0.01]}, FAILED),
    (FREE, {}, HOLDS),
    (FREE, {("mixmate", "pca", "free_energy"): 1.0}, FAILED),
]


@pytest.mark.parametrize(("name", "changes", "verdict"), CASES)
def test_each_verdict_of_a_claim_can_come_out(name, changes, verdict):
    assert row_of(study(changes, module=alone(study, name, claims)), name).verdict == verdict


def test_no_claim_is_left_without_a_test():
    found = study()
    tested = {row_of(found, name).claim for name, _, _ in CASES}
    assert tested == set(found.claim)
    assert len(tested) == len(claims_of(claims))


def test_fashion_has_an_aim_of_its_own():
    low = {("mixmate", "subspaces", "acc"): 0.61, ("subspaces", "ssc", "acc"): 0.5}
    found = study(low, "fashion_mnist")
    assert row_of(found, AIM).verdict == PARTLY
    assert row_of(found, AIM_SUBSPACES).verdict == FAILED


def test_what_nobody_printed_is_not_compared():
    found = study(dataset="digits")
    assert not found.claim.str.contains("printed accuracy|aimed at").any()
    assert len(found) > 10
    # What is printed, and aimed at, is of all images.
    found = study(protocol="held_out")
    assert not found.claim.str.contains("printed accuracy|aimed at").any()
    assert found.statistic.str.contains("held-out images").all()


def test_a_start_that_uses_labels_is_in_no_claim():
    best = {("mixmate", "class", "acc"): 1.0, ("mixmate", "class", "free_energy"): 0.0}
    found = study(best)
    assert not found.statistic.str.contains("labels").any()
    assert row_of(found, FREE).verdict == HOLDS
    assert "subspaces of features 2" in row_of(found, FREE).reason


def test_a_claim_says_in_what_two_mixtures_differ():
    reason = row_of(study(), EXPECTED).reason
    assert reason.endswith("0.955 against 0.940; differs in weight 0.5 / 1.0")
    reason = row_of(study(), CHANGED).reason
    assert reason.endswith("; differs in objective likelihood / expected, weight 0.5 / 1.0")
    # Runs before the design had other steps.
    expected = {**CHOICES["methods"]["mixmate_expected"]}
    del expected["step"]
    earlier = CHOICES | {"methods": CHOICES["methods"] | {"mixmate_expected": expected}}
    reason = row_of(collect(claims, {"mixtures": table(dataset="mnist")}, earlier), EXPECTED).reason
    assert reason.endswith("differs in weight 0.5 / 1.0, step lipschitz / 0.04")


def test_mixtures_of_the_config_differ_in_one_thing_a_pair():
    methods = {n: e for n, e in CONFIG["mixtures"]["methods"].items() if e["kind"] == "mixture"}
    design = {(e["objective"], e["weight"]): e for e in methods.values()}
    assert set(design) == {(o, w) for o in ("expected", "likelihood") for w in (0.5, 1.0)}
    for (objective, weight), (other, half) in permutations(design, 2):
        if (objective == other) != (weight == half):
            found = differing(design[objective, weight], design[other, half])
            assert "," not in found, found


def test_an_aim_is_from_the_first_start_without_labels():
    scores = table({("subspaces", "ssc", "acc"): 0.94}, "mnist")
    labelled = scores[(scores.method == "subspaces") & (scores.start == "ssc")].copy()
    labelled["start"] = "class"
    labelled.loc[(labelled.metric == "acc"), "value"] = 1.0
    methods = CHOICES["methods"] | {
        "subspaces": {"kind": "subspaces", "starts": ["class", "ssc", "kmeans"]}
    }
    tables = {"mixtures": pd.concat([scores, labelled])}
    row = row_of(collect(claims, tables, CHOICES | {"methods": methods}), AIM_SUBSPACES)
    assert row["mean"] == pytest.approx(0.94)
    assert "sparse subspace clustering" in row.statistic


def test_one_seed_gets_no_verdict():
    assert set(study(replicates=1).verdict) == {ONE_RUN}


def test_no_claim_is_of_the_paper_and_each_names_its_table():
    found = study()
    assert not found.paper.any()
    assert set(found.table) == {"mixtures_mnist_joined"}
    assert set(found.figure) == {"mixtures-mnist"}
    theirs = found[found.source == "MixMate, Table 1"].claim.tolist()
    assert len(theirs) == 2


def test_a_metric_that_was_not_measured_is_no_test():
    scores = table()
    scores = scores[~scores.metric.isin(["residual", "free_energy"]) & (scores.epoch > 0)]
    found = collect(claims, {"mixtures": scores}, CHOICES)
    assert not found.claim.str.contains("The residual|The free energy|improves").any()
    assert len(jobs_of(scores)) == len(jobs_of(table()))
