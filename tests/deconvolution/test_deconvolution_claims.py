"""Every claim about kernels and events: small tables that must give each of its verdicts."""

import copy

import pandas as pd
import pytest
from claim_rows import alone, row_of
from small_recording import SECTION, table

from deconvolution import claims
from deconvolution.claims import kinds
from evidence.claims import claims_of, collect

HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
UNDECIDED, ONE_RUN = "undecided", "one run"


def section(**runs) -> dict:
    return SECTION | {"runs": SECTION["runs"] | runs}


def study(changes=(), choices=SECTION, module=claims, **options) -> pd.DataFrame:
    return collect(module, {"deconvolution": table(changes, **options)}, choices)


# Equal replicates have an interval of no width; unequal ones, one of 2.5 standard deviations.
LEARNT, COST = "Kernels are learnt", "Unknown times cost little"
AS_MANY, FOUND = "find as many events", "Events are found"
AHEAD, LAW, TOGETHER = "ahead of the unrolled network", "law of the counts", "Sharing events"
PREDICTS, PEERS = "Events predict hidden bins", "ahead of other ways"
KNOWN = "At known times the model predicts"
ERROR, HIT = ("search", "kernel_error"), ("search", "hit_1")
CASES = [
    (LEARNT, {}, HOLDS),
    (LEARNT, {ERROR: 0.1}, HOLDS),
    (LEARNT, {ERROR: 0.15}, PARTLY),
    (LEARNT, {ERROR: 0.3}, FAILED),
    (LEARNT, {ERROR: [0.02, 0.08, 0.18]}, UNDECIDED),
    (COST, {}, HOLDS),
    (COST, {("known_times", "kernel_error"): 0.0125}, PARTLY),
    (COST, {("known_times", "kernel_error"): 0.005}, FAILED),
    (COST, {ERROR: [0.03, 0.09, 0.24]}, UNDECIDED),
    (AS_MANY, {}, HOLDS),
    (AS_MANY, {HIT: 0.95}, PARTLY),
    (AS_MANY, {HIT: 0.9}, FAILED),
    (AS_MANY, {HIT: [0.98, 0.98, 0.93]}, UNDECIDED),
    (FOUND, {}, HOLDS),
    (FOUND, {HIT: 0.9}, PARTLY),
    (FOUND, {HIT: 0.7}, FAILED),
    (FOUND, {HIT: [0.7, 0.8, 0.9]}, UNDECIDED),
    (AHEAD, {}, HOLDS),
    (AHEAD, {("network", "kernel_error"): 0.06}, PARTLY),
    (AHEAD, {("network", "kernel_error"): 0.04}, FAILED),
    (AHEAD, {("network", "kernel_error"): [0.04, 0.05, 0.2]}, UNDECIDED),
    (PEERS, {}, HOLDS),
    (PEERS, {("average", "kernel_error"): 0.06}, PARTLY),
    (PEERS, {("average", "kernel_error"): 0.04}, FAILED),
    (PEERS, {("average", "kernel_error"): [0.04, 0.05, 0.2]}, UNDECIDED),
    (LAW, {}, HOLDS),
    (LAW, {("gaussian", "kernel_error"): 0.055}, PARTLY),
    (LAW, {("gaussian", "kernel_error"): 0.04}, FAILED),
    (LAW, {("gaussian", "kernel_error"): [0.04, 0.06, 0.1]}, UNDECIDED),
    (TOGETHER, {}, HOLDS),
    (TOGETHER, {("apart", "hit_1"): 0.97}, PARTLY),
    (TOGETHER, {("apart", "hit_1"): 0.99}, FAILED),
    (TOGETHER, {("apart", "hit_1"): [0.9, 0.98, 0.99]}, UNDECIDED),
    (PREDICTS, {}, HOLDS),
    (PREDICTS, {("smooth_hidden", "held_out"): 0.03}, FAILED),
    (PREDICTS, {("smooth_hidden", "held_out"): [0.01, 0.02, 0.03]}, UNDECIDED),
    (KNOWN, {}, HOLDS),
    (KNOWN, {("average_hidden", "held_out"): 0.04}, FAILED),
    (KNOWN, {("average_hidden", "held_out"): [0.02, 0.03, 0.04]}, UNDECIDED),
]


@pytest.mark.parametrize(("name", "changes", "verdict"), CASES)
def test_each_verdict_of_a_claim_can_come_out(name, changes, verdict):
    assert row_of(study(changes, module=alone(study, name, claims)), name).verdict == verdict


