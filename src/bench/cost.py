"""Measure what an epoch costs at several sizes, and the rates from which formula.py predicts it.

Every run is a process of its own. Its step has length zero, so that as many groups stay active as
the threshold was chosen for.
"""

import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from bench.formula import peak_bytes, run_of
from bench.formula import seconds as predicted
from bench.rates import machine
from bench.scale import read
from bench.timing import (
    arguments,
    isolated,
    memory_added_mb,
    rows,
    save,
    simulate,
    size,
)
from groupsparse.alternating import alternate
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData, StreamedData
from groupsparse.dictionary import perturb
from groupsparse.groups import group_norms
from groupsparse.seeds import generator
from groupsparse.training import train

SEED = 0  # of the order of the samples


def main() -> None:
    args = arguments(__doc__)
    settings, threads = args.settings, args.threads[-1]
    torch.set_num_threads(threads)
    rates, table = machine(), []
    logging.info("%s", rates)
    with tempfile.TemporaryDirectory() as folder:
        for name, run in settings["runs"].items():
            base = settings["base"]
            spec = base | run | {"model": base["model"] | run.get("model", {})}
            data = prepare(spec, args.seed, Path(folder))
            seconds, peak = isolated(measure, Path(folder), spec, data, settings, threads)
            logging.info("%s: %.4g s, %.0f MB", name, np.median(seconds), peak)
            run = run_of(spec)
            values = {
                "seconds": seconds, "peak_mb": [peak], "predicted": [predicted(run, rates)],
                "predicted_mb": [peak_bytes(run) / 2**20],
            }  # fmt: skip
            condition = {"case": name, **size(spec["model"]), "device": "cpu", "threads": threads}
            for metric, found in values.items():
                table += rows({spec["kind"]: found}, "", metric, **condition)
    rate = {"case": "rates", **dict.fromkeys(size(spec["model"]), 0), "device": "cpu"}
    for name, value in rates._asdict().items():
        table += rows({"machine": [value]}, "", name, **rate, threads=threads)
    save(args.output, "cost", table)


def prepare(spec: dict, seed: int, folder: Path) -> float:
    """Write data and start; the threshold at which as many groups are active as there were."""
    model = spec["model"]
    truth, data = simulate(model, seed)
    start = perturb(truth, 0.9, generator(seed, "bench", "init"), True)
    some = data[:500]
    norms = group_norms(some @ start, model["group_size"]).flatten()
    rank = norms.numel() - len(some) * model["active_groups"]
    np.save(folder / "data.npy", data.numpy())
    np.save(folder / "start.npy", start.numpy())
    return float(norms.kthvalue(max(rank, 1)).values)


def measure(
    folder: Path, spec: dict, threshold: float, settings: dict, threads: int
) -> tuple[list[float], float]:
    """Seconds of every epoch but the first, and MB added."""
    torch.set_num_threads(threads)
    stamps, count, d = [], settings["repetitions"] + 1, spec["model"]["group_size"]

    def stamp(dictionary: torch.Tensor) -> dict:
        stamps.append(time.perf_counter())
        return {}

    def run() -> None:
        start, size = read(folder / "start.npy"), spec["batch_size"]
        if spec["block"]:
            batches = StreamedData(folder / "data.npy", SEED, size, spec["block"])
        else:
            batches = FixedData(read(folder / "data.npy"), SEED, size)
        if spec["kind"] == "alternating":
            alternate(start, batches, d, passes=count, metrics=stamp)
            return
        deep = {"encoder": "fista", "layers": spec["layers"], "backprop": spec["backprop"]}
        options = deep if spec["kind"] == "unfolded" else {}
        network = Autoencoder(start, "group_soft", threshold, d, **options)
        train(network, batches, epochs=count, lr=0.0, normalize=True, metrics=stamp)

    tiny = Autoencoder(torch.eye(8), "group_soft", 1.0, 4)
    train(tiny, FixedData(torch.ones(9, 8)), epochs=1)  # loads what it uses
    peak = memory_added_mb(run)
    return np.diff(stamps)[1:].tolist(), peak


if __name__ == "__main__":
    main()
