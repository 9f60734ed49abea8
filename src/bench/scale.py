"""Seconds per epoch and peak memory against samples and atoms, data in memory or from disk.

Every point is a process of its own. Peak memory is what training adds to a process that has
loaded everything else, the data included.
"""

import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from bench.timing import (
    arguments,
    interleaved,
    isolated,
    memory_added_mb,
    rows,
    save,
    simulate,
    size,
)
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData, StreamedData
from groupsparse.dictionary import perturb
from groupsparse.seeds import derive_seed, generator
from groupsparse.training import train

MEMORY, DISK = "in memory", "streamed from disk"


def main() -> None:
    args = arguments(__doc__)
    settings, threads = args.settings, args.threads[-1]
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for axis, values in settings["axes"].items():
            for value in values:
                model = settings["models"][axis] | {axis: value}
                logging.info("%s = %d", axis, value)
                table += measure(axis, model, settings, args.seed, threads, Path(folder))
    save(args.output, "scale", table)


def measure(
    axis: str, model: dict, settings: dict, seed: int, threads: int, folder: Path
) -> list[dict]:
    truth, data = simulate(model, seed)
    init = perturb(truth, settings["correlation"], generator(seed, "bench", "init"), True)
    np.save(folder / "data.npy", data.numpy())
    np.save(folder / "init.npy", init.numpy())
    del data, truth, init
    candidates = (MEMORY, DISK)
    results = {c: isolated(epochs, c, folder, model, settings, seed, threads) for c in candidates}
    for name, (seconds, _, peak) in results.items():
        logging.info("  %s: %.4g s per epoch, %.0f MB", name, np.median(seconds), peak)
    times = {name: seconds for name, (seconds, _, _) in results.items()}
    times["bare product"] = results[MEMORY][1]
    memory = {name: [peak] for name, (_, _, peak) in results.items()}
    condition = {"case": axis, "device": "cpu", "threads": threads, **size(model)}
    return rows(times, MEMORY, **condition) + rows(memory, MEMORY, "peak_mb", **condition)


def epochs(
    candidate: str, folder: Path, model: dict, settings: dict, seed: int, threads: int
) -> tuple[list[float], list[float], float]:
    """Seconds of every epoch but the first, those of the bare products, and MB added."""
    torch.set_num_threads(threads)
    seeds, batch_size = [derive_seed(seed, "bench", "order")], settings["batch_size"]
    stamps = []

    def stamp(dictionary: torch.Tensor) -> dict:
        stamps.append(time.perf_counter())
        return {}

    def run() -> None:
        if candidate == MEMORY:
            data = read(folder / "data.npy")
            batches = FixedData(data, seeds, batch_size)
        else:
            batches = StreamedData(folder / "data.npy", seeds, batch_size, settings["block"])
        init = read(folder / "init.npy").unsqueeze(0)
        network = Autoencoder(init, "group_soft", settings["lambda"], model["group_size"])
        count = settings["repetitions"] + 1
        train(network, batches, epochs=count, lr=settings["lr"], metrics=stamp)

    tiny = Autoencoder(torch.randn(1, 8, 8), "group_soft", 1.0, 4)
    train(tiny, FixedData(torch.randn(9, 8), seeds), epochs=1, lr=1.0e-3)  # loads what it uses
    peak = memory_added_mb(run)
    seconds = np.diff(stamps)[1:].tolist()
    if candidate != MEMORY:
        return seconds, [], peak
    parts = read(folder / "data.npy").split(batch_size)
    init = read(folder / "init.npy")
    product = {"bare product": lambda: [part @ init for part in parts]}
    return seconds, interleaved(product, settings["repetitions"])["bare product"], peak


def read(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.load(path, allow_pickle=False))


if __name__ == "__main__":
    main()
