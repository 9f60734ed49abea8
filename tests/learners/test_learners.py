"""Other learners and ours: the same task for all, budgets that bite, verdicts that can fail."""

import re
import tomllib

import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT

import groupsparse as gs
from evidence.claims import collect
from evidence.verdict import FAILED as BROKEN
from evidence.verdict import HOLDS, PARTLY
from learners import bounded, claims
from learners.bounded import DONE, FAILED, MISSING, OVER, fitted
from learners.check import inconsistencies
from learners.grouping import grouped
from learners.measure import fits as planned
from learners.measure import problem
from learners.methods import LEARNERS, Learner, Task, threshold
from learners.report import findings, learners
from learners.scores import best, fits, outcome

SECTION = yaml.safe_load((ROOT / "config.yaml").read_text())["learners"]
SMALL = SECTION["cases"]["small"] | {
    "model": {"n": 40, "groups": 6, "group_size": 3, "active_groups": 1, "samples": 400,
              "amplitude": [4.0, 5.0], "snr_db": 15.0},
    "passes": 4,
}  # fmt: skip
FREE = [name for name, learner in LEARNERS.items() if not learner.package]


@pytest.fixture(scope="module")
def drawn():
    return problem(SMALL, 1, "small", 0)


def row(learner="alternating", start="near", scale=1.0, replicate=0, status=DONE, error=1.0,
        seconds=1.0, case="small"):  # fmt: skip
    values = {"status": status}
    if status == DONE:
        values |= {"seconds": seconds, "subspace": 2 * error, "oracle_subspace": 2.0,
                   "aligned": 3 * error, "oracle_aligned": 3.0}  # fmt: skip
    head = {"experiment": "learners", "case": case, "learner": learner, "start": start,
            "scale": scale, "replicate": replicate}  # fmt: skip
    return [{**head, "metric": name, "value": value} for name, value in values.items()]


def table(*rows_) -> pd.DataFrame:
    return pd.DataFrame([r for rows in rows_ for r in rows])


@pytest.mark.parametrize("name", FREE)
def test_every_learner_improves_on_a_near_start_and_leaves_its_task_alone(drawn, name):
    truth, tasks, limits = drawn
    task = tasks["near"]._replace(scale=0.5)
    before = task.start.clone(), task.data.clone()
    found = LEARNERS[name].learn(task)
    assert torch.equal(task.start, before[0])
    assert torch.equal(task.data, before[1])
    assert found.shape == truth.shape
    error = gs.invariant_squared_error
    # Gradient steps are short: 20 epochs. The others are near the oracle.
    share = 0.9 if "autoencoder" in name else 0.3
    assert error(found, truth, 3) < share * error(task.start, truth, 3)
    if name in ("alternating", "discovery", "block K-SVD"):
        assert error(found, truth, 3) < 2 * limits["oracle_subspace"]


@pytest.mark.parametrize("name", ["dictlearn, K-SVD", "spams, lasso", "spams, groups"])
def test_packages_that_are_installed_improve_on_a_near_start(drawn, name):
    pytest.importorskip(LEARNERS[name].package)
    truth, tasks, _ = drawn
    found = LEARNERS[name].learn(tasks["near"]._replace(scale=0.5))
    error = gs.invariant_squared_error
    assert error(found, truth, 3) < error(tasks["near"].start, truth, 3) / 2


def test_atoms_without_groups_are_scored_in_any_order_and_with_any_sign():
    truth = gs.random_dictionary(20, 12, 0)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    signs = torch.tensor([1.0, -2.0]).repeat(6)
    shuffled = truth[:, order] * signs
    error = gs.invariant_squared_error
    assert error(shuffled, truth, 3) > 1
    assert error(grouped(shuffled, truth, 3), truth, 3) < 1e-5


def test_what_noise_exceeds_by_chance_sets_lambda():
    data = torch.randn(4000, 30, generator=torch.Generator().manual_seed(0))
    task = Task(data, torch.eye(30), 3, 1, 1, 0)
    norms, entries = data[:, :3].norm(dim=1), data[:, :3].abs()
    active = {"group_soft": norms > threshold(task, "group_soft"),
              "soft": (entries > threshold(task, "soft")).sum(1)}  # fmt: skip
    for prox, count in active.items():
        assert float(count.double().mean()) == pytest.approx(0.05, abs=4 * (0.05 / 4000) ** 0.5)
        assert threshold(task._replace(scale=0.5), prox) == threshold(task, prox) / 2


def test_starts_and_multiples_are_those_of_a_learner():
    runs = planned(SMALL | {"learners": ["discovery", "block K-SVD", "scikit-learn, batch"]})
    assert [r for r in runs if r[0] == "discovery"] == [("discovery", "none", 1.0)]
    assert [r[1:] for r in runs if r[0] == "block K-SVD"] == [("near", 1.0), ("data", 1.0)]
    assert [r[2] for r in runs if r[0] == "scikit-learn, batch"] == SMALL["scales"] * 2


