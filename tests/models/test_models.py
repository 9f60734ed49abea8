"""The models: their problems, the scores and what is said about the numbers."""

import copy

import pandas as pd
import pytest
import torch
from conftest import ROOT
from yaml import safe_load

from evidence.claims import collect
from evidence.thresholds import threshold
from evidence.verdict import FAILED, HOLDS
from groupsparse.prox import PROX
from groupsparse.recovery import invariant_squared_error
from models import claims, findings, plots, tables
from models.check import inconsistencies
from models.conditions import ORACLE, TRUTH, settings, shown
from models.methods import Learnt, coded, learn
from models.names import MODELS
from models.problem import draw, oracle
from models.reasons import causes, recovers
from models.scores import match, measure, one_step, traits

SECTION = safe_load((ROOT / "config.yaml").read_text())["models"]
BASE = {
    "n": 60, "groups": 8, "group_size": 3, "active_groups": 2, "samples": 800,
    "amplitude": (4.0, 5.0), "snr_db": 5.0,
}  # fmt: skip


def problem(**changes):
    return draw({**BASE, **changes}, 0.8, 7, "a", 0)


def made_up(errors, **metrics):
    """Rows of one model in three replicates: method -> error, the oracle's being 1."""
    rows = []
    for r in range(3):
        given = {ORACLE: {"error": 1.0}, TRUTH: {
            "error": 0.0, "recall": 1.0, "precision": 1.0, "f1": 1.0, "accuracy": 1.0,
            "negative": 0.5, "one_direction": 0.1, "together": 0.0, "outliers": 0.0,
            "neighbours": 0.0, "fewest_samples": 100,
        }}  # fmt: skip
        for method, error in errors.items():
            given[method] = {
                "error": error * (1 + 1e-3 * r), "found": 24, "recall": 1.0, "precision": 1.0,
                "f1": 1.0, "shrunk": 0.0, "cross": 0.0, "accuracy": 1.0, **metrics,
            }  # fmt: skip
        rows += [
            {"experiment": "models", "model": "subspaces", "method": m, "replicate": r,
             "metric": k, "value": v}
            for m, values in given.items() for k, v in values.items()
        ]  # fmt: skip
    return pd.DataFrame(rows)


def section(**changes):
    return {**copy.deepcopy(SECTION), "run": ["subspaces"], **changes}


def test_lists_of_the_config_are_repeated_over_the_groups():
    study = {"base": BASE, "models": {"a": {"sizes": [1, 2, 3], "groups": 7}}}
    assert settings(study, "a")["sizes"] == [1, 2, 3, 1, 2, 3, 1]


def test_every_model_of_the_config_has_a_name_and_can_be_drawn():
    assert set(SECTION["run"]) == set(SECTION["models"]) == set(MODELS)
    for name in SECTION["models"]:
        model = {**settings(SECTION, name), "samples": 50}
        assert draw(model, 0.7, 0, name, 0).sample.data.shape == (50, model["n"])


def test_the_error_is_that_of_the_library_where_groups_use_all_their_atoms():
    one = problem()
    estimate = one.starts["near"]
    found = match(estimate, one)
    expected = invariant_squared_error(estimate, one.truth, 3)
    assert found.error == pytest.approx(expected, abs=1e-9)
    assert found.order.tolist() == list(range(8))


def test_a_group_that_contains_a_smaller_one_is_right():
    one = problem(sizes=[1, 2, 3, 1, 2, 3, 1, 2])
    estimate = one.truth.clone()
    estimate[:, 1:3] = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    # Group 0 uses its first atom alone.
    assert match(estimate, one).error < 1e-9
    estimate[:, 0] = estimate[:, 2]
    assert match(estimate, one).error > 0.5


def test_groups_in_another_order_are_matched():
    one = problem()
    order = [3, 1, 0, 2, 7, 6, 5, 4]
    turned = torch.cat([one.truth[:, 3 * g : 3 * g + 3] for g in order], 1)
    found = match(turned, one)
    assert [order[i] for i in found.order] == list(range(8))
    codes = coded(one.sample.data, turned, 3)
    assert measure(Learnt(turned, codes), one, clusters=False)["f1"] > 0.9


