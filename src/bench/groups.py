"""One epoch of Experiment 1 with groups given as a number, and with groups of any shape."""

import torch

from bench.timing import arguments, interleaved, rows, save, simulate, size, step
from groupsparse.autoencoder import Autoencoder
from groupsparse.dictionary import perturb
from groupsparse.groups import Groups
from groupsparse.seeds import generator

BASELINE = "a number"


def main() -> None:
    args = arguments(__doc__)
    settings, threads = args.settings, args.threads[-1]
    torch.set_num_threads(threads)
    model = settings["model"]
    truth, data = simulate(model, args.seed)
    init = perturb(truth, settings["correlation"], generator(args.seed, "bench", "init"), True)
    networks = {
        name: Autoencoder(init.clone(), "group_soft", settings["lambda"], groups)
        for name, groups in forms(model["groups"], model["group_size"]).items()
    }
    epochs = {
        name: step(torch.optim.Adam(network.parameters()), lambda net=network: net.loss(data))
        for name, network in networks.items()
    }
    condition = {"case": "group_soft", **size(model), "device": "cpu", "threads": threads}
    table = rows(interleaved(epochs, settings["repetitions"]), BASELINE, **condition)
    save(args.output, "groups", table)


def forms(count: int, d: int) -> dict[str, int | Groups]:
    """Ways to give ``count`` groups of d atoms, or of d on average."""
    pairs = [width for _ in range(count // 2) for width in (d - 1 or d, d + (d > 1))]
    return {
        BASELINE: d,
        "a list of equal sizes": Groups([d] * count),
        "two sizes in turn": Groups(pairs + [d] * (count % 2)),
    }


if __name__ == "__main__":
    main()
