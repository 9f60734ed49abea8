"""The same number of threads gives the same bits; another one, the same numbers up to rounding."""

import numpy as np
import pytest
import torch
from conftest import FULL
from faults import SMOKE, run_script
from threadpoolctl import threadpool_limits

from clustering import evaluate as clustering_evaluate
from clustering import train as clustering_train
from clustering.conditions import OVERRIDES, RESTRICTIONS, settings_of
from data import prepare as data_prepare
from evidence.tables import load_table
from groupsparse.artifacts import load_tensors
from recovery import evaluate as recovery_evaluate
from recovery import simulate as recovery_simulate
from recovery import train as recovery_train

SIMULATION, CLUSTERING = SMOKE["recovery"], SMOKE["clustering"]
THREADS = (1, 2, 4)


@pytest.fixture(autouse=True)
def one_thread_afterwards():
    yield
    torch.set_num_threads(1)


def run_twice(script, patch, threads: int, folder, *outputs: str, **options) -> None:
    """Run a script twice with these threads: each of its outputs has the same bits."""
    names = [("first" + name, "again" + name) for name in outputs]
    with threadpool_limits(threads):  # as snakemake does by OMP_NUM_THREADS
        for run in zip(*names, strict=True):
            paths = dict(zip(("output", "history"), (folder / name for name in run), strict=False))
            run_script(script, patch, **options, threads=threads, **paths)
    for first, again in names:
        assert (folder / first).read_bytes() == (folder / again).read_bytes(), f"{threads} threads"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data of the smoke run, in a folder."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        run_script(
            recovery_simulate, patch, model=SIMULATION["model"], inits=SIMULATION["inits"], snr=5,
            replicates=2, seed=SMOKE["seed"], output=folder / "simulation",
        )  # fmt: skip
        run_script(
            data_prepare, patch, dataset="digits", subset=SMOKE["download"]["subset"],
            seed=SMOKE["seed"], output=folder / "digits",
        )  # fmt: skip
    return folder


def recovery(method: str, sampling: str) -> tuple:
    spec = SIMULATION["methods"][method]
    if isinstance(spec["lambda"], dict):
        spec = {**spec, "lambda": {"matched_to": SIMULATION["methods"]["group_sparse"]["lambda"]}}
    options = {"init": "near", "sampling": sampling, "method": method, "spec": spec}
    return recovery_train, "simulation", {**options, "training": SIMULATION["training"]}


def clustered(method: str) -> tuple:
    entry = CLUSTERING["methods"][method]
    spec = {k: v for k, v in entry.items() if k not in RESTRICTIONS + OVERRIDES}
    options = {"method": method, "spec": spec, "inits": ["kmeans", "class"], "replicates": 2}
    options["settings"] = settings_of({"clustering": CLUSTERING}, "digits", method)
    return clustering_train, "digits", {**options, "seed": SMOKE["seed"]}


METHODS = ("group_sparse", "sparse", "relu") if FULL else ("group_sparse",)
TRAININGS = [
    *(recovery(method, sampling) for method in METHODS for sampling in SIMULATION["sampling"]),
    *(clustered(method) for method in METHODS),
]


def steps(training: dict) -> float:
    """Largest displacement Adam can make: lr × steps."""
    batches = 1 if not training["batch_size"] else -(-300 // training["batch_size"])
    return training["epochs"] * batches * training["lr"]


@pytest.mark.fault(
    "1, 2 and 4 threads",
    "same threads, same bits; others within 1 % of the largest displacement Adam can make "
    "(lr × steps)",
)
@pytest.mark.parametrize(
    ("script", "source", "options"),
    TRAININGS,
    ids=[f"{s.__name__}-{o['method']}-{o.get('sampling', 'digits')}" for s, _, o in TRAININGS],
)
def test_trainings_agree_over_threads(script, source, options, data, tmp_path, monkeypatch):
    results = {}
    for threads in THREADS:
        options = {**options, "data": data / source, "device": "cpu"}
        run_twice(script, monkeypatch, threads, tmp_path, "", ".csv", **options)
        results[threads] = load_tensors(tmp_path / "first")[0]
    way = steps(options.get("training") or options["settings"]["training"])
    for threads in THREADS[1:]:
        for name, tensor in results[1].items():
            # Where a gradient nearly vanishes, rounding changes the direction of Adam's step.
            assert torch.allclose(results[threads][name], tensor, rtol=0, atol=0.01 * way), name


# One init and replicate: four threads on two cores take long to cluster.
SCORED = {"groups": 10, "neighbors": 5}
SIZES = {"replicates": 1, "seed": SMOKE["seed"], "settings": SCORED}


@pytest.mark.fault(
    "1, 2 and 4 threads for the scores", "same threads, same bits; others within 1e-4 of a score"
)
@pytest.mark.parametrize("training", [TRAININGS[0], TRAININGS[-1]], ids=["recovery", "clustering"])
def test_scores_agree_over_threads(training, data, tmp_path, monkeypatch):
    script, source, options = training
    paths = {"output": tmp_path / "model", "history": tmp_path / "history.csv"}
    options = {**options, "data": data / source, "device": "cpu"}
    if script is clustering_train:
        options |= {"inits": ["kmeans"], "replicates": 1}
    run_script(script, monkeypatch, **options, **paths)
    if script is recovery_train:
        evaluate, options = recovery_evaluate, {"models": [tmp_path / "model"]}
    else:
        evaluate, options = clustering_evaluate, {"model": tmp_path / "model", **SIZES}
    results = {}
    for threads in THREADS:
        options["data"] = data / source
        run_twice(evaluate, monkeypatch, threads, tmp_path, ".csv", **options)
        results[threads] = load_table(tmp_path / "first.csv").value
        # Sums of float32 in another order; a sample of 100 that changes its support would show.
        assert np.allclose(results[threads], results[1], rtol=1e-4, atol=1e-4, equal_nan=True)
