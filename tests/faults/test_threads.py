"""The same number of threads gives the same bits; another one, the same numbers up to rounding."""

import pytest
import torch
from conftest import FULL
from faults import SMOKE, run_script
from threadpoolctl import threadpool_limits

import prepare_dataset
import simulate_data
import train_clustering
import train_recovery
from groupsparse.artifacts import load_tensors

SIMULATION, CLUSTERING = SMOKE["simulation"], SMOKE["clustering"]
THREADS = (1, 2, 4)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data of the smoke run, in a folder."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        run_script(
            simulate_data, patch, model=SIMULATION["model"], inits=SIMULATION["inits"], snr=5,
            replicates=2, seed=SMOKE["seed"], output=folder / "simulation",
        )  # fmt: skip
        run_script(
            prepare_dataset, patch, dataset="digits", subset=SMOKE["download"]["subset"],
            seed=SMOKE["seed"], output=folder / "digits",
        )  # fmt: skip
    return folder


def recovery(method: str, sampling: str) -> tuple:
    spec = SIMULATION["methods"][method]
    if isinstance(spec["lambda"], dict):
        spec = {**spec, "lambda": {"matched_to": SIMULATION["methods"]["group_sparse"]["lambda"]}}
    options = {"init": "near", "sampling": sampling, "method": method, "spec": spec}
    return train_recovery, "simulation", {**options, "training": SIMULATION["training"]}


def clustered(method: str) -> tuple:
    entry = CLUSTERING["methods"][method]
    spec = {k: v for k, v in entry.items() if k not in ("datasets", "inits", "centering")}
    options = {"method": method, "spec": spec, "inits": ["kmeans", "class"], "replicates": 2}
    options["settings"] = CLUSTERING["settings"]["digits"]
    return train_clustering, "digits", {**options, "seed": SMOKE["seed"]}


METHODS = ("group_sparse", "sparse", "relu") if FULL else ("group_sparse",)
TRAININGS = [
    *(recovery(method, sampling) for method in METHODS for sampling in SIMULATION["sampling"]),
    *(clustered(method) for method in METHODS),
]


def steps(training: dict) -> float:
    """Length of the way that Adam goes at most: its steps are of size lr."""
    batches = 1 if not training["batch_size"] else -(-300 // training["batch_size"])
    return training["epochs"] * batches * training["lr"]


@pytest.mark.fault(
    "1, 2 and 4 threads", "same threads, same bits; others within 1 % of the way that Adam goes"
)
@pytest.mark.parametrize(
    ("script", "source", "options"),
    TRAININGS,
    ids=[f"{s.__name__}-{o['method']}-{o.get('sampling', 'digits')}" for s, _, o in TRAININGS],
)
def test_trainings_agree_over_threads(script, source, options, data, tmp_path, monkeypatch):
    results = {}
    try:
        for threads in THREADS:
            where = {"data": data / source, "device": "cpu", "threads": threads}
            for name in ("first", "again"):
                paths = {"output": tmp_path / name, "history": tmp_path / f"{name}.csv"}
                with threadpool_limits(threads):  # as snakemake does by OMP_NUM_THREADS
                    run_script(script, monkeypatch, **options, **where, **paths)
            for pair in (("first", "again"), ("first.csv", "again.csv")):
                first, again = ((tmp_path / name).read_bytes() for name in pair)
                assert first == again, f"{threads} threads"
            results[threads] = load_tensors(tmp_path / "first")[0]
    finally:
        torch.set_num_threads(1)
    way = steps(options.get("training") or options["settings"]["training"])
    for threads in THREADS[1:]:
        for name, tensor in results[1].items():
            # Rounding turns a step of Adam where a gradient nearly vanishes.
            assert torch.allclose(results[threads][name], tensor, rtol=0, atol=0.01 * way), name