def test_no_claim_is_left_without_a_test():
    found = study()
    tested = {row_of(found, name).claim for name, _, _ in CASES}
    assert tested == set(found.claim)
    assert len(tested) == len(claims_of(claims))
    for name in (LEARNT, COST, AS_MANY, FOUND, AHEAD, PEERS, LAW, TOGETHER, PREDICTS, KNOWN):
        tried = {verdict for each, _, verdict in CASES if each == name}
        weaker = set() if name in (PREDICTS, KNOWN) else {PARTLY}  # above 0 or not
        assert tried == {HOLDS, FAILED, UNDECIDED} | weaker, name


def test_one_replicate_gets_no_verdict():
    assert set(study(replicates=1).verdict) == {ONE_RUN}


def test_no_claim_is_of_the_paper_and_each_names_the_table_of_its_recording():
    found = study()
    assert not found.paper.any()
    assert set(found.source) == {"not in the paper"}
    assert set(found.table) == {"deconvolution_long"}
    assert found.statistic.str.contains(": simulation long", regex=False).all()


def test_what_is_compared_has_both_sides():
    """Without the other method, or without its score, there is no such claim."""
    alone = study(choices=section(long=["search"]))
    assert alone.claim.tolist() == [
        "Kernels are learnt with unknown times",
        "Events are found",
    ]
    assert not study({("known_times", "kernel_error"): None}).claim.str.contains("cost").any()
    assert not study({HIT: None}).claim.str.contains("found|as many|Sharing").any()


@pytest.mark.parametrize(("oracle", "tested"), [(0.19, True), (0.21, False), (0.7, False)])
def test_unknown_times_cost_nothing_that_can_be_told_where_known_ones_fail(oracle, tested):
    """The first claim counts an error above 0.2 as a failure."""
    found = study({("known_times", "kernel_error"): oracle, ERROR: 0.6})
    assert found.claim.str.contains(COST).any() == tested
    assert row_of(found, LEARNT).verdict == FAILED


def test_a_recording_without_true_kernels_is_judged_by_hidden_bins_alone():
    unknown = {(name, "kernel_error"): None for name in ("search", "search_hidden")}
    row, known = study(unknown).itertuples()
    assert row.claim.startswith(PREDICTS)
    assert known.claim.startswith(KNOWN)
    assert row.mean == pytest.approx(0.01)


def test_only_bins_that_both_did_not_see_are_compared():
    other = {"kind": "smooth", "hidden": 0.2}
    methods = SECTION["methods"] | {"smooth_hidden": other}
    found = study(choices=SECTION | {"methods": methods})
    assert not found.claim.str.startswith(PREDICTS).any()
    assert found.claim.str.startswith(KNOWN).any()


def test_only_a_plain_search_is_judged_on_its_own():
    assert kinds(SECTION, "long") == {
        "known_times": ["known_times"], "known_kernels": ["known_kernels"], "search": ["search"],
        "network": ["network"], "peer": ["average"], "chance": ["chance"],
    }  # fmt: skip
    assert kinds(SECTION, "ecg") == {}
    methods = SECTION["methods"] | {"search": {"kind": "search", "apart": False}}
    assert kinds(SECTION | {"methods": methods}, "mine") == {"search": ["search"]}


def test_every_search_and_every_recording_has_claims_of_its_own():
    choices = copy.deepcopy(SECTION)
    choices["runs"]["mine"] = ["search", "chance"]
    both = pd.concat([table(), table(data="mine")])
    found = collect(claims, {"deconvolution": both}, choices)
    learnt = found[found.claim.str.startswith(LEARNT)]
    assert set(learnt.table) == {"deconvolution_long", "deconvolution_mine"}
    assert learnt.statistic.tolist()[1].endswith(": mine"), "one's own keeps its name"
    # Seeds of a simulation draw their data; those of a recording search the same ones.
    assert learnt.reason.str.contains("one data set").tolist() == [False, True]


def test_events_that_are_found_are_set_beside_chance():
    assert row_of(study(), FOUND).reason.endswith("chance: 5.0 %")
    assert "chance" not in row_of(study({("chance", "hit_1"): None}), FOUND).reason


def test_replicates_are_compared_one_by_one():
    changes = {ERROR: [0.02, 0.04, 0.06], ("known_times", "kernel_error"): [0.01, 0.02, 0.03]}
    row = row_of(study(changes), COST)
    assert (row["mean"], row["std"], row.verdict) == (2.0, 0.0, HOLDS)
