"""The limits: which runs there are, their controls, and what is said about the numbers."""

import copy
import json
import math

import pandas as pd
import pytest
import torch
from conftest import ROOT
from yaml import safe_load

from evidence.claims import collect
from evidence.oracle import PooledOracle
from groupsparse.recovery import least_squares_dictionary
from limits import claims, conditions, findings, measure, plots, scores, tables
from limits.bounds import bounds
from limits.check import inconsistencies
from limits.methods import errors, follow
from limits.names import described, ordered
from limits.problem import draw, fixed_oracle

SECTION = safe_load((ROOT / "config.yaml").read_text())["limits"]
MODEL = {
    "n": 60, "groups": 10, "group_size": 2, "active_groups": 2, "samples": 400,
    "amplitude": (4.0, 5.0),
}  # fmt: skip
SMALL = {
    "model": MODEL, "correlation": 0.8, "replicates": 2, "epochs": {"fixed": 4, "fresh": 2},
    "passes": {"fixed": 3, "fresh": 3}, "training": {"optimizer": "adam", "lr": 1e-2}, "every": 2,
    "methods": {
        "best": {"basis": "isotropic", "fixed": [5, None], "fresh": [5]},
        "net": {
            "prox": "group_soft", "lambda": 2.0, "fixed": [5], "fresh": [5],
            "replicates": {"fixed": 1, "fresh": 1},
        },
    },
    "race": {"methods": ["best", "net"], "threads": 1},
    "shown": {"method": "best", "network": "net"},
}  # fmt: skip
INF = math.inf


def rows(method, values, sampling="fixed", snr=5.0, replicate=0):
    """Rows in long form: epoch -> metric -> value."""
    head = {"sampling": sampling, "snr": snr, "method": method, "replicate": replicate}
    return [
        {"experiment": "limits", **head, "epoch": epoch, "metric": metric, "value": value}
        for epoch, metrics in values.items()
        for metric, value in metrics.items()
    ]


def at(invariant, seconds=0.0, aligned=None):
    aligned = invariant if aligned is None else aligned
    return {"invariant": invariant, "aligned": aligned, "seconds": seconds}


def study(final=10.1, factor=40.0, noiseless=1e-7, fresh=1.05):
    """Made-up runs with these ratios: the oracle's error is 10, and 1 with fresh samples."""
    found = []
    for r in range(3):
        wobble = 1 + 1e-3 * r
        for snr in (1.0, 5.0):
            net = {0: at(100, 0), 10: at(20, 50), 20: at(15, 4 * factor), 30: at(15, 6 * factor)}
            best = {0: at(100, 0), 1: at(14, 4.0 * wobble), 2: at(final * wobble, 8.0)}
            found += rows("net", net, snr=snr, replicate=r)
            found += rows("best", best, snr=snr, replicate=r)
            found += rows("oracle", {1: {"invariant": 10, "aligned": 10}}, snr=snr, replicate=r)
            found += rows("best", {0: at(100), 3: at(fresh)}, "fresh", snr, r)
            oracle = {3: {"invariant": 1, "aligned": 1}, 2: {"invariant": 1.5, "aligned": 1.5}}
            found += rows("oracle", oracle, "fresh", snr, r)
        found += rows("best", {0: at(100.0), 3: at(100 * noiseless)}, snr=INF, replicate=r)
        found += rows("oracle", {1: {"invariant": 1e-12, "aligned": 1e-12}}, snr=INF, replicate=r)
    return pd.DataFrame(found)


def verdicts(table):
    judged = collect(claims, {"limits": table}, SMALL["shown"])
    return judged.set_index(["claim", "statistic"]).verdict


def test_a_method_runs_where_its_entry_says_and_networks_have_epochs():
    found = conditions.runs(SMALL, "fixed")
    assert found == [
        ("fixed", "best", 5.0, 2, 3), ("fixed", "best", INF, 2, 3), ("fixed", "net", 5.0, 1, 4),
    ]  # fmt: skip
    assert [run.epochs for run in conditions.runs(SMALL, "fresh")] == [3, 2]


