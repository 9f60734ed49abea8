"""Phase diagrams: the same problem for all, limits that follow from counting, honest intervals."""

import copy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import CONFIG, ROOT
from yaml import safe_load

from groupsparse.generative import coherent_dictionary, dense_codes, random_dictionary, sample
from groupsparse.recovery import group_overlaps, invariant_squared_error
from phases import claims
from phases.check import inconsistencies, is_off
from phases.claims import runs
from phases.conditions import cells, jobs
from phases.findings import base, findings
from phases.limits import (
    activity_samples,
    counting_samples,
    oracle_samples,
    shares,
)
from phases.methods import learn
from phases.plots import between, crossing, diagram
from phases.problem import draw, oracle, start
from phases.report import caption
from phases.success import half_width

MODEL = {
    "n": 40, "groups": 8, "group_size": 2, "active_groups": 1, "samples": 300,
    "amplitude": [4.0, 5.0], "snr_db": 10.0, "coherence": None,
}  # fmt: skip
SUCCESS = {"overlap": 0.5, "oracle_factor": 1.25}
PLANE = {"across": {"samples": [20, 80]}, "up": {"active_groups": [1, 2]}}


# The problems


def test_a_cell_is_the_same_problem_on_every_plane_however_its_numbers_are_written():
    base_model = {key: value for key, value in MODEL.items() if key != "coherence"}
    noise = {"across": {"samples": [100, 300]}, "up": {"snr_db": [0, 10]}}
    active = {"across": {"samples": [300, 400]}, "up": {"active_groups": [1, 2]}}
    (one,) = (m for c, m in cells(noise, base_model) if c == {"across": 300, "up": 10})
    (two,) = (m for c, m in cells(active, base_model) if c == {"across": 300, "up": 1})
    assert one == two
    assert torch.equal(draw(one, 1, 0).data, draw(two, 1, 0).data)


def test_cells_share_their_dictionary_and_near_start_but_no_data():
    one, two = draw(MODEL, 1, 0), draw({**MODEL, "snr_db": 0.0}, 1, 0)
    assert torch.equal(one.truth, two.truth)
    assert torch.equal(start("near", one, MODEL, 0.6), start("near", two, MODEL, 0.6))
    assert not torch.equal(one.data, two.data)
    assert not torch.equal(one.truth, draw(MODEL, 1, 1).truth), "replicates are independent"


def test_only_a_start_near_the_truth_correlates_with_it():
    problem = draw(MODEL, 1, 0)
    near, random = (start(name, problem, MODEL, 0.6) for name in ("near", "random"))
    # Cosines of random atoms have variance 1 / n: sixteen of them, five standard deviations.
    assert (near * problem.truth).sum(0).mean() == pytest.approx(0.6, abs=0.1)
    assert abs(float((random * problem.truth).sum(0).mean())) < 5 / (40 * 16) ** 0.5
    assert torch.equal(start("truth", problem, MODEL, 0.6), problem.truth)


def test_the_oracle_is_exact_without_noise_and_survives_groups_that_it_never_sees():
    truth = random_dictionary(20, 12, 0)
    drawn = sample(truth, 3, 1, (4.0, 5.0), 200, 1, std=0.0)
    codes = dense_codes(drawn.codes, 4)
    # Rounding of float32 data, 2^-24 each, in sums of fifty terms of size one.
    assert torch.allclose(oracle(drawn.data, codes), truth, atol=1e-5)
    few = oracle(drawn.data[:3], codes[:3])
    assert torch.isfinite(few).all()


# The limits


def test_with_the_counting_limit_there_are_as_many_equations_as_unknowns():
    model = {"n": 30, "groups": 12, "group_size": 3, "active_groups": 2}
    samples = counting_samples(**model)
    spans = 12 * 3 * (30 - 3)
    assert samples * 30 == pytest.approx(samples * 2 * 3 + spans)
    assert counting_samples(**{**model, "active_groups": 10}) == np.inf


def test_at_the_activity_limit_every_group_is_active_d_times_in_half_of_all_draws():
    model = {"groups": 10, "group_size": 3, "active_groups": 2}
    samples = round(activity_samples(**model))
    random = np.random.default_rng(0)
    draws = random.binomial(samples, 0.2, size=(20_000, 10))
    share = (draws >= 3).all(1).mean()
    # One sample more or less moves it by 0.03; groups are drawn as independent, as the limit says.
    assert share == pytest.approx(0.5, abs=0.04)
    assert activity_samples(groups=5, group_size=3, active_groups=5) == 3


