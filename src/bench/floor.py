"""Time loss and gradient against n, m, N and the share of active groups, next to the product Y A.

One of the four varies at a time. The threshold is chosen at every point so that the wanted share
of groups is active. The bare product in float32 is the floor of all that begin with it; where a
processor is fast in 8 bits, the library searches in them and may be below it.
"""

import logging

import torch

from bench.timing import arguments, interleaved, rows, save, simulate, size
from groupsparse.autoencoder import Autoencoder
from groupsparse.dictionary import perturb
from groupsparse.groups import group_norms
from groupsparse.seeds import generator


def main() -> None:
    args = arguments(__doc__)
    settings, threads = args.settings, args.threads[-1]
    torch.set_num_threads(threads)
    table = []
    for axis, values in settings["axes"].items():
        for value in values:
            model, active = dict(settings["model"]), settings["active"]
            if axis == "active":
                active = value
            else:
                model[axis] = value
            logging.info("%s = %g", axis, value)
            table += measure(axis, model, active, settings, args.seed, threads)
    save(args.output, "floor", table)


def measure(
    axis: str, model: dict, active: float, settings: dict, seed: int, threads: int
) -> list[dict]:
    truth, data = simulate(model, seed)
    init = perturb(truth, settings["correlation"], generator(seed, "bench", "init"), True)
    norms = group_norms(data[:1000] @ init, model["group_size"])
    rank = max(1, round((1 - active) * norms.numel()))
    threshold = float(norms.flatten().kthvalue(rank).values)
    library = Autoencoder(init, "group_soft", threshold, model["group_size"])

    def gradient() -> None:
        library.dictionary.grad = None
        library.loss(data).backward()

    candidates = {"library": gradient, "bare product": lambda: data @ init}
    times = interleaved(candidates, settings["repetitions"])
    return rows(
        times,
        "bare product",
        case=axis,
        active=active,
        device="cpu",
        threads=threads,
        **size(model),
    )


if __name__ == "__main__":
    main()
