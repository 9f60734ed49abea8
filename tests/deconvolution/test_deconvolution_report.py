"""Tables, findings and figures of the deconvolution, from made-up scores and artefacts."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import CONFIG
from small_recording import KERNELS, SEARCH, SECTION, TIMES, table, task, tensors

from deconvolution import figures, plots, report, tables
from deconvolution.conditions import Job
from deconvolution.findings import findings
from deconvolution.measure import as_tensors
from deconvolution.methods import learn
from deconvolution.names import METHODS, called, data_name
from deconvolution.results import curve, of, shared, wide
from evidence.tables import save_table
from groupsparse.artifacts import save_tensors

RUNS = wide(table())


def test_a_table_has_a_row_for_each_run_and_a_dash_for_what_was_not_measured():
    (first, second) = tables.recordings(table(), SECTION)
    assert [t["name"] for t in (first, second)] == ["deconvolution_long", "deconvolution_mine"]
    rows = {row[0]: row[1:] for row in first["rows"]}
    assert list(rows) == [called(name) for name in SECTION["runs"]["long"]]
    assert rows["search"] == [
        "0.050 ± 0.000", "0.040 ± 0.000", "98.0 ± 0.0", "2.0 ± 0.0", "0.90 ± 0.00",
        "0.800 ± 0.000", "–", "1.5 ± 0.0",
    ]  # fmt: skip
    assert rows["smoothed rate, bins hidden"] == ["–"] * 6 + ["0.010 ± 0.000", "1.5 ± 0.0"]
    assert "R² of the trace" not in first["head"][0], "no run has one"
    assert second["head"] == [["method"]], "it has no runs"
    for each in (first, second):
        assert all(len(row) == len(each["head"][0]) for row in each["rows"])


def test_a_caption_says_what_replicates_are_and_how_many():
    first, second = (t["caption"] for t in tables.recordings(
        pd.concat([table(), table(data="mine", replicates=1)]), SECTION
    ))  # fmt: skip
    assert first.startswith("simulation long (mean ± standard deviation of 3 replicates; ")
    assert "replicates are draws" in first
    assert second.startswith("mine (one run; replicates are seeds of the search)")


def test_one_replicate_has_no_spread():
    first, _ = tables.recordings(table(replicates=1), SECTION)
    assert first["rows"][2][1] == "0.050"


def test_values_are_read_by_recording_and_method():
    assert of(RUNS, Job("long", "search"), "kernel_error").tolist() == [0.05] * 3
    for job, metric in ((Job("mine", "search"), "kernel_error"), (Job("long", "search"), "none")):
        assert of(RUNS, job, metric).empty
    runs = wide(table({("search", "hit_1"): [0.5, 0.6, 0.7]}))
    one, other = shared(runs, "long", ("search", "chance"), "hit_1")
    assert (one - other).tolist() == pytest.approx([0.45, 0.55, 0.65])
    assert shared(runs, "long", ("search", "known_times"), "hit_1") is None


def test_a_curve_has_a_point_for_each_method_and_value():
    found = curve(RUNS, SECTION, "assumed", "kernel_error")
    assert found.method.tolist() == ["search"] * 2
    assert found.value.tolist() == [2, 3]
    assert found["mean"].tolist()[1] == pytest.approx(0.06)
    assert np.isnan(found["mean"][0]), "not measured"
    both = curve(RUNS, SECTION, "trials", "kernel_error")
    assert both[["method", "value"]].to_numpy().tolist() == [
        ["known_times", 6], ["search", 6], ["known_times", 25], ["search", 25],
    ]  # fmt: skip


def test_a_finding_has_the_error_that_of_known_times_and_the_events():
    assert findings(RUNS, SECTION) == [
        "Deconvolution (simulation long): with unknown times the kernel error is 0.050 (0.030 with "
        "known times), and 98.0 % of the events are found within one bin."
    ]
    (alone,) = findings(wide(table({("known_times", "kernel_error"): None})), SECTION)
    assert "with known times" not in alone


@pytest.mark.parametrize("metric", ["kernel_error", "hit_1"])
def test_without_its_numbers_there_is_no_finding(metric):
    assert findings(wide(table({("search", metric): None})), SECTION) == []
    other = SECTION | {"shown": {"ecg": "search"}}
    assert findings(RUNS, other) == []


def test_names_are_words_and_ones_own_stay():
    section = CONFIG["deconvolution"]
    assert METHODS.keys() == section["methods"].keys()
    assert (called("mine"), data_name("mine")) == ("mine", "mine")
    for name in section["recordings"]:
        assert data_name(name) != name
    for name in section["simulations"]:
        assert data_name(name) == f"simulation {name}"


def delivered(tmp_path, monkeypatch, drawn=("deconvolution-long", "deconvolution_sweeps")):
    save_table(tmp_path / "deconvolution.csv", table())
    files = {name: tmp_path / name for name in ("claims.csv", "section.json")}
    monkeypatch.setattr(sys, "argv", [
        "report", "--tables", str(tmp_path / "deconvolution.csv"), "--figures", *drawn, "--config",
        json.dumps(SECTION), "--claims", str(files["claims.csv"]), "--section",
        str(files["section.json"]),
    ])  # fmt: skip
    report.main()
    return json.loads(files["section.json"].read_text()), pd.read_csv(files["claims.csv"])


def test_the_report_is_delivered(tmp_path, monkeypatch):
    made, claimed = delivered(tmp_path, monkeypatch)
    blocks = {block["name"]: block for block in made["blocks"] if block["kind"] != "text"}
    assert list(blocks) == [
        "deconvolution-long", "deconvolution_sweeps", "deconvolution_long",
        "deconvolution_mine",
    ]  # fmt: skip
    assert set(claimed.table) <= set(blocks)
    kernels, sweeps = list(blocks.values())[:2]
    assert kernels["caption"].endswith(
        "(0 to 1 bins), and one trial. Data: simulation long; search."
    )
    assert kernels["caption"].startswith("Deconvolution 1 (not in the paper)")
    assert "of 3 replicates" in sweeps["caption"]
    assert made["question"].endswith("?")
    assert len(made["findings"]) == 1


def test_without_sweeps_there_is_one_figure(tmp_path, monkeypatch):
    made, _ = delivered(tmp_path, monkeypatch, ["deconvolution-long"])
    assert [b["name"] for b in made["blocks"] if b["kind"] == "figure"] == ["deconvolution-long"]


def test_errors_of_events_are_those_of_methods_that_do_not_know_the_times():
    found = figures.errors_of_events(RUNS, SECTION, "long")
    assert set(found.method) == {"known_kernels", "search", "chance"}
    search = found[found.method == "search"]
    assert search.tolerance.tolist() == [0, 1]
    assert search.missed.tolist() == pytest.approx([0.1, 0.02])
    assert search["false"].tolist() == pytest.approx([0.1, 0.02])
    assert figures.errors_of_events(RUNS, SECTION, "ecg").empty


def drawn(tmp_path, monkeypatch, recorded: dict, spec: dict):
    """The figure of a method that has learnt from a recording: its axes."""
    fit = learn(task(recorded=recorded), spec, SEARCH)
    learnt = {f"{k}.{i}": x.clone() for i in range(2) for k, x in as_tensors(fit).items()}
    learnt["kernels.1"] = learnt["kernels.1"].flip(0)  # another seed, another order
    save_tensors(tmp_path / "data", recorded, bin_ms=25.0)
    save_tensors(tmp_path / "learnt", learnt)
    save_table(tmp_path / "table.csv", table())
    made = {}
    monkeypatch.setattr(figures.style, "save", lambda figs, paths: made.update(figs))
    monkeypatch.setattr(sys, "argv", [
        "figures", "--table", str(tmp_path / "table.csv"), "--section", json.dumps(SECTION),
        "--name", "long", "--data", str(tmp_path / "data"),
        "--learnt", str(tmp_path / "learnt"), "--output", "x",
    ])  # fmt: skip
    figures.main()
    for figure in made.values():
        figure.canvas.draw()
    return {name: figure.axes for name, figure in made.items()}


def without(*names: str) -> dict:
    return {name: x for name, x in tensors().items() if not name.startswith(names)}


@pytest.mark.parametrize(
    ("spec", "recorded", "panels"),
    [
        ({"kind": "search"}, tensors(), 4),
        ({"kind": "known_times"}, without("kernels"), 4),
        ({"kind": "search", "assumed": 3}, tensors(), 4),  # the one that is matched to none is left
        ({"kind": "search", "assumed": 3}, without("event", "kernels"), 5),
        ({"kind": "search", "assumed": 1}, tensors(), 3),
        ({"kind": "chance"}, tensors(), 4),
        ({"kind": "search"}, without("event", "kernels", "baseline"), 3),
    ],
)
def test_the_figure_has_every_kernel_the_errors_and_a_trial(
    spec, recorded, panels, tmp_path, monkeypatch
):
    axes = drawn(tmp_path, monkeypatch, recorded, spec)
    assert axes.keys() == {"deconvolution-long"}
    kernels, *_, trial = axes["deconvolution-long"]
    assert len(axes["deconvolution-long"]) == panels
    assert trial.lines[1].get_xdata()[-1] == (TIMES - 1) * 25
    truth = [line for line in kernels.lines if line.get_label() == "true"]
    if spec.get("assumed") != 1:
        assert np.allclose(kernels.lines[0].get_ydata(), kernels.lines[1].get_ydata())
    assert len(truth) == ("kernels" in recorded)


def test_learnt_kernels_are_drawn_beside_the_true_ones_they_are_matched_to(tmp_path, monkeypatch):
    axes = drawn(tmp_path, monkeypatch, tensors(), {"kind": "known_times"})
    for number, ax in enumerate(axes["deconvolution-long"][:2]):
        *learnt, true = (line.get_ydata() for line in ax.lines)
        assert len(learnt) == 2, "replicates"
        assert np.allclose(true, KERNELS[number])
        assert min(true @ learnt[0], true @ learnt[1]) > 0.9
    trial = axes["deconvolution-long"][-1]
    marks = {line.get_label(): line for line in trial.lines}
    for kernel in (1, 2):
        found, true = (marks[f"{words}, kernel {kernel}"] for words in ("found", "true"))
        assert np.allclose(found.get_xdata(), true.get_xdata())
        assert found.get_ydata()[0] < true.get_ydata()[0]


def test_bins_that_were_not_observed_leave_the_marks_in_the_figure():
    y, rate = np.ones(30), np.full(30, 2.0)
    y[5:9] = np.nan
    at = np.array([3]), np.array([0])
    empty = pd.DataFrame(columns=["method", "tolerance", "missed", "false"])
    figure = plots.kernels([KERNELS.numpy()], None, 5.0, y, rate, at, None, empty)
    heights = [line.get_ydata() for line in figure.axes[-1].lines if line.get_marker() == "v"]
    assert heights[0] == pytest.approx([1 + 1.06])


def test_no_event_in_the_trials_that_are_kept_shows_the_first(tmp_path, monkeypatch):
    late = tensors()
    support = torch.arange(len(late["event_trial"])) >= 10
    late |= {name: x[support] for name, x in late.items() if name.startswith("event")}
    axes = drawn(tmp_path, monkeypatch, late, {"kind": "known_times"})
    assert not [line for line in axes["deconvolution-long"][-1].lines if line.get_marker() == "v"
                and len(line.get_xdata())]  # fmt: skip


def test_a_sweep_that_is_wide_has_a_logarithmic_axis(tmp_path):
    section = SECTION | {"sweeps": {
        "wide": {"of": "long", "key": "trials", "values": [25, 1600], "methods": ["search"]},
        "narrow": {"of": "long", "key": "assumed", "values": [2, 3], "methods": ["search"]},
    }}  # fmt: skip
    figure = plots.sweeps(RUNS, section)
    assert [ax.get_xscale() for ax in figure.axes] == ["log", "linear"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["trials", "kernels assumed"]
    figure.canvas.draw()
