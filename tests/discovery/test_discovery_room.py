"""The room of the discovery: its runs, its scores, and verdicts that can fail."""

import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT

import groupsparse as gs
from discovery import claims, conditions
from discovery.check import inconsistencies
from discovery.conditions import ALTERNATE, DISCOVER, replicates, runs, studies
from discovery.findings import findings
from discovery.measure import learn, problem, scores
from discovery.scores import of, share, study, successes, wide
from discovery.tables import confusion, starts, whole
from evidence.claims import collect
from evidence.verdict import FAILED, HOLDS, PARTLY, UNDECIDED

SECTION = yaml.safe_load((ROOT / "config.yaml").read_text())["discovery"]
SMALL = {
    "n": 40, "groups": 5, "group_size": 4, "active_groups": 1, "samples": 300,
    "amplitude": [4.0, 5.0], "snr_db": 10.0,
}  # fmt: skip


def rows(study="whole", setting=5.0, method="discover", start="none", seeds=4, **metrics):
    """A long-form table of runs; a metric is a number, or one for each seed."""
    made = []
    for replicate in range(seeds):
        for metric, value in metrics.items():
            made.append({
                "experiment": "discovery", "study": study, "axis": "snr_db", "setting": setting,
                "active_groups": 2, "method": method, "start": start, "replicate": replicate,
                "metric": metric, "value": value[replicate] if isinstance(value, list) else value,
            })  # fmt: skip
    return pd.DataFrame(made)


def verdict(table: pd.DataFrame, title: str) -> str:
    found = collect(claims, {"discovery": table}, {"factor": 1.1, "groups": 20})
    return found[found.claim.str.startswith(title)].verdict.item()


def test_every_study_has_runs_and_the_untold_are_not_told():
    names = ["starts", "samples", "snr_db", "active_groups", "group_size", "counts"]
    assert studies(SECTION) == names
    assert [replicates(SECTION, name) for name in ("whole", *names)] == [3, 20, 20, 20, 20, 20, 5]
    assert all(run.told == (name != "counts") for name in names for run in runs(SECTION, name))
    alone = [run.start for run in runs(SECTION, "starts") if run.method == ALTERNATE]
    assert alone == SECTION["starts"]["inits"]
    longer = SECTION | {"starts": SECTION["starts"] | {"passes": 3}}
    assert {run.passes for run in runs(longer, "starts") if run.method == ALTERNATE} == {3}
    assert [run.model["samples"] for run in runs(SECTION, "samples")] == [500, 1000, 2000, 4000]
    assert [run.model["snr_db"] for run in runs(SECTION, "whole")] == [1, 5, 10]


def test_a_job_depends_on_its_own_part_of_the_config_alone():
    other = SECTION | {"factor": 2.0, "whole": SECTION["whole"] | {"threads": 8}}
    axes = {"samples": [50], "snr_db": SECTION["success"]["axes"]["snr_db"]}
    other |= {"success": SECTION["success"] | {"axes": axes}}
    for name in ("whole", "starts", "snr_db", "counts"):
        told = conditions.told(SECTION, name)
        assert conditions.told(other, name) == told
        assert runs(told, name) == runs(SECTION, name)
        assert replicates(told, name) == replicates(SECTION, name)
    assert conditions.told(other, "samples") != conditions.told(SECTION, "samples")


def test_empty_lists_switch_studies_off():
    section = SECTION | {
        "starts": SECTION["starts"] | {"inits": []}, "success": {"axes": {}, "replicates": 2},
        "counts": SECTION["counts"] | {"group_size": []},
    }  # fmt: skip
    assert studies(section) == []


def test_a_config_that_contradicts_itself_is_refused():
    assert inconsistencies({"discovery": SECTION}) == []
    axes = {"axes": {"active_groups": [30]}, "replicates": 2}
    errors = inconsistencies({"discovery": SECTION | {"success": axes}})
    assert errors == ["discovery.success.axes.active_groups.active_groups: more than the 20 groups"]


def test_problems_differ_by_seed_and_share_a_dictionary_across_noise():
    first, drawn = problem(SMALL, 1, 0)
    assert torch.equal(problem(SMALL, 1, 0)[1].data, drawn.data)
    assert torch.equal(problem(SMALL | {"snr_db": 0.0}, 1, 0)[0], first)
    assert not torch.equal(problem(SMALL, 1, 1)[0], first)


@pytest.mark.parametrize(("method", "start"), [(DISCOVER, "none"), (ALTERNATE, "pairwise")])
def test_a_run_learns_and_is_scored(method, start):
    (run, *_) = runs(SECTION | {"model": SMALL}, "starts")
    truth, drawn = problem(SMALL, 1, 0)
    size, found = learn(run._replace(method=method, start=start, passes=10), drawn.data, 0)
    values = scores(found, truth, drawn, 4, size)
    assert values["found"] == 1.0
    assert values["error"] < 1.2 * values["oracle_error"]