def test_codes_of_zeros_are_no_cluster_with_codes_of_the_first_group():
    one = problem(active_groups=1)
    # All codes of group 1 are zeros: a cluster that fits it.
    silent = torch.where(one.support[:, 1:2], 0.0, one.codes)
    assert measure(Learnt(one.truth, silent), one, clusters=True)["accuracy"] == 1


def test_nothing_is_better_than_the_oracle_by_more_than_chance():
    one = problem(sizes=[1, 2, 3, 1, 2, 3, 1, 2])
    best = Learnt(oracle(one), one.codes)
    ratio = match(one.starts["near"], one).error / measure(best, one, False, known=True)["error"]
    assert measure(best, one, False, known=True)["f1"] == 1
    assert ratio > 5


def test_the_oracle_has_the_error_of_its_closed_form():
    one = problem(samples=3000)
    error = match(oracle(one), one, known=True).error
    # sigma^2 (n - d) per atom over its energy N k / G E[c^2] / d: a sum of many squares, to 20 %.
    power = 3000 * 2 / 8 * (61 / 3) / 3
    expected = 24 * one.sample.noise_std**2 * (60 - 3) / power
    # Inverse Gram matrices of unit but oblique atoms weigh more, by the mean of their inverse.
    grams = one.truth.T.reshape(8, 3, 60) @ one.truth.T.reshape(8, 3, 60).mT
    expected *= float(torch.linalg.inv(grams).diagonal(dim1=-2, dim2=-1).mean())
    assert error == pytest.approx(expected, rel=0.2)


def test_codes_of_least_squares_are_neither_shrunk_nor_crossed():
    one = problem()
    codes = coded(one.sample.data, one.truth, 3)
    # Float32 rounding of two solutions of the same systems.
    assert one_step(Learnt(one.truth, codes), one)["cross"] < 1e-3
    assert one_step(Learnt(one.truth, 0.75 * codes), one)["shrunk"] == pytest.approx(0.25, abs=1e-3)


def test_traits_tell_models_apart():
    two_sided, nonnegative = traits(problem()), traits(problem(nonnegative=True))
    assert nonnegative["negative"] == 0
    # Half of the energy, over 4800 draws of one entry each.
    assert two_sided["negative"] == pytest.approx(0.5, abs=0.05)
    # 3 (E|u|)^2 = 3/4 for u uniform on (-1, 1); c ~ U(4, 5) leaves it at 0.996 times.
    assert nonnegative["one_direction"] == pytest.approx(0.75, abs=0.03)
    assert two_sided["one_direction"] < 0.05
    together = traits(problem(correlation=0.5))["together"]
    # 1/2 + 1/2 / 7 of 200 samples; the partner is nearly always the most frequent companion.
    assert together == pytest.approx(0.571, abs=5 * (0.25 / 200 / 8) ** 0.5)
    # Chi-square of 60 degrees over its mean: the largest 8 of 800 are below 2 times the mean. The
    # tail of t_3 gives 8 samples several times as much.
    assert two_sided["outliers"] < 0.02
    assert traits(problem(noise="student"))["outliers"] > 0.05
    coloured = traits(problem(color=0.8))["neighbours"]
    # 48,000 products of standard normals, correlated over some five neighbours.
    assert coloured == pytest.approx(0.8, abs=5 * (2 * 10 / 48_000) ** 0.5)
    assert abs(two_sided["neighbours"]) < 5 * (1 / 47_200) ** 0.5
    assert two_sided["together"] < 0.3  # 1/7 of 200 samples, the largest of seven


def test_noise_of_the_datas_level_activates_a_group_in_one_sample_of_twenty():
    generator = torch.Generator().manual_seed(0)
    data = 0.7 * torch.randn(20_000, 64, generator=generator)
    atoms = torch.linalg.qr(torch.randn(64, 30, generator=generator)).Q
    rates = {}
    for prox in ("group_soft", "soft", "relu"):
        lambda_ = threshold(data, 0.05 / 10, 3, prox)
        rates[prox] = float((PROX[prox](data @ atoms, lambda_, 3) != 0).any(-1).double().mean())
    # 1 - (1 - 0.05 / 10)^10 = 0.0489, and of entries 1 - (1 - 0.005 / 3)^30 = 0.0488, within five
    # standard errors.
    for prox in ("group_soft", "soft", "relu"):
        assert abs(rates[prox] - 0.0489) < 5 * (0.05 / 20_000) ** 0.5


