"""The smoke preset end to end, and what a rerun does after each kind of edit."""

import pandas as pd
import torch

from groupsparse.artifacts import load_tensors

TABLES = (
    "recovery", "recovery_history", "clustering", "clustering_history", "theory", "theory_sweep",
    "recovery_sweep", "clustering_convergence", "clustering_sweep", "mixtures_counts", "claims",
)  # fmt: skip
TIMED = "mixtures", "mixtures_missing", "deconvolution"  # seconds are among their numbers


def test_the_smoke_run_makes_every_table_and_figure(finished):
    results, reports = finished.folder / "results/smoke", finished.folder / "reports/smoke"
    for table in (*TABLES, *TIMED):
        assert len(pd.read_csv(results / "summary" / f"{table}.csv"))
    names = [*(f"fig3{panel}" for panel in "abcd"), "inits", "fig4-digits", "fig5-digits"]
    names += [f"{figure}-digits" for figure in ("silhouettes", "table1", "convergence")]
    names += ["lambda_sweep"] + [
        f"theory_{figure}" for figure in ("constants", "gradients", "support")
    ]
    names += [f"mixtures{study}-digits" for study in ("", "_missing", "_counts")]
    names += ["deconvolution-dunl_25", "deconvolution-long", "deconvolution_sweeps"]
    for name in names:
        assert (reports / "figures" / f"{name}.png").stat().st_size > 5000
        assert (reports / "figures" / f"{name}.svg").stat().st_size > 5000
    assert not list((results / "checkpoints").glob("*")), "a finished run keeps no checkpoint"


def test_controls_bound_every_metric(finished):
    summary = finished.folder / "results/smoke/summary"
    recovery = pd.read_csv(summary / "recovery.csv").query("stage == 'final'")
    # The floor is a property of the data, and a number of active groups is neither good nor bad.
    bounded = recovery[~recovery.metric.isin(["noise_floor", "active_groups"])]
    for metric, table in bounded.groupby("metric"):
        mean = table.groupby("method").value.mean()
        sign = -1 if "error" in metric else 1
        methods = sign * mean.drop(["oracle", "chance"])
        assert (methods <= sign * mean["oracle"]).all(), metric
        # A method may lose to chance where it finds nothing; the table must show chance at all.
        assert sign * mean["chance"] < sign * mean["oracle"], metric
    clustering = pd.read_csv(summary / "clustering.csv")
    accuracy = clustering[clustering.metric == "acc"].groupby("method").value.mean()
    assert accuracy["oracle"] == 1
    assert accuracy.drop("chance").min() > accuracy["chance"]


def test_only_rows_marked_so_use_labels(finished):
    table = pd.read_csv(finished.folder / "reports/smoke/tables/table1.csv")
    assert set(table[table.uses_labels].init) == {"class", "none"}
    assert set(table[~table.uses_labels].init) == {"pca", "none"}
    assert set(table[table.uses_labels & (table.init == "none")].method) == {"oracle"}


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.planned() == {}


def test_every_file_of_a_run_is_a_declared_output(finished):
    """So remote storage and shadow directories, which keep nothing else, keep the checksums."""
    summary = finished.run("--summary").stdout.splitlines()
    start = next(i for i, line in enumerate(summary) if line.startswith("output_file\t"))
    declared = {line.split("\t")[0] for line in summary[start + 1 :]}
    found = {
        str(path.relative_to(finished.folder))
        for folder in ("results", "reports/smoke")
        for path in (finished.folder / folder).rglob("*")
        if path.is_file()
    }
    assert found == declared


def test_editing_the_figures_redraws_and_does_not_retrain(workflow_copy):
    workflow_copy.edit("src/evidence/style.py", '"figure.dpi": 100', '"figure.dpi": 101')
    drawn = {
        "recovery_figures", "clustering_figures", "clustering_scores", "theory_figures",
        "clustering_long_figure", "clustering_sweep_figure", "mixtures_figures",
        "mixtures_missing_figure", "mixtures_counts_figure", "deconvolution_sweeps",
    }  # fmt: skip
    jobs = dict.fromkeys([*drawn, "build_report", "all"], 1) | {"deconvolution_figures": 2}
    assert workflow_copy.planned() == jobs


def test_editing_the_prox_retrains_and_does_not_simulate(workflow_copy):
    workflow_copy.edit("src/groupsparse/prox.py", "clamp_min(0)", "clamp_min(0.0)")
    planned = workflow_copy.planned()
    assert planned["recovery_train"] == 10
    assert planned["clustering_train"] == 4, "all inits of a method in one job"
    assert not {"recovery_simulate", "data_prepare"} & set(planned)


def test_editing_one_lambda_retrains_that_method_alone(workflow_copy):
    workflow_copy.edit(
        "config.yaml",
        "sparse: {prox: soft, lambda: 2.0",
        "sparse: {prox: soft, lambda: 3.1",
    )
    planned = workflow_copy.planned()
    assert planned["recovery_train"] == 2, "one for each sampling"
    assert planned["recovery_evaluate"] == 1, "one for each noise level"
    assert not {"recovery_simulate", "clustering_train", "clustering_evaluate"} & set(planned)