def test_at_the_oracles_limit_least_squares_on_true_codes_overlaps_by_half():
    # Formulas hold for large n and for orthonormal groups; d = 1 has only these.
    model = {"n": 400, "groups": 40, "group_size": 1, "active_groups": 2, "snr_db": -5.0}
    samples = round(oracle_samples(**model))
    found = []
    for seed in range(5):
        truth = random_dictionary(400, 40, seed)
        drawn = sample(truth, 1, 2, (4.0, 5.0), samples, seed + 10, snr_db=-5.0)
        found.append(
            group_overlaps(oracle(drawn.data, dense_codes(drawn.codes, 40)), truth, 1).mean()
        )
    assert float(np.mean(found)) == pytest.approx(0.5, abs=0.05)


def test_a_share_below_one_is_beyond_its_limit():
    assert all(value < 1 for value in shares({**MODEL, "samples": 5}).values())
    assert all(value > 1 for value in shares({**MODEL, "samples": 5000}).values())


def test_a_limit_is_drawn_only_where_it_crosses_the_plane():
    assert set(crossing(PLANE, MODEL)) == {"counting", "activity", "oracle"}
    far = {"across": {"samples": [5000, 9000]}, "up": PLANE["up"]}
    assert crossing(far, MODEL) == {}


def test_positions_between_cells_pass_through_their_values():
    values = np.array([-5.0, 0.0, 10.0])
    assert between(values, 7)[[1, 3, 5]] == pytest.approx(values)
    assert between(np.array([1.0, 10.0, 100.0]), 7)[[1, 3, 5]] == pytest.approx([1, 10, 100])


# The methods


@pytest.mark.parametrize(
    "settings",
    [
        {"passes": 3},
        {"prox": "group_soft", "false_activations": 0.01,
         "training": {"epochs": 40, "optimizer": "adam", "lr": 0.02}},
        {"prox": "group_soft", "false_activations": 0.01, "passes": 2,
         "training": {"epochs": 20, "optimizer": "adam", "lr": 0.02}},
    ],
    ids=["alternating", "network", "both"],
)  # fmt: skip
def test_a_method_comes_nearer_and_replicates_do_not_interact(settings):
    problems = [draw(MODEL, 1, r) for r in range(2)]
    starts = torch.stack([start("near", p, MODEL, 0.7) for p in problems])
    data = torch.stack([p.data for p in problems])
    learnt = learn(settings, starts, data, 2)
    for before, after, problem in zip(starts, learnt, problems, strict=True):
        errors = [invariant_squared_error(a, problem.truth, 2) for a in (before, after)]
        assert errors[1] < errors[0] / 2
    alone = learn(settings, starts[1:], data[1:], 2)
    # Adam moves by its rate whatever the size of a gradient; rounding stays far below that.
    assert torch.allclose(alone[0], learnt[1], atol=1e-3)


# Success


def table(successes: dict, counting: float = 2.0) -> pd.DataFrame:
    """Runs in long form: (method, start, across, up, replicate) -> (least overlap, error)."""
    rows = []
    for (method, begin, across, up, replicate), (overlap, error) in successes.items():
        head = {"experiment": "phases", "plane": "active", "method": method, "start": begin,
                "across": across, "up": up, "replicate": replicate}  # fmt: skip
        values = {"least_overlap": overlap, "error": error, "oracle_error": 1.0,
                  "counting_share": counting}  # fmt: skip
        rows += [{**head, "metric": name, "value": value} for name, value in values.items()]
    return pd.DataFrame(rows)


def test_a_run_is_as_good_as_the_oracle_only_if_it_found_every_group():
    here = runs(
        table({
            ("a", "near", 20, 1, 0): (0.9, 1.2), ("a", "near", 20, 1, 1): (0.9, 1.3),
            ("a", "near", 20, 1, 2): (0.4, 1.0),
        }),
        SUCCESS,
    ).set_index("replicate")  # fmt: skip
    assert here.found.tolist() == [True, True, False]
    assert here.at_limit.tolist() == [True, False, False]


def test_an_interval_is_widest_at_half():
    assert half_width(5, 10) > half_width(0, 10)


# The claims


