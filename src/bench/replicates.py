"""Time many small trainings: side by side, one after the other, and as separate processes."""

import logging
import time

import numpy as np
import torch

from bench import reference
from bench.timing import arguments, interleaved, isolated, rows, save, simulate, size, step
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.dictionary import perturb
from groupsparse.seeds import derive_seed, generator
from groupsparse.training import train

PROCESSES = "library, separate processes"
PLAIN = "plain autograd, one after the other"


def main() -> None:
    args = arguments(__doc__)
    settings, model = args.settings, args.settings["model"]
    data, inits = [], []
    for r in range(settings["replicates"]):
        seed = derive_seed(args.seed, "bench", r)
        truth, samples = simulate(model, seed)
        data.append(samples)
        inits.append(perturb(truth, settings["correlation"], generator(seed, "init")))
    data, inits = torch.stack(data), torch.stack(inits)
    problem = "group_soft", settings["lambda"], model["group_size"]
    training = settings["epochs"], settings["lr"]
    logging.getLogger("groupsparse").setLevel(logging.WARNING)  # a line for each would be many
    fit(data[:1], inits[:1], problem, 1, settings["lr"])  # loads what a first training loads
    table = []
    for threads in args.threads:
        logging.info("%d replicates, %d threads", len(data), threads)
        torch.set_num_threads(threads)
        candidates = {
            "library, side by side": lambda: fit(data, inits, problem, *training),
            "library, one after the other": lambda: [
                fit(y[None], a[None], problem, *training) for y, a in zip(data, inits, strict=True)
            ],
            PLAIN: lambda: [
                fit_plainly(y, a, problem, *training) for y, a in zip(data, inits, strict=True)
            ],
        }
        condition = {
            "case": f"{len(data)} replicates",
            "device": "cpu",
            "threads": threads,
            **size(model),
        }
        times = interleaved(candidates, settings["repetitions"], warmup=0)
        table += rows(times, PLAIN, measured_runs=len(data), **condition)
        runs = min(settings["processes"], len(data))
        seconds = []
        for r in range(runs):
            start = time.perf_counter()
            isolated(
                fit_alone, data[r : r + 1].numpy(), inits[r : r + 1].numpy(), problem, training,
                threads,
            )  # fmt: skip
            seconds.append(time.perf_counter() - start)
        logging.info("  %s: %.4g to %.4g s for one", PROCESSES, min(seconds), max(seconds))
        # Only a few processes are timed; their time is scaled to the number of replicates.
        times = {PROCESSES: [s * len(data) for s in seconds]}
        table += rows(times, PLAIN, measured_runs=runs, **condition)
    save(args.output, "replicates", table)


def fit(data, inits, problem: tuple, epochs: int, lr: float) -> torch.Tensor:
    model = Autoencoder(inits, *problem)
    train(model, FixedData(data, seeds=list(range(len(data)))), epochs=epochs, lr=lr)
    return model.dictionary


def fit_plainly(data, init, problem: tuple, epochs: int, lr: float) -> torch.Tensor:
    weights = init.clone().requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=lr)
    once = step(optimizer, lambda: reference.shallow_loss(data, weights, *problem))
    for _ in range(epochs):
        once()
    return weights


def fit_alone(
    data: np.ndarray, init: np.ndarray, problem: tuple, training: tuple, threads: int
) -> None:
    """One replicate, in a process of its own."""
    torch.set_num_threads(threads)
    fit(torch.from_numpy(data), torch.from_numpy(init), problem, *training)


if __name__ == "__main__":
    main()