def test_editing_one_lambda_of_the_clustering_retrains_and_scores_that_method_alone(workflow_copy):
    workflow_copy.edit(
        "config.yaml", "sparse: {prox: soft, lambda: 0.75", "sparse: {prox: soft, lambda: 0.76"
    )
    planned = workflow_copy.planned()
    assert (planned["clustering_train"], planned["clustering_evaluate"]) == (1, 1)
    others = {"data_prepare", "clustering_controls", "clustering_converge"}
    assert not (others | {"recovery_train", "recovery_evaluate"}) & set(planned)


def test_an_init_trained_beside_others_ends_as_if_alone(workflow_copy, finished):
    entry = "group_sparse: {prox: group_soft, lambda: 5.0, step: 0.04, encoder: fista, layers: 15"
    workflow_copy.edit("config.yaml", entry, f"{entry}, inits: [pca]")
    target = "results/smoke/clustering/digits/group_sparse-raw/model.safetensors"
    workflow_copy.run(target)
    together, about = load_tensors(finished.folder / target)
    alone, about_alone = load_tensors(workflow_copy.folder / target)
    assert (about["inits"], about_alone["inits"]) == (["pca", "class"], ["pca"])
    assert torch.equal(together["init.pca"], alone["init.pca"])
    # Batched products may sum in another order: float32 rounding, which Adam may blow up where a
    # gradient nearly vanishes, over 9 steps of 1e-3.
    same = {"rtol": 0, "atol": 1e-4}
    assert torch.allclose(together["dictionary.pca"], alone["dictionary.pca"], **same)
    assert not torch.allclose(together["dictionary.class"], alone["dictionary.pca"], **same)


def test_a_model_says_which_inits_used_labels(finished):
    folder = finished.folder / "results/smoke/clustering/digits"
    for method, expected in (("group_sparse-raw", ["class"]), ("sparse-raw", [])):
        assert load_tensors(folder / method / "model.safetensors")[1]["labels_used_by"] == expected


def test_editing_the_claims_recomputes_no_metric(workflow_copy):
    workflow_copy.edit("src/evidence/verdict.py", '"not reproduced"', '"refuted"')
    planned = workflow_copy.planned()
    assert planned == {"deliver": 5, "build_report": 1, "all": 1}


def test_editing_a_claim_asks_its_own_experiment_alone(workflow_copy):
    workflow_copy.edit("src/theory/claims.py", "RESOLVED = 0.1", "RESOLVED = 0.2")
    assert workflow_copy.planned() == {"deliver": 1, "build_report": 1, "all": 1}


def test_stages_run_alone(fresh_workflow, finished):
    assert set(fresh_workflow.planned("--until", "recovery_simulate")) == {"recovery_simulate"}
    after_table1 = ["clustering_table1", "deliver", "build_report", "all"]
    assert finished.planned("--forcerun", "clustering_table1") == dict.fromkeys(after_table1, 1)
    assert not [rule for rule in fresh_workflow.planned("theory") if "recovery" in rule]


def test_a_run_gives_the_same_numbers_again(workflow_copy, finished):
    # All that the tables come from; not the trainings of the mixtures, whose table holds seconds.
    first = ["recovery_simulate", "theory_measure", "theory_sweep", "mixtures_counts"]
    first += [f"clustering_{name}" for name in ("train", "controls", "converge", "sweep")]
    workflow_copy.run("summarise", "--forcerun", *first, forked=True)
    for name in TABLES:
        path = f"results/smoke/summary/{name}.csv"
        assert (workflow_copy.folder / path).read_bytes() == (finished.folder / path).read_bytes()


def test_snakemake_writes_its_own_report(finished, tmp_path):
    finished.run("--report", str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text()
    assert len(page) > 100_000
    assert "This is the run <tt" in page, "the text on top"
    for name in ("summary/claims.csv", "smoke/report.html", "tables/table1.csv"):
        assert name in page
    figures = (finished.folder / "reports/smoke/figures").glob("*.png")
    for figure in {file.stem.partition("-")[0] for file in figures}:
        assert f'"figure": "{figure}"' in page, "its label"


def test_a_corrupt_artefact_is_named_and_not_used(workflow_copy):
    path = workflow_copy.folder / "results/smoke/recovery/snr5/data.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    result = workflow_copy.run("--forcerun", "recovery_evaluate", check=False)
    assert result.returncode != 0
    output = result.stdout + result.stderr
    assert "results/smoke/recovery/snr5/data.safetensors" in output
    assert "checksum" in output


def test_diverging_training_stops_its_job_with_epoch_and_cause(workflow_copy):
    # A step this long overflows float32 within a few epochs.
    workflow_copy.edit(
        "config.yaml",
        "optimizer: adam          # adam | sgd\n    lr: 1.0e-3",
        "optimizer: sgd\n    lr: 1.0e+6",
    )
    target = "results/smoke/recovery/snr5/near/fixed/sparse/model.safetensors"
    result = workflow_copy.run(target, check=False)
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "diverged at epoch" in output
    assert "The same command goes on where this run stopped" in output
    assert "learning rate" in output
    assert not (workflow_copy.folder / target).exists()