def verdict(name: str, successes: dict, counting: float = 2.0) -> list[str]:
    section = {"planes": {"active": PLANE}, "success": SUCCESS,
               "methods": dict.fromkeys(key[0] for key in successes)}  # fmt: skip
    each = getattr(claims, name)
    tables = {"phases": table(successes, counting)}
    module = type("module", (), {"__name__": "phases.claims"})
    setattr(module, name, each)
    return claims_of(module, tables, section)


def claims_of(module, tables, section) -> list[str]:
    from evidence.claims import collect

    return collect(module, tables, section).verdict.tolist()


GOOD, BAD, LOOSE = (0.9, 1.0), (0.1, 9.0), (0.9, 2.0)


def everywhere(**outcomes: tuple) -> dict:
    """The same outcome in four cells and three replicates for ``method__start``."""
    return {
        (*name.split("__"), across, up, r): outcome
        for name, outcome in outcomes.items()
        for across in (20, 80)
        for up in (1, 2)
        for r in range(3)
    }


@pytest.mark.parametrize(
    ("name", "outcomes", "expected"),
    [
        ("groups_help", {"group_sparse__near": GOOD, "sparse__near": GOOD}, ["holds"]),
        ("groups_help", {"group_sparse__near": BAD, "relu__near": GOOD}, ["not reproduced"]),
        ("groups_help", {"group_sparse__near": BAD, "sparse__near": BAD}, []),
        ("alternating_reaches_as_far", {"alternating__near": GOOD, "group_sparse__near": GOOD},
         ["holds"]),
        ("alternating_reaches_as_far", {"alternating__near": BAD, "group_sparse__near": LOOSE},
         ["not reproduced"]),
        ("together", {"alternating__near": GOOD, "group_sparse__near": BAD, "refined__near": GOOD},
         ["holds"]),
        ("together", {"alternating__near": GOOD, "group_sparse__near": BAD, "refined__near": BAD},
         ["not reproduced"]),
        ("found_is_exact", {"alternating__near": GOOD, "group_sparse__near": LOOSE},
         ["holds", "not reproduced"]),
        ("start_does_not_matter", {"alternating__near": GOOD, "alternating__discover": GOOD},
         ["holds"]),
        ("start_does_not_matter", {"group_sparse__near": GOOD, "group_sparse__random": BAD},
         ["not reproduced"]),
    ],
)  # fmt: skip
def test_a_claim_holds_or_fails_with_its_tables(name, outcomes, expected):
    assert verdict(name, everywhere(**outcomes)) == expected


@pytest.mark.parametrize(
    ("outcome", "counting", "expected"),
    [(GOOD, 0.5, ["not reproduced"]), (GOOD, 2.0, []), (BAD, 0.5, ["undecided"])],
)
def test_success_beyond_the_counting_limit_refutes_it_and_none_at_all_is_blind(
    outcome, counting, expected
):
    both = everywhere(alternating__near=GOOD, alternating__discover=outcome)
    assert verdict("counting_holds", both, counting) == expected


def test_a_claim_on_successes_says_how_many_there_are():
    outcomes = everywhere(group_sparse__near=GOOD, relu__near=BAD)
    outcomes["relu", "near", 20, 1, 2] = GOOD
    case = SimpleNamespace(plane="active", method="group_sparse", other="relu", success=SUCCESS)
    found = claims.both_found({"phases": table(outcomes)}, case)
    assert found.note == "successes in 1 of 3 seeds, 1 in all"
    assert found.values.to_dict() == {2: 1.0}


# Config, figures and findings


def test_every_plane_method_and_start_of_the_config_is_one_job():
    section = {
        "planes": {"a": PLANE, "b": PLANE},
        "methods": {"m": {"starts": {"near": ["a", "b"], "random": ["b"], "truth": []}}},
    }
    assert jobs(section) == [("a", "m", "near"), ("b", "m", "near"), ("b", "m", "random")]


def changed(**planes) -> dict:
    config = copy.deepcopy({"phases": CONFIG["phases"]})
    config["phases"]["planes"] |= planes
    return config


@pytest.mark.parametrize(
    ("plane", "reason"),
    [
        ({**PLANE, "up": {"samples": [1, 2]}}, "both axes are samples"),
        ({**PLANE, "up": {"active_groups": [2, 1]}}, "values must ascend"),
        ({**PLANE, "up": {"active_groups": [1, 1.5]}}, "whole numbers"),
        ({**PLANE, "up": {"active_groups": [1, 99]}}, "more than the 20 groups"),
        ({**PLANE, "up": {"coherence": [0.1, 0.3]}}, "1 / group_size"),
        ({**PLANE, "up": {"coherence": [0.001, 0.2]}}, "random groups have more"),
    ],
)
def test_a_plane_that_cannot_be_drawn_is_refused(plane, reason):
    (error,) = inconsistencies(changed(active=plane))
    assert error.startswith("phases.planes.active")
    assert reason in error


