"""Recovery of A* against seconds of training: library, plain autograd, other packages.

All start at the same unit atoms on the same fixed data. A package that is not installed is left
out, and the log says so. Scoring does not count as training.
"""

import logging

import torch
from threadpoolctl import threadpool_limits

from bench.fits import learners
from bench.timing import arguments, save, simulate, size
from bench.trajectory import Trajectory
from groupsparse.dictionary import perturb
from groupsparse.seeds import derive_seed, generator


def main() -> None:
    args = arguments(__doc__)
    settings, model, threads = args.settings, args.settings["model"], args.threads[-1]
    torch.set_num_threads(threads)
    truth, data = simulate(model, args.seed)
    init = perturb(truth, settings["correlation"], generator(args.seed, "bench", "init"), True)
    seed = derive_seed(args.seed, "bench", "order")
    candidates = learners(settings, threads)
    table = []
    for repetition in range(settings["repetitions"]):
        for name, fit in candidates.items():
            trajectory = Trajectory(truth, model["group_size"])
            with threadpool_limits(threads):
                fit(data, init, seed, trajectory)
            end = trajectory.rows[-1]
            logging.info("%s: error %.4g in %.4g s", name, end["squared_error"], end["seconds"])
            table += [
                {
                    "case": "recovery",
                    "candidate": name,
                    "baseline": name.startswith("plain autograd"),
                    **size(model),
                    "passes": passes,
                    "device": "cpu",
                    "threads": threads,
                    "repetition": repetition,
                    "metric": metric,
                    "value": value,
                }
                for passes, values in enumerate(trajectory.rows)
                for metric, value in values.items()
            ]
    save(args.output, "peers", table)


if __name__ == "__main__":
    main()