def test_untold_groups_are_counted_and_other_sizes_have_no_error():
    run = runs(SECTION | {"model": SMALL}, "counts")[3 * 2]  # groups of 4, one active
    assert (run.setting, run.model["active_groups"], run.told) == (4, 1, False)
    truth, drawn = problem(run.model, 1, 0)
    size, found = learn(run, drawn.data, 0)
    assert (size, found.shape[1]) == (4, 20)
    other = scores(gs.random_dictionary(40, 20, 0), truth, drawn, 4, 2)
    assert other == {"estimated_size": 2, "estimated_groups": 10}


def test_the_ratio_is_to_the_oracle_and_a_missing_error_is_no_success():
    table = pd.concat([
        rows("snr_db", error=[2.0, 2.3], oracle_error=2.0, seeds=2),
        rows("counts", estimated_size=2.0, seeds=1),
    ])  # fmt: skip
    runs_ = wide(table)
    assert study(runs_, "snr_db").ratio.tolist() == [1.0, 1.15]
    assert successes(runs_, 1.1).tolist() == [True, False, False]


def test_a_run_with_other_groups_is_not_left_out_of_a_verdict():
    table = rows(
        error=[2.0, 2.0, 2.0, None], oracle_error=[2.0, 2.0, 2.0, None], found=1.0, seconds=9.0
    )
    assert verdict(table, "From no start") == UNDECIDED
    assert "inf times the oracle's error" in findings(wide(table), SECTION)[0]
    assert verdict(rows(error=None, oracle_error=None, found=1.0), "From no start") == FAILED


def test_shares_have_wilsons_interval():
    assert share(pd.Series([True] * 10)) == pytest.approx((1.0, 0.7225, 1.0), abs=1e-4)
    assert of(pd.Series([True] * 19 + [False])) == "19 of 20 [0.76, 0.99]"


@pytest.mark.parametrize(
    ("snr", "found", "wanted"),
    [
        (5.0, 1.0, HOLDS),
        (5.0, [1.0, 1.0, 1.0, 0.97], FAILED),
        (5.0, 0.99, PARTLY),
        (5.0, 0.9, FAILED),
        (1.0, 0.995, HOLDS),
    ],
)
def test_groups_found_have_the_bound_of_their_noise(snr, found, wanted):
    assert verdict(rows(setting=snr, found=found), "Discovery finds") == wanted


@pytest.mark.parametrize(("ratio", "wanted"), [(1.05, HOLDS), (1.3, PARTLY), (1.6, FAILED)])
def test_the_error_is_held_to_the_oracles(ratio, wanted):
    table = rows(error=2 * ratio, oracle_error=2.0)
    assert verdict(table, "From no start") == wanted


@pytest.mark.parametrize(("seconds", "wanted"), [(59.0, HOLDS), (90.0, PARTLY), (150.0, FAILED)])
def test_seconds_have_a_bound(seconds, wanted):
    assert verdict(rows(seconds=seconds), "Discovery takes") == wanted


@pytest.mark.parametrize(("good", "wanted"), [(20, HOLDS), (19, PARTLY), (15, PARTLY), (4, FAILED)])
def test_starts_are_judged_by_their_successes(good, wanted):
    errors = [2.0] * good + [3.0] * (20 - good)
    table = pd.concat([
        rows("starts", start="random", error=errors, oracle_error=2.0, seeds=20),
        rows("starts", start="random", method=ALTERNATE, error=9.0, oracle_error=2.0, seeds=20),
    ])  # fmt: skip
    assert verdict(table, "Discovery solves") == wanted


@pytest.mark.parametrize(("right", "wanted"), [(10, HOLDS), (8, PARTLY), (5, FAILED)])
def test_estimates_are_judged_by_how_often_they_are_right(right, wanted):
    table = pd.concat([
        rows("counts", setting=float(i), estimated_size=float(i) if i < right else 99.0,
             estimated_groups=20.0)
        for i in range(10)
    ])  # fmt: skip
    assert verdict(table, "The size of the groups") == wanted
    assert verdict(table, "The number of groups") == HOLDS


def test_tables_and_findings_say_the_numbers():
    table = pd.concat([
        rows(found=1.0, error=2.1, oracle_error=2.0, seconds=30.0),
        rows("starts", error=[2.0, 9.0], oracle_error=2.0, seconds=1.0, seeds=2),
        rows("counts", setting=4.0, estimated_size=[4.0, 2.0], estimated_groups=20.0, seeds=2),
    ])  # fmt: skip
    runs_ = wide(table)
    assert whole(runs_, SECTION)["rows"] == [
        ["5 dB", "100.0 %", "100.0 %", "1.050 ± 0.000", "1.050", "30.0", "30.0"]
    ]
    assert starts(runs_, SECTION)["rows"][0][:2] == ["discovery, no start", "1 of 2 [0.09, 0.91]"]
    made = confusion(runs_, "estimated_size", SECTION)
    assert made["head"] == [["true size", "active groups", "2", "4"]]
    assert made["rows"] == [["4", "2", "1", "1"]]
    first, second = findings(runs_, SECTION)
    assert "5 dB 500.0 of 500 groups, 1.050 times the oracle's error, 30 s" in first
    assert "discovery: no start 1" in second