def test_a_job_depends_on_its_own_methods_alone():
    net = SMALL["methods"]["net"] | {"lambda": 3.0}
    other = SMALL | {"shown": {}, "race": {}, "methods": SMALL["methods"] | {"net": net}}
    other |= {"epochs": {"fixed": 9, "fresh": 9}, "training": {"lr": 1.0}, "every": 7}
    for sampling in conditions.SAMPLINGS:
        told = conditions.told(SMALL, sampling, ["best"])
        assert conditions.told(other, sampling, ["best"]) == told
        every = conditions.runs(SMALL, sampling)
        assert conditions.runs(told, sampling) == [run for run in every if run.method == "best"]


def test_a_job_does_not_depend_on_the_other_sampling():
    net = SMALL["methods"]["net"] | {"fresh": [1, 5], "replicates": {"fixed": 1, "fresh": 2}}
    other = SMALL | {"methods": SMALL["methods"] | {"net": net}}
    other |= {key: SMALL[key] | {"fresh": 9} for key in ("epochs", "passes")}
    jobs = [
        [conditions.told(section, sampling, ["best", "net"]) for section in (SMALL, other)]
        for sampling in conditions.SAMPLINGS
    ]
    assert [before == after for before, after in jobs] == [True, False]


def test_the_bounds_depend_on_where_methods_run_alone():
    net = SMALL["methods"]["net"] | {"prox": "soft", "lambda": 3.0, "decay": "cosine"}
    other = SMALL | {"methods": SMALL["methods"] | {"net": net}, "every": 7, "training": {}}
    told = conditions.told_bounds(SMALL)
    assert conditions.told_bounds(other) == told
    for sampling in conditions.SAMPLINGS:
        needed = conditions.oracle_epochs(SMALL, sampling)
        assert conditions.oracle_epochs(told, sampling) == needed
        assert list(bounds(told, sampling, 1)) == list(bounds(SMALL, sampling, 1))


def test_what_is_raced_on_fixed_data_has_no_job_of_its_own():
    assert conditions.jobs(SMALL) == [("fresh", "best"), ("fresh", "net")]
    alone = {**SMALL, "race": {"methods": ["net"], "threads": 1}}
    assert conditions.jobs(alone) == [("fixed", "best"), ("fresh", "best"), ("fresh", "net")]
    assert conditions.races(alone)
    assert not conditions.races({**SMALL, "race": {"methods": [], "threads": 1}})


def test_every_run_has_an_oracle_with_the_samples_it_saw():
    assert conditions.oracle_epochs(SMALL, "fixed") == {5.0: {1: 2}, INF: {1: 2}}
    assert conditions.oracle_epochs(SMALL, "fresh") == {5.0: {3: 2, 2: 1}}


def test_noise_levels_are_the_same_problem_under_other_noise():
    quiet, loud = (draw(MODEL, 0.7, snr, 1, 0) for snr in (INF, 5.0))
    assert torch.equal(quiet.truth, loud.truth)
    assert torch.equal(quiet.start, loud.start)
    assert quiet.sample.noise_std == 0 < loud.sample.noise_std
    assert not torch.equal(quiet.truth, draw(MODEL, 0.7, INF, 1, 1).truth)


def test_noise_levels_have_samples_of_their_own():
    found = [draw(MODEL, 0.7, snr, 1, 0).sample.codes for snr in (1.0, 5.0)]
    assert not torch.equal(found[0].values, found[1].values)


def test_a_start_has_unit_atoms_and_the_correlation_of_the_config():
    problem = draw(MODEL | {"n": 400}, 0.56, 5.0, 1, 0)
    torch.testing.assert_close(problem.start.norm(dim=0), torch.ones(20), rtol=1e-6, atol=0)
    # A cosine in 400 dimensions deviates by at most 1/20, the mean of 20 by 0.011: 5 of those.
    assert float((problem.start * problem.truth).sum(0).mean()) == pytest.approx(0.56, abs=0.056)