def test_a_fit_has_a_process_of_its_own(drawn):
    _, tasks, _ = drawn
    values, found = fitted("alternating", tasks["near"], budget=60)
    assert values["status"] == DONE
    assert 0 < values["seconds"] < 60
    assert torch.equal(found, LEARNERS["alternating"].learn(tasks["near"]))


def test_what_is_over_budget_is_said_so(drawn):
    _, tasks, _ = drawn
    values, found = fitted("alternating", tasks["near"], budget=0)
    assert values == {"status": OVER, "seconds": 0}
    assert found is None


def test_a_missing_package_is_no_crash(drawn, monkeypatch):
    _, tasks, _ = drawn
    absent = Learner(LEARNERS["alternating"].learn, package="no_such_package")
    monkeypatch.setitem(bounded.LEARNERS, "absent", absent)
    assert fitted("absent", tasks["near"], budget=60) == ({"status": MISSING}, None)


@pytest.mark.parametrize("room", ["learners", "bench"])
def test_a_package_that_is_installed_later_reruns_the_job_that_missed_it(room):
    text = (ROOT / f"workflow/rules/{room}.smk").read_text()
    (named,) = re.findall(r"installed\(([^)]*)\)", text)
    names = re.findall(r'"([^"]+)"', named)
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pinned = [pin.split("==")[0] for pin in extra["learners"]]
    for package in {learner.package for learner in LEARNERS.values()} - {""}:
        assert {pin for pin in pinned if pin.startswith(package)} <= set(names)
        assert any(pin.startswith(package) for pin in pinned)


def test_a_learner_that_dies_is_said_so(drawn):
    _, tasks, _ = drawn
    broken = tasks["near"]._replace(group_size=5)  # does not divide the atoms
    assert fitted("alternating", broken, budget=60) == ({"status": FAILED}, None)


def test_errors_are_over_the_oracles_and_the_best_multiple_is_kept():
    runs = fits(table(
        row("a", scale=1.0, error=3.0), row("a", scale=0.5, error=2.0),
        row("a", scale=0.25, status=FAILED), row("b", status=OVER),
    ))  # fmt: skip
    kept = best(runs).set_index("learner")
    assert kept.loc["a", ["scale", "subspace", "aligned"]].tolist() == [0.5, 2.0, 2.0]
    assert outcome(best(runs)[best(runs).learner == "b"]) == "over budget"
    assert outcome(best(runs)[best(runs).learner == "a"]) == ""


def test_a_multiple_counts_only_if_all_its_replicates_are_done():
    runs = fits(table(
        row("a", scale=1.0, error=1.0), row("a", scale=1.0, replicate=1, status=FAILED),
        row("a", scale=0.5, error=2.0), row("a", scale=0.5, replicate=1, error=2.0),
    ))  # fmt: skip
    assert best(runs).scale.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("error", "wanted"), [(1.0, HOLDS), (1.05, PARTLY), (1.3, BROKEN)])
def test_we_are_ahead_or_a_claim_says_where_not(error, wanted):
    both = [
        r
        for replicate in range(3)
        for r in (row("alternating", error=error, seconds=error, replicate=replicate),
                  row("block K-SVD", error=1.0, replicate=replicate))
    ]  # fmt: skip
    found = collect(claims, {"learners": table(*both)}, SECTION["shown"])
    assert found.verdict.tolist()[0] == wanted
    assert found.claim.tolist()[0].startswith("alternating ends no further")


def test_from_no_start_discovery_is_compared():
    both = table(*(
        r for i in range(2)
        for r in (row("discovery", start="none", replicate=i), row("alternating", replicate=i),
                  row("spams, groups", start="data", error=9.0, replicate=i))
    ))  # fmt: skip
    found = collect(claims, {"learners": both}, SECTION["shown"])
    assert len(found) == 2
    assert found.claim[0].startswith("discovery ends no further from the truth than spams")


def test_the_table_and_the_findings_say_the_numbers():
    runs = best(fits(table(
        row("alternating", error=1.05), row("block K-SVD", error=1.2), row("spams, groups",
        status=MISSING), row("discovery", start="none", error=1.07),
        row("block K-SVD", start="data", error=50.0),
    )))  # fmt: skip
    rows_ = learners(runs, "small", SECTION)["rows"]
    assert rows_[0][:4] == ["alternating", "near", "1.05", "1.05"]
    assert ["spams, groups", "near", "–", "–", "–", "", "not installed"] in rows_
    (line,) = findings(runs, SECTION)
    assert line == (
        "On the problem “small”, alternation ends at 1.05 times the oracle's error from a near "
        "start, and block K-SVD, the best of the others, at 1.20. Discovery ends at 1.07 times the "
        "oracle's error from no start, and block K-SVD, the best of the others, at 50.00 from "
        "random samples."
    )


def test_a_config_that_contradicts_itself_is_refused():
    assert inconsistencies({"learners": SECTION}) == []
    bad = {"cases": {"one": SMALL | {"model": SMALL["model"] | {"active_groups": 9}}}}
    said = "learners.cases.one.model.active_groups: more than the 6 groups"
    assert inconsistencies({"learners": SECTION | bad}) == [said]
