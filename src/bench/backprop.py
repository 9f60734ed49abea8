"""Time, memory and loss after training with the gradient through the last layers only."""

import logging

import numpy as np
import torch

from bench import reference
from bench.timing import arguments, interleaved, isolated, memory_added_mb, rows, save, step
from groupsparse.artifacts import load_tensors
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.init import initialize
from groupsparse.loss import reconstruction_loss
from groupsparse.seeds import derive_seed
from groupsparse.training import train

FULL, PLAIN = "full gradient", "plain autograd"
NAMES = {None: FULL, 0: "decoder alone", 1: "last layer"}


def main() -> None:
    args = arguments(__doc__)
    settings, threads, repetitions = args.settings, args.threads[-1], args.settings["repetitions"]
    torch.set_num_threads(threads)
    tensors, _ = load_tensors(args.data)
    data, test = tensors["train_data"][: settings["samples"]], tensors["test_data"]
    size = settings["groups"], settings["group_size"]
    init = initialize("data", data, *size, derive_seed(args.seed, "bench"))
    problem = "group_soft", settings["lambda"], settings["group_size"]
    batch = data[: settings["batch_size"]]
    variants = {NAMES.get(k, f"last {k} layers"): k for k in settings["backprop"]}
    table = []
    for layers in settings["layers"]:
        logging.info("%d layers", layers)
        condition = {
            "case": f"FISTA, {layers} layers",
            "n": init.shape[0],
            "m": init.shape[1],
            "samples": len(batch),
            "group_size": settings["group_size"],
            "device": "cpu",
            "threads": threads,
        }
        spec = *problem, layers
        candidates = {name: training_step(init, batch, spec, k) for name, k in variants.items()}
        candidates[PLAIN] = training_step(init, batch, spec, PLAIN)
        times = interleaved(candidates, repetitions)
        table += rows(times, FULL, **condition)
        memory = {
            name: [isolated(step_memory, init.numpy(), batch.numpy(), spec, k, threads)]
            for name, k in [*variants.items(), (PLAIN, PLAIN)]
        }
        table += rows(memory, FULL, "step_memory_mb", **condition)
        if layers not in settings["train_layers"]:
            continue
        losses = {}
        for name, k in variants.items():
            logging.info("training, %s", name)
            model = network(init.unsqueeze(0), spec, k)
            seeds = [derive_seed(args.seed, "bench", "order")]
            train(
                model,
                FixedData(data, seeds, settings["batch_size"]),
                epochs=settings["epochs"],
                lr=settings["lr"],
            )
            with torch.no_grad():
                losses[name] = [float(reconstruction_loss(test, model(test).reconstruction))]
        with torch.no_grad():
            losses["init"] = [
                float(reconstruction_loss(test, network(init, spec)(test).reconstruction))
            ]
        table += rows(losses, FULL, "test_loss", **condition | {"samples": len(data)})
    save(args.output, "backprop", table)


def network(init: torch.Tensor, spec: tuple, k: int | None = None) -> Autoencoder:
    *problem, layers = spec
    return Autoencoder(init, *problem, "fista", layers, backprop=k)


def training_step(init: torch.Tensor, batch: torch.Tensor, spec: tuple, k: int | str | None):
    if k == PLAIN:
        weights = init.clone().requires_grad_()
        return step(
            torch.optim.Adam([weights], lr=0.0),
            lambda: reference.unfolded_loss(batch, weights, *spec),
        )
    model = network(init, spec, k)
    return step(torch.optim.Adam(model.parameters(), lr=0.0), lambda: model.loss(batch))


def step_memory(init: np.ndarray, batch: np.ndarray, spec: tuple, k, threads: int) -> float:
    """Memory that a step adds to its process, in MB; a step on four samples loads what it uses."""
    torch.set_num_threads(threads)
    init, batch = torch.from_numpy(init), torch.from_numpy(batch)
    training_step(init, batch[:4], spec, k)()
    return memory_added_mb(training_step(init, batch, spec, k))


if __name__ == "__main__":
    main()