def test_methods_recover_an_easy_model_and_a_one_sided_one_does_not():
    problems = [problem(snr_db=10.0)]
    study = {"training": {"epochs": 60, "optimizer": "adam", "lr": 0.01}, "passes": 5}
    bound = match(oracle(problems[0]), problems[0]).error
    ratio = {}
    for name in ("alternating", "discover", "group_soft", "relu"):
        (learnt,) = learn(SECTION["methods"][name], problems, study, seed=0)
        ratio[name] = match(learnt.dictionary, problems[0]).error / bound
    assert ratio["alternating"] < 1.3
    assert ratio["discover"] < 1.3
    assert ratio["relu"] > 3 * ratio["group_soft"]


def test_a_ratio_near_one_holds_and_a_large_one_does_not():
    for error, verdict in ((1.05, HOLDS), (3.0, FAILED)):
        table = made_up({name: error for name in SECTION["methods"]})
        judged = collect(claims, {"models": table}, shown(section())).set_index("claim").verdict
        for title in judged.index[judged.index.str.contains("oracle")]:
            assert judged[title] == verdict
        assert recovers(table, "subspaces", "soft") == (verdict == HOLDS)


def test_clusters_are_judged_beside_the_truth():
    for accuracy, verdict in ((0.999, HOLDS), (0.5, FAILED)):
        table = made_up({name: 1.0 for name in SECTION["methods"]}, accuracy=accuracy)
        judged = collect(claims, {"models": table}, shown(section())).set_index("claim").verdict
        (title,) = judged.index[judged.index.str.contains("cluster")]
        assert judged[title] == verdict


@pytest.mark.parametrize(
    ("method", "metrics", "words"),
    [
        ("relu", {}, "negative codes, 50%"),
        ("discover", {"found": 20}, "4.0 of 24 groups not found"),
        ("soft", {"recall": 0.9}, "misses 10%"),
        ("soft", {"precision": 0.6}, "40% of its active groups are false"),
        ("group_soft", {"shrunk": 0.3}, "shrunk by 30%"),
        ("group_soft", {"cross": 0.2}, "20% of a code's norm"),
    ],
)
def test_causes_are_what_was_measured(method, metrics, words):
    table = made_up({method: 2.0}, **metrics)
    entry, setting = SECTION["methods"][method], settings(SECTION, "subspaces")
    (found,) = causes(table, "subspaces", method, entry, setting)
    assert words in found


def test_tables_and_the_figure_show_every_method():
    table, study = made_up({name: 1.05 for name in SECTION["methods"]}), section()
    assert len(tables.ratios(table, study)["rows"][0]) == 2 + len(SECTION["methods"])
    assert tables.why_not(table, study)["rows"] == []
    table = made_up({name: 2.0 for name in SECTION["methods"]})
    assert len(tables.why_not(table, study)["rows"]) == len(SECTION["methods"])
    assert len(tables.clustering(table, study)["rows"]) == 1 + len(SECTION["methods"])
    assert len(plots.ratios(table, study).axes) == 2
    assert "farthest is union of subspaces" in findings.findings(table, study)[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": ["nothing"]}, "models.run: nothing is no model"),
        ({"models": {"subspaces": {"sizes": [4]}}}, "sizes: larger than the group size 3"),
        ({"models": {"subspaces": {"group_size": 60}}}, "more than half of the dimension"),
        ({"models": {"subspaces": {"samples": 100}}}, "fewer than two for every atom"),
        ({"models": {"subspaces": {"active_groups": 99}}}, "more than the 24 groups"),
        ({"shown": {**SECTION["shown"], "method": "discover"}}, "no method whose start is near"),
        ({"shown": {**SECTION["shown"], "group": "discover"}}, "discover is no network"),
    ],
)
def test_a_config_that_contradicts_itself_is_refused(change, message):
    assert inconsistencies({"models": section()}) == []
    (error,) = inconsistencies({"models": section(**change)})
    assert message in error
