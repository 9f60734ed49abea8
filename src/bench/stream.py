"""One pass over a stream of samples that is never held: seconds and resident memory of every part.

Batches are drawn when they are asked for, and the seconds of drawing are counted apart. After every
part the log names it, and a checkpoint next to the output lets an interrupted run go on.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch
from torch import Tensor

from bench.formula import Run, peak_bytes
from bench.formula import seconds as predicted
from bench.rates import machine
from bench.timing import arguments, interleaved, memory_added_mb, rows, save, size
from groupsparse.autoencoder import Autoencoder
from groupsparse.dictionary import perturb
from groupsparse.files import remove
from groupsparse.generative import random_dictionary, sample
from groupsparse.metrics import active_per_sample
from groupsparse.recovery import squared_error
from groupsparse.seeds import generator
from groupsparse.training import train

PRODUCTS = 3  # times that the bare product of a batch is timed
SCORED = 1024  # atoms whose error is followed


class Stream:
    """The batches of part 1, 2, ...: ``count`` of ``batch_size`` new samples each."""

    def __init__(self, truth: Tensor, model: dict, count: int, batch_size: int, seed: int) -> None:
        rest = {k: v for k, v in model.items() if k not in ("n", "groups", "samples")}
        self.truth, self.model, self.seed = truth, rest | {"samples": batch_size}, seed
        self.count, self.seconds = count, 0.0

    def fingerprint(self) -> list:
        return [self.model, self.seed, self.count]

    def __call__(self, part: int) -> Iterator[Tensor]:
        random = generator(self.seed, "bench", "stream", part)
        for _ in range(self.count):
            began = time.perf_counter()
            batch = sample(self.truth, generator=random, **self.model).data
            self.seconds += time.perf_counter() - began
            yield batch


class Meter:
    """Seconds of training and of drawing since the last part, memory, and the error of the atoms.

    Its own time does not count.
    """

    def __init__(self, truth: Tensor, stream: Stream) -> None:
        self.truth, self.stream = truth[:, :SCORED], stream
        self.process, self.resumed = psutil.Process(), time.perf_counter()

    def __call__(self, dictionary: Tensor) -> dict[str, float]:
        drawing, self.stream.seconds = self.stream.seconds, 0.0
        values = {
            "seconds": time.perf_counter() - self.resumed - drawing,
            "drawing": drawing,
            "rss_mb": self.process.memory_info().rss / 2**20,
            "atom_error": float(squared_error(dictionary[:, :SCORED], self.truth))
            / self.truth.shape[1],
        }
        self.resumed = time.perf_counter()
        return values


def main() -> None:
    args = arguments(__doc__)
    settings, threads = args.settings, args.threads[-1]
    torch.set_num_threads(threads)
    model, batch_size = settings["model"], settings["batch_size"]
    d, atoms = model["group_size"], model["groups"] * model["group_size"]
    truth = random_dictionary(model["n"], atoms, generator(args.seed, "bench"))
    start = perturb(truth, settings["correlation"], generator(args.seed, "bench", "init"), True)
    network = Autoencoder(start, "group_soft", settings["lambda"], d)
    count = max(1, model["samples"] // (batch_size * settings["parts"]))
    stream = Stream(truth, model, count, batch_size, args.seed)
    checkpoint = Path(args.output).with_name("stream.checkpoint")
    rates, history = machine(), {}  # measured first, which also loads what a training uses
    options = {"epochs": settings["parts"], "lr": settings["lr"], "normalize": True}
    options |= {"decay": "cosine", "checkpoint": checkpoint, "checkpoint_every": 10}
    peak = memory_added_mb(
        lambda: history.update(train(network, stream, metrics=Meter(truth, stream), **options))
    )
    (batch,) = Stream(truth, model, 1, batch_size, args.seed)(settings["parts"] + 1)
    weights = network.dictionary.detach()
    products = interleaved({"bare product": lambda: batch @ weights}, PRODUCTS)["bare product"]
    with torch.no_grad():
        active = float(active_per_sample(network.encode(batch[:500]), d))
    part = count * batch_size
    run = Run("shallow", part, model["n"], atoms, d, active, batch_size, 2 * batch_size)
    condition = {
        "case": "stream", **size(model | {"samples": part}), "device": "cpu", "threads": threads,
    }  # fmt: skip
    table = rows({"bare product": [count * s for s in products]}, "", **condition)
    found = {name: values[1:].tolist() for name, values in history.items()} | {
        "active_groups": [active], "peak_mb": [peak], "predicted": [predicted(run, rates)],
        "predicted_mb": [peak_bytes(run) / 2**20],
    }  # fmt: skip
    for metric, values in found.items():
        table += rows({"library": values}, "library", metric, **condition)
    save(args.output, "stream", table)
    remove(checkpoint)


if __name__ == "__main__":
    main()
