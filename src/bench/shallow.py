"""Time one full-batch epoch of the shallow autoencoder: library, plain autograd, bare product."""

import logging

import torch

from bench import reference
from bench.timing import arguments, interleaved, rows, save, simulate, size, step
from groupsparse.autoencoder import Autoencoder
from groupsparse.dictionary import perturb
from groupsparse.groups import group_norms
from groupsparse.seeds import generator

SQUARE = 8192  # side of the product that shows the rate of a GPU at its best


def main() -> None:
    args = arguments(__doc__)
    table = []
    for threads in args.threads:
        torch.set_num_threads(threads)
        table += measure(args.settings["model"], args.settings, args.seed, "cpu", threads)
    if torch.cuda.is_available():
        for model in (args.settings["model"], args.settings["cuda_model"]):
            table += measure(model, args.settings, args.seed, "cuda", args.threads[-1])
        table += square_product(args.settings["repetitions"], args.threads[-1])
    save(args.output, "shallow", table)


def measure(model: dict, settings: dict, seed: int, device: str, threads: int) -> list[dict]:
    truth, data = simulate(model, seed)
    data, table = data.to(device), []
    for name, start in settings["dictionaries"].items():
        init = perturb(truth, **start, generator=generator(seed, "bench", name)).to(device)
        for prox, lambda_ in settings["methods"].items():
            problem = prox, lambda_, model["group_size"]
            logging.info("%s, %s, %s, %d threads", prox, name, device, threads)
            library = Autoencoder(init, *problem)
            plain = init.clone().requires_grad_()
            candidates = {
                "library": step(adam(library.dictionary), lambda m=library: m.loss(data)),
                "plain autograd": step(
                    adam(plain), lambda a=plain, p=problem: reference.shallow_loss(data, a, *p)
                ),
                "bare product": lambda a=init: data @ a,
            }
            condition = {
                "case": f"{prox}, {name}",
                "device": device,
                "threads": threads,
                **size(model),
            }
            times = interleaved(candidates, settings["repetitions"])
            table += rows(times, "plain autograd", **condition)
            with torch.no_grad():
                norms = group_norms(library.encode(data[:1000]), model["group_size"])
            share = {"library": [float((norms > 0).double().mean())]}
            table += rows(share, "plain autograd", "active_groups", **condition)
    return table


def adam(weights: torch.Tensor) -> torch.optim.Optimizer:
    """Adam as in training, at step length zero, so that every repetition is the same problem."""
    return torch.optim.Adam([weights], lr=0.0)


def square_product(repetitions: int, threads: int) -> list[dict]:
    factor = torch.randn(SQUARE, SQUARE, device="cuda")
    times = interleaved({"bare product": lambda: factor @ factor}, repetitions)
    shape = {"n": SQUARE, "m": SQUARE, "samples": SQUARE, "group_size": 1}
    return rows(times, "", case="square product", device="cuda", threads=threads, **shape)


if __name__ == "__main__":
    main()