def test_the_oracle_that_pools_is_least_squares_on_all_samples_at_once():
    problem, pooled = draw(MODEL, 0.7, 5.0, 1, 0), PooledOracle(60, 20)
    drawn = [problem.batches["fresh"].samples(epoch)[0] for epoch in (1, 2, 3)]
    data, codes = [], []
    for sample in drawn:
        pooled.add(sample)
        data.append(sample.data.double())
        dense = torch.zeros(400, 10, 2)
        for row, (groups, values) in enumerate(zip(*sample.codes, strict=True)):
            dense[row, groups] = values
        codes.append(dense.flatten(1).double())
    expected = least_squares_dictionary(torch.cat(data), torch.cat(codes))
    # Normal equations in float64 of a condition below 10, rounded to float32.
    torch.testing.assert_close(pooled.dictionary(), expected.float(), rtol=1e-5, atol=1e-6)


def test_bounds_are_the_oracle_and_chance_of_every_level():
    table = pd.DataFrame(bounds(SMALL, "fresh", 1))
    oracle = table[(table.method == "oracle") & (table.metric == "invariant")]
    assert sorted(zip(oracle.replicate, oracle.epoch, strict=True)) == [
        (0, 2), (0, 3), (1, 2), (1, 3),
    ]  # fmt: skip
    later, earlier = (float(oracle[oracle.epoch == e].value.iloc[0]) for e in (3, 2))
    assert later < earlier, "more samples"
    chance = table[(table.method == "chance") & (table.metric == "invariant")].value
    # Spans of 2 in 60 dimensions share 2 * 2 / 60 on average, 0.067 of 2.
    assert (chance > 0.8 * 20).all()


@pytest.mark.parametrize("method", ["best", "net"])
def test_a_run_is_followed_from_its_start_to_its_end(method):
    problem = draw(MODEL, 0.8, 5.0, 1, 0)
    inputs = problem.batches["fixed"], problem.start, problem.truth
    epochs = 4
    found = follow(
        SMALL["methods"][method], *inputs, 2, epochs=epochs, training=SMALL["training"], every=3
    )
    wanted = [0, 1, 2, 3, 4] if method == "best" else [0, 3, 4]
    assert list(found.history) == wanted
    assert found.history[0] == {**errors(problem.start, problem.truth, 2), "seconds": 0.0}
    last = found.history[epochs]
    assert {k: last[k] for k in ("invariant", "aligned")} == errors(
        found.dictionary, problem.truth, 2
    )
    seconds = [values["seconds"] for values in found.history.values()]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize(("sampling", "memory"), [("fixed", {0.0}), ("fresh", {1.0})])
def test_earlier_passes_count_where_samples_are_new(monkeypatch, tmp_path, sampling, memory):
    seen = []

    def watched(settings, *arguments, **options):
        seen.append(settings.get("memory", 0.0))
        return follow(settings, *arguments, **options)

    monkeypatch.setattr(measure, "follow", watched)
    section = conditions.told(SMALL, sampling, ["best"])
    arguments = {
        "--section": json.dumps(section), "--sampling": sampling, "--methods": "best",
        "--seed": "1", "--threads": "1", "--dictionaries": str(tmp_path / "a.safetensors"),
        "--output": str(tmp_path / "a.csv"),
    }  # fmt: skip
    monkeypatch.setattr("sys.argv", ["measure", *(x for pair in arguments.items() for x in pair)])
    measure.main()
    assert set(seen) == memory


def test_scoring_is_no_part_of_the_seconds(monkeypatch):
    import time

    problem = draw(MODEL, 0.8, 5.0, 1, 0)
    slow = lambda *a: time.sleep(0.3) or {"invariant": 1.0, "aligned": 1.0}  # noqa: E731
    monkeypatch.setattr("limits.methods.errors", slow)
    inputs = problem.batches["fixed"], problem.start, problem.truth
    settings = SMALL["methods"]["net"]
    found = follow(settings, *inputs, 2, epochs=6, training=SMALL["training"], every=1)
    assert found.history[6]["seconds"] < 6 * 0.3