def test_as_many_planes_as_the_schema_allows_have_a_letter():
    schema = safe_load((ROOT / "workflow/schemas/phases.schema.yaml").read_text())
    last = schema["properties"]["planes"]["maxProperties"]
    section = {"planes": {"active": PLANE}, "model": MODEL, "replicates": 3}
    letters = [caption("phases_active", k, section).split()[1] for k in range(last)]
    assert len(set(letters)) == last > 10


def test_a_coherence_needs_two_groups():
    plane = {"across": {"coherence": [0.15, 0.2]}, "up": {"groups": [1, 2]}}
    base = changed()["phases"]["model"]
    config = changed(active=plane)
    config["phases"]["model"] = base | {"active_groups": 1}
    assert inconsistencies(config) == ["phases.planes.active: a coherence is that of two groups"]


@pytest.mark.parametrize(("n", "groups", "d"), [(100, 20, 4), (100, 20, 1), (20, 5, 8)])
def test_a_coherence_that_is_refused_is_below_that_of_random_groups(n, groups, d):
    refused = 0.99 / (n * d) ** 0.5
    for seed in range(3):
        with pytest.raises(ValueError, match="that of random groups here"):
            coherent_dictionary(n, groups, d, refused, seed)


def test_a_start_on_a_plane_that_is_missing_is_refused():
    config = changed()
    config["phases"]["methods"]["relu"]["starts"] = {"near": ["elsewhere"]}
    (error,) = inconsistencies(config)
    assert error == ("phases.methods.relu.starts.near: ['elsewhere'] is no plane of phases.planes")
    assert not is_off(config)
    assert is_off({"phases": {"planes": {}}})


def test_a_diagram_has_a_panel_for_every_criterion_method_and_start():
    outcomes = everywhere(group_sparse__near=LOOSE, alternating__near=GOOD)
    outcomes["alternating", "near", 20, 2, 0] = BAD
    figure = diagram(runs(table(outcomes), SUCCESS), PLANE, MODEL)
    found, exact = ([ax for ax in figure.axes[i : i + 2]] for i in (0, 2))
    assert [ax.get_title() for ax in found] == ["group-sparse\nfrom near", "alternating\nfrom near"]
    texts = [[t.get_text() for t in ax.texts] for ax in (*found, *exact)]
    assert texts == [["3"] * 4, ["3", "3", "2", "3"], ["0"] * 4, ["3", "3", "2", "3"]]
    assert exact[0].get_xlabel() == "samples N"


def test_findings_count_every_method_and_leave_the_control_out():
    outcomes = everywhere(
        group_sparse__near=LOOSE, group_sparse__random=BAD, alternating__truth=GOOD
    )
    section = {"planes": {"active": PLANE, "again": PLANE}}
    once = runs(table(outcomes), SUCCESS)
    near, free = findings(once, section)
    assert near == (
        "From a near start (active groups against samples N), all groups are found in 100 % of 12 "
        "runs by the group-sparse network (0 % as well as by the oracle)."
    )
    # What one method alone ran is not in the shares that stand side by side.
    more = everywhere(alternating__near=GOOD)
    both = pd.concat(
        [once, runs(table(more), SUCCESS), runs(table(more), SUCCESS).assign(plane="again")]
    )
    assert findings(both, section)[0] == near[:-1] + ", in 100 % (100 %) by alternation."
    assert "in 0 % of 12 runs by the group-sparse network from random atoms (0 %" in free
    assert "truth" not in near + free


def test_the_base_problem_is_counted_once_though_several_planes_have_it():
    here = runs(table(everywhere(group_sparse__near=GOOD)), SUCCESS)
    both = pd.concat([here, here.assign(plane="again")])
    section = {"planes": {"active": PLANE, "again": PLANE},
               "model": {**MODEL, "samples": 80, "active_groups": 1}}  # fmt: skip
    chosen = base(both, section)
    assert sorted(chosen.replicate) == [0, 1, 2]
    assert set(chosen.across) == {80}
    assert set(chosen.up) == {1}
