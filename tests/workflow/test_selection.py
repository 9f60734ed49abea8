"""Experiments and stages that are off leave no job, no file and no section, and the page comes."""

import copy
import re
import subprocess

import pandas as pd
import pytest
import yaml
from conftest import ROOT, Workflow, job_counts, merged, snakemake
from validate import config_errors

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SMOKE = merged(CONFIG, yaml.safe_load((ROOT / "workflow/presets/smoke.yaml").read_text()))
RULES = {
    "recovery": {"recovery_simulate", "recovery_train", "recovery_evaluate", "recovery_figures"},
    "clustering": {
        "data_prepare", "clustering_train", "clustering_evaluate", "clustering_figures",
        "clustering_controls", "clustering_table1", "clustering_scores",
    },
    "theory": {"theory_figures"},
    "mixtures": {
        "data_prepare", "mixtures_features", "mixtures_start", "mixtures_start_again",
        "mixtures_subspaces", "mixtures_train", "mixtures_figures", "mixtures_combine",
    },
    "deconvolution": {
        "deconvolution_simulate", "deconvolution_prepare", "deconvolution_measure",
        "deconvolution_figures",
    },
}  # fmt: skip
STAGES = {
    "recovery": {"recovery_sweep"},
    "clustering": {
        "clustering_converge",
        "clustering_long_figure",
        "clustering_sweep",
        "clustering_sweep_figure",
    },
    "theory": {"theory_measure", "theory_sweep"},
    "mixtures": {
        "mixtures_missing",
        "mixtures_missing_figure",
        "mixtures_counts",
        "mixtures_counts_figure",
    },
    "deconvolution": {"deconvolution_sweeps"},
}
ALWAYS = {"collect", "deliver", "build_report", "all"}


def run(workflow: Workflow, config: dict, *arguments: str, forked: bool = False) -> str:
    """What snakemake prints of a run of this config and no preset."""
    (workflow.folder / "config.yaml").write_text(yaml.safe_dump(config))
    result = snakemake(
        "--cores", "1", *arguments, cwd=workflow.folder, forked=forked,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]
    return result.stdout


def planned(workflow: Workflow, config: dict) -> set[str]:
    """The rules that a run of this config would execute."""
    return set(job_counts(run(workflow, config, "--dry-run")))


def changed(**sections) -> dict:
    """The smoke config with top-level keys replaced."""
    return copy.deepcopy(SMOKE) | sections


@pytest.mark.parametrize(
    "on",
    [
        ["recovery"], ["clustering"], ["theory"], ["mixtures"], ["deconvolution"],
        ["theory", "recovery"],
    ],
)  # fmt: skip
def test_a_run_holds_the_experiments_that_are_listed(fresh_workflow, on):
    expected = ALWAYS.union(*(RULES[name] | STAGES[name] for name in on))
    assert planned(fresh_workflow, changed(experiments=on)) == expected


@pytest.mark.parametrize("section", [{}, None])
def test_an_empty_section_of_the_config_is_an_experiment_that_is_off(fresh_workflow, section):
    config = changed(recovery=section, theory=section)
    on = ("clustering", "mixtures", "deconvolution")
    rules = (group[name] for group in (RULES, STAGES) for name in on)
    expected = ALWAYS.union(*rules)
    assert planned(fresh_workflow, config) == expected


def test_a_preset_switches_an_experiment_off_by_the_list(fresh_workflow):
    """Snakemake merges mappings, so an empty section in a preset changes nothing."""
    assert "theory_figures" in fresh_workflow.planned("--config", "theory={}")
    planned = fresh_workflow.planned("--config", "experiments=[recovery, clustering]")
    assert not (RULES["theory"] | STAGES["theory"]) & set(planned)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"datasets": []}, (RULES["clustering"] | STAGES["clustering"]) - RULES["mixtures"]),
        ({"theory": {"regimes": []}}, {"theory_measure"}),
        ({"theory": {"sweep": {"delta": []}}}, {"theory_sweep"}),
        ({"theory": {"sweep": {"lambda": []}}}, {"theory_sweep"}),
        (
            {"theory": {"regimes": [], "sweep": {"lambda": []}}},
            {"theory_measure", "theory_sweep", "theory_figures"},
        ),
        ({"recovery": {"sweep": {"lambda": []}}}, {"recovery_sweep"}),
        ({"recovery": {"sweep": {"prox": []}}}, {"recovery_sweep"}),
        (
            {"clustering": {"convergence": {"methods": []}}},
            {"clustering_converge", "clustering_long_figure"},
        ),
        (
            {"clustering": {"sweep": {"lambda": []}}},
            {"clustering_sweep", "clustering_sweep_figure"},
        ),
        ({"clustering": {"shown": {"silhouettes": []}}}, set()),
        (
            {"mixtures": {"missing": {"datasets": []}}},
            {"mixtures_missing", "mixtures_missing_figure"},
        ),
        (
            {"mixtures": {"counts": {"datasets": []}}},
            {"mixtures_counts", "mixtures_counts_figure"},
        ),
    ],
)
def test_a_stage_without_entries_is_off_and_nothing_else(fresh_workflow, change, missing):
    every = ALWAYS.union(*RULES.values(), *STAGES.values())
    assert planned(fresh_workflow, merged(SMOKE, change)) == every - missing


