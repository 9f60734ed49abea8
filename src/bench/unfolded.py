"""Time training steps of the unfolded autoencoder on images: library against plain autograd."""

import logging

import torch

from bench import reference
from bench.timing import arguments, interleaved, rows, save, step
from groupsparse.artifacts import load_tensors
from groupsparse.autoencoder import Autoencoder
from groupsparse.init import initialize
from groupsparse.seeds import derive_seed


def main() -> None:
    args = arguments(__doc__)
    settings = args.settings
    data = load_tensors(args.data)[0]["train_data"]
    size = settings["groups"], settings["group_size"]
    init = initialize("data", data, *size, derive_seed(args.seed, "bench"))
    problem = "group_soft", settings["lambda"], settings["group_size"]
    layers, batches = settings["layers"], data.split(settings["batch_size"])[: settings["steps"]]
    table = []
    for threads in args.threads:
        torch.set_num_threads(threads)
        logging.info("%d steps of %d samples, %d threads", len(batches), len(batches[0]), threads)
        library = Autoencoder(init, *problem, "fista", layers)
        plain = init.clone().requires_grad_()
        times = interleaved(
            {
                "library": steps(library.dictionary, batches, library.loss),
                "plain autograd": steps(
                    plain,
                    batches,
                    lambda y, a=plain: reference.unfolded_loss(y, a, *problem, layers),
                ),
            },
            settings["repetitions"],
        )
        table += rows(
            times,
            "plain autograd",
            case=f"FISTA, {layers} layers",
            n=init.shape[0],
            m=init.shape[1],
            samples=sum(len(batch) for batch in batches),
            group_size=settings["group_size"],
            device="cpu",
            threads=threads,
        )
    save(args.output, "unfolded", table)


def steps(weights: torch.Tensor, batches: tuple, loss):
    """A training step on every batch; step length zero, so that repetitions are alike."""
    optimizer = torch.optim.Adam([weights], lr=0.0)

    def run() -> None:
        for batch in batches:
            step(optimizer, lambda y=batch: loss(y))()

    return run


if __name__ == "__main__":
    main()