def test_the_alternation_ends_near_the_oracle_and_finds_spans_without_noise():
    ends = {}
    for snr in (5.0, INF):
        problem = draw(MODEL, 0.8, snr, 1, 0)
        inputs = problem.batches["fixed"], problem.start, problem.truth
        found = follow(SMALL["methods"]["best"], *inputs, 2, epochs=8, training={}, every=1)
        ends[snr] = found.history[8]["invariant"] / found.history[0]["invariant"]
        oracle = errors(fixed_oracle(problem, 10), problem.truth, 2)["invariant"]
        if snr == 5.0:
            assert oracle * 0.95 < found.history[8]["invariant"] < 1.2 * oracle
    assert ends[INF] < 1e-6 < ends[5.0]


def test_a_ratio_is_to_the_oracle_with_the_same_samples():
    table = study(fresh=1.2)
    fresh = scores.over_oracle(table, "fresh", "best", "invariant")
    assert fresh.tolist() == pytest.approx([1.2] * 6), "over 1 after 3 epochs, not over 1.5 after 2"
    fixed = scores.over_oracle(table, "fixed", "best", "invariant")
    assert set(fixed.index.get_level_values("snr")) == {1.0, 5.0}, "no ratio without noise"
    assert scores.over_oracle(table, "fresh", "net", "invariant").empty


def test_a_run_of_fewer_epochs_is_held_to_the_oracle_after_as_many():
    table = study()
    short = rows("short", {0: at(100), 2: at(3.0)}, "fresh", 5.0, 0)
    table = pd.concat([table, pd.DataFrame(short)])
    ratio = scores.over_oracle(table, "fresh", "short", "invariant")
    assert ratio.tolist() == [2.0], "over 1.5 after 2 epochs, not over 1 after 3"


def test_time_counts_to_the_first_value_that_is_as_low_as_the_networks_last():
    found = scores.times(study(), "best", "net").loc[(5.0, 0)]
    # The network is at its last error, 15, after 20 epochs; the alternation is below it after one.
    assert (found.target, found.network, found.method) == (15, 160.0, 4.0)
    assert found.factor == 40


def test_a_method_that_never_gets_there_is_not_left_out():
    found = scores.times(study(final=16.0).replace({14: 16.0}), "best", "net")
    assert (found.factor == 0).all()
    assert verdicts(study(final=16.0).replace({14: 16.0})).filter(like="faster").eq(
        "not reproduced"
    ).all()  # fmt: skip


@pytest.mark.parametrize(
    ("change", "title", "verdict"),
    [
        ({}, "one data set", "holds"),
        ({"final": 10.4}, "one data set", "holds in part"),
        ({"final": 11.0}, "one data set", "not reproduced"),
        ({}, "all new samples", "holds"),
        ({"fresh": 1.3}, "all new samples", "holds in part"),
        ({"fresh": 2.0}, "all new samples", "not reproduced"),
        ({}, "Without noise", "holds"),
        ({"noiseless": 1e-4}, "Without noise", "holds in part"),
        ({"noiseless": 1e-2}, "Without noise", "not reproduced"),
        ({}, "faster", "holds"),
        ({"factor": 10.0}, "faster", "holds in part"),
        ({"factor": 2.0}, "faster", "not reproduced"),
    ],
)
def test_every_claim_has_every_verdict(change, title, verdict):
    found = verdicts(study(**change))
    here = found[[title in claim for claim, _ in found.index]]
    assert len(here)
    assert set(here) == {verdict}


def test_none_of_the_claims_is_the_papers_and_each_needs_its_runs():
    judged = collect(claims, {"limits": study()}, SMALL["shown"])
    assert not judged.paper.any()
    assert len(judged) == 6
    one = study()
    one = one[one.sampling == "fixed"]
    assert len(collect(claims, {"limits": one}, SMALL["shown"])) == 4


def test_an_option_removes_what_it_does_not_leave_of_the_excess():
    table = pd.DataFrame(
        rows("oracle", {1: {"invariant": 10, "aligned": 12}})
        + rows("net", {0: at(100), 4: at(20, aligned=28)})  # excess 10 in spans, 6 inside
        + rows("other", {0: at(100), 4: at(15, aligned=21)})  # 5 and 4
    )
    assert scores.removed(table, "fixed", "other", "net") == pytest.approx(
        {"invariant": 1 / 2, "inside": 1 / 3, "aligned": 7 / 16}
    )
    assert scores.removed(table, "fixed", "net", "net")["aligned"] == 0