def test_what_is_off_is_not_checked():
    config = changed(experiments=["theory"], recovery={"model": "none"})
    config["clustering"]["shown"]["method"] = "unknown"
    assert config_errors(config) == []
    assert config_errors(config | {"experiments": ["theory", "recovery"]})


@pytest.mark.parametrize(
    "change",
    [
        {"experiments": []},
        {"experiments": ["clustering"], "datasets": []},
        {"recovery": {}, "clustering": {}, "theory": {}, "mixtures": {}, "deconvolution": {}},
    ],
)
def test_a_config_that_leaves_nothing_to_run_is_refused_in_one_line(change):
    (error,) = config_errors(changed(**change))
    assert "nothing to run" in error


def page_of(workflow: Workflow, config: dict) -> str:
    run(workflow, config, forked=True)
    assert "Nothing to be done" in run(workflow, config, "--dry-run")
    return (workflow.folder / "reports/smoke/report.html").read_text()


def headings(page: str) -> list[str]:
    """Headings after the top of the page."""
    parts = [part.split("<")[0].split(">")[1] for part in page.split("<h2")[1:]]
    assert parts[:2] == ["What was asked", "What was found"]
    return [part for part in parts[2:] if not part.startswith("Verdicts")]


def assert_no_spread(page: str) -> None:
    """What the page of one replicate says, without images, tags and the configuration."""
    text = re.sub(r'src="data:[^"]*"|<style.*?</style>', "", page, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", text.split('id="configuration"')[0])
    assert "ne run" in text
    assert not re.search(r"\bnan\b|\b1 replicates|\ball 1\b", text)


def test_clustering_and_the_sweep_of_the_theory_alone_make_their_page(fresh_workflow, tmp_path):
    clustering = {
        "convergence": {"methods": []}, "sweep": {"lambda": []}, "inits": ["pca"],
        "centering": [False], "replicates": 1, "shown": {"silhouettes": []},
        "methods": {"relu": {"datasets": ["mnist"]}},
    }  # fmt: skip
    change = {
        "experiments": ["clustering", "theory"],
        "clustering": clustering,
        "theory": {"regimes": [], "replicates": 1},
    }
    config = merged(SMOKE, change)
    page = page_of(fresh_workflow, config)
    assert [h for h in headings(page) if h != "Warnings"] == [
        "Experiment 2: clustering", "Theory, measured", "Terms", "The run",
    ]  # fmt: skip
    assert page.count("<figure") == 3 + 1 + 1, "the key figure is there twice"
    assert_no_spread(page)
    table = pd.read_csv(fresh_workflow.folder / "reports/smoke/tables/table1.csv")
    assert (table.replicates == 1).all()
    assert table.acc_mean.notna().all()
    assert table.acc_std.isna().all()
    run(fresh_workflow, config, "--report", str(tmp_path / "r.html"))
    assert "one replicate" in (tmp_path / "r.html").read_text()
    assert "1 replicates" not in (tmp_path / "r.html").read_text()


def test_a_small_simulation_and_one_regime_make_their_page_and_warn_of_failures(fresh_workflow):
    model = {"n": 30, "groups": 8, "group_size": 3, "samples": 200}
    methods = {"group_sparse": {"lambda": 0.01}, "sparse": {"lambda": 50.0}}
    recovery = {"model": model, "methods": methods, "sampling": ["fixed"], "replicates": 1}
    recovery |= {"sweep": {"lambda": []}}
    change = {
        "experiments": ["recovery", "theory"],
        "recovery": recovery,
        "theory": {"regimes": ["paper"], "replicates": 1, "sweep": {"delta": []}},
    }
    page = page_of(fresh_workflow, merged(SMOKE, change))
    assert headings(page) == [
        "Warnings", "Experiment 1: recovery", "Theory, measured", "Terms", "The run",
    ]  # fmt: skip
    assert page.count("<figure") == 5 + 2 + 1, "the key figure is there twice"
    assert_no_spread(page)
    log = (fresh_workflow.folder / "logs/smoke/recovery_evaluate/snr5.log").read_text()
    for text in (page, log):
        assert "fixed, init near, sparse: all codes are zero" in text
        assert "all 8 groups are active in every code" in text
        assert "near, oracle:" not in text
