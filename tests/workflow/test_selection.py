"""Experiments and stages that are off leave no job, no file and no section, and the page comes."""

import copy
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT, Workflow, job_counts, merged
from validate import config_errors

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SMOKE = merged(CONFIG, yaml.safe_load((ROOT / "workflow/presets/smoke.yaml").read_text()))
RULES = {
    "simulation": {"simulate", "train_recovery", "evaluate_recovery", "plot_recovery"},
    "clustering": {
        "prepare_dataset", "train_clustering", "evaluate_clustering", "plot_clustering",
        "evaluate_clustering_control", "make_table1", "plot_scores",
    },
    "theory": {"plot_theory"},
}  # fmt: skip
STAGES = {
    "simulation": {"sweep_lambda"},
    "clustering": {"measure_convergence"},
    "theory": {"measure_theory", "sweep_theory"},
}
ALWAYS = {"collect", "make_claims", "build_report", "all"}


def snakemake(workflow: Workflow, config: dict, *arguments: str) -> subprocess.CompletedProcess:
    """Snakemake with this config and no preset."""
    (workflow.folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    return subprocess.run(
        command, cwd=workflow.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def planned(workflow: Workflow, config: dict) -> set[str]:
    """The rules that a run of this config would execute."""
    result = snakemake(workflow, config, "--dry-run")
    assert result.returncode == 0, result.stdout
    return set(job_counts(result.stdout))


def changed(**sections) -> dict:
    """The smoke config with top-level keys replaced."""
    return copy.deepcopy(SMOKE) | sections


@pytest.mark.parametrize(
    "on", [["simulation"], ["clustering"], ["theory"], ["theory", "simulation"]]
)
def test_a_run_holds_the_experiments_that_are_listed(fresh_workflow, on):
    expected = ALWAYS.union(*(RULES[name] | STAGES[name] for name in on))
    assert planned(fresh_workflow, changed(experiments=on)) == expected


@pytest.mark.parametrize("section", [{}, None])
def test_an_empty_section_of_the_config_is_an_experiment_that_is_off(fresh_workflow, section):
    config = changed(simulation=section, theory=section)
    expected = ALWAYS | RULES["clustering"] | STAGES["clustering"]
    assert planned(fresh_workflow, config) == expected


def test_a_preset_switches_an_experiment_off_by_the_list(fresh_workflow):
    """Snakemake merges mappings, so an empty section in a preset changes nothing."""
    assert "plot_theory" in fresh_workflow.planned("--config", "theory={}")
    planned = fresh_workflow.planned("--config", "experiments=[simulation, clustering]")
    assert not (RULES["theory"] | STAGES["theory"]) & set(planned)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"datasets": []}, RULES["clustering"] | STAGES["clustering"]),
        ({"theory": {"regimes": []}}, {"measure_theory"}),
        ({"theory": {"sweep": {"delta": []}}}, {"sweep_theory"}),
        ({"theory": {"sweep": {"lambda": []}}}, {"sweep_theory"}),
        (
            {"theory": {"regimes": [], "sweep": {"lambda": []}}},
            {"measure_theory", "sweep_theory", "plot_theory"},
        ),
        ({"simulation": {"sweep": {"lambda": []}}}, {"sweep_lambda"}),
        ({"simulation": {"sweep": {"prox": []}}}, {"sweep_lambda"}),
        ({"clustering": {"convergence": {"methods": []}}}, {"measure_convergence"}),
        ({"report": {"silhouettes": []}}, set()),
    ],
)
def test_a_stage_without_entries_is_off_and_nothing_else(fresh_workflow, change, missing):
    every = ALWAYS.union(*RULES.values(), *STAGES.values())
    assert planned(fresh_workflow, merged(SMOKE, change)) == every - missing


def test_what_is_off_is_not_checked():
    config = changed(experiments=["theory"], simulation={"model": "none"})
    config["report"]["method"] = "unknown"
    assert config_errors(config) == []
    assert config_errors(config | {"experiments": ["theory", "simulation"]})


@pytest.mark.parametrize(
    "change",
    [
        {"experiments": []},
        {"experiments": ["clustering"], "datasets": []},
        {"simulation": {}, "clustering": {}, "theory": {}},
    ],
)
def test_a_config_that_leaves_nothing_to_run_is_refused_in_one_line(change):
    (error,) = config_errors(changed(**change))
    assert "nothing to run" in error


def page_of(workflow: Workflow, config: dict) -> str:
    result = snakemake(workflow, config)
    assert result.returncode == 0, result.stdout[-3000:]
    again = snakemake(workflow, config, "--dry-run")
    assert "Nothing to be done" in again.stdout
    return (workflow.folder / "reports/smoke/report.html").read_text()


def headings(page: str) -> list[str]:
    return [part.split("<")[0].split(">")[1] for part in page.split("<h2")[1:]]


def test_a_study_of_the_theory_alone_makes_its_page(fresh_workflow):
    change = {"experiments": ["theory"], "theory": {"regimes": ["paper"], "sweep": {"delta": []}}}
    page = page_of(fresh_workflow, merged(SMOKE, change))
    assert headings(page) == ["Claims", "Theory, measured", "Configuration", "Versions"]
    assert page.count("<figure") == 2


def test_the_sweep_of_the_theory_alone_makes_its_page(fresh_workflow):
    change = {"experiments": ["theory"], "theory": {"regimes": []}}
    page = page_of(fresh_workflow, merged(SMOKE, change))
    assert headings(page) == ["Claims", "Theory, measured", "Configuration", "Versions"]
    assert page.count("<figure") == 1


def test_a_clustering_alone_without_its_extra_stages_makes_its_page(fresh_workflow):
    change = {
        "experiments": ["clustering"],
        "clustering": {"convergence": {"methods": []}, "inits": ["kmeans"], "centering": [False]},
        "report": {"silhouettes": []},
    }
    page = page_of(fresh_workflow, merged(SMOKE, change))
    assert [h for h in headings(page) if h != "Warnings"] == [
        "Claims", "Figures", "Table 1: clustering of the test set", "Methods", "Configuration",
        "Versions",
    ]  # fmt: skip
    assert page.count("<figure") == 3


def test_a_small_simulation_alone_makes_its_page_and_warns_of_failed_trainings(fresh_workflow):
    model = {"n": 30, "groups": 8, "group_size": 3, "samples": 200}
    methods = {"group_sparse": {"lambda": 0.01}, "sparse": {"lambda": 50.0}}
    simulation = {"model": model, "methods": methods, "replicates": 1, "sweep": {"lambda": []}}
    change = {"experiments": ["simulation"], "simulation": simulation}
    page = page_of(fresh_workflow, merged(SMOKE, change))
    assert headings(page) == [
        "Warnings", "Claims", "Figures", "End points of the simulation", "Methods",
        "Configuration", "Versions",
    ]  # fmt: skip
    assert page.count("<figure") == 5
    log = (fresh_workflow.folder / "logs/smoke/evaluate_recovery/snr5.log").read_text()
    for text in (page, log):
        assert "fixed, init near, sparse: all codes are zero" in text
        assert "all 8 groups are active in every code" in text
        assert "near, oracle:" not in text