def test_the_tables_have_a_row_for_what_ran():
    table = study()
    (head,), found = (tables.recovery(table, SMALL)[key] for key in ("head", "rows"))
    assert head[3:] == ["1 dB", "5 dB", "no noise"]
    name = described("best", SMALL["methods"]["best"])
    (fixed,) = (row for row in found if row[:3] == ["fixed", name, "subspace"])
    assert fixed[3] == "10.1 (1.011 ± 0.001)"
    assert fixed[5] == "1e-05", "no ratio without noise"
    assert not any(row[:2] == ["fresh", "network: as published"] for row in found)
    (row,) = tables.ablation(table, SMALL)["rows"]
    assert row == ["fixed", "network: as published", "1.50", "1.50", "", "", ""]
    times = tables.speed(table, SMALL)["rows"]
    assert [row[0] for row in times] == ["1 dB", "5 dB"]
    assert times[0][-1] == "40 ± 0"


def test_the_findings_say_the_numbers():
    first, second, third = findings.findings(study(), SMALL)
    assert "1.011 (1 dB), 1.011 (5 dB) times the subspace error" in first
    assert "4 epochs of the published network with 1.5 (1 dB), 1.5 (5 dB)" in first
    assert "40 (1 dB), 40 (5 dB) times faster" in second
    assert "1.05 (1 dB), 1.05 (5 dB) times the error of the oracle that has all" in third
    assert findings.findings(study()[lambda t: t.sampling == "none"], SMALL) == []


def test_a_finding_says_what_every_option_removes():
    section = copy.deepcopy(SMALL)
    section["methods"]["other"] = {"prox": "group_soft", "lambda": 2.0, "refit": True}
    other = pd.DataFrame(rows("other", {0: at(100), 4: at(11)}))
    found = findings.findings(pd.concat([study(), other]), section)
    (sentence,) = (s for s in found if "options" in s)
    # The network ends with 15, the oracle with 10.
    assert "With one data set, the network's options remove" in sentence
    assert sentence.endswith("error: network: refitted codes 80 %.")


def test_the_figure_has_a_panel_for_every_level_with_noise():
    figure = plots.race(study(), SMALL)
    assert [ax.get_title() for ax in figure.axes] == ["1 dB", "5 dB"]
    lines = figure.axes[0].get_lines()
    assert len(lines) == 3 + 3 + 1, "three replicates of both, and the oracle"
    assert all((line.get_xdata() > 0).all() for line in lines[:6]), "the axis is logarithmic"


def test_networks_are_named_by_their_options_and_follow_the_alternation():
    names = {name: described(name, s) for name, s in SECTION["methods"].items()}
    assert len(set(names.values())) == len(names)
    assert names["published"] == "network: as published"
    assert ordered(SECTION["methods"])[:2] == ["isotropic", "oblique"]
    assert ordered(SECTION["methods"])[4::5] == ["published", "improved"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"shown": {"method": "none", "network": "net"}}, "shown.method: none is no method"),
        ({"shown": {"method": "net", "network": "net"}}, "method: net is not alternating least"),
        ({"shown": {"method": "best", "network": "best"}}, "network: best is not an autoencoder"),
        ({"race": {"methods": ["none"], "threads": 1}}, "race.methods.0: none is no method"),
    ],
)
def test_a_config_that_contradicts_itself_is_refused(change, error):
    assert inconsistencies({"limits": SMALL}) == []
    (found,) = inconsistencies({"limits": {**SMALL, **change}})
    assert found.startswith("limits.")
    assert error in found


def test_a_race_needs_a_noise_level_on_fixed_data():
    section = copy.deepcopy(SMALL)
    section["methods"]["net"]["fixed"] = []
    assert inconsistencies({"limits": section}) == [
        "limits.race.methods.1: net has no noise level on fixed data"
    ]
