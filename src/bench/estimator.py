"""Time and memory of the estimator beside the library that it calls, and scikit-learn's learner."""

import numpy as np
import torch
from sklearn.decomposition import MiniBatchDictionaryLearning

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
from groupsparse.alternating import alternate
from groupsparse.discovery import discover
from groupsparse.estimator import GroupSparseCoder
from groupsparse.recovery import invariant_squared_error

BASELINE = "library"


def main() -> None:
    args = arguments(__doc__)
    settings, threads = args.settings, args.threads[-1]
    torch.set_num_threads(threads)
    model = settings["model"]
    truth, data = simulate(model, args.seed)
    coder = GroupSparseCoder(model["groups"], model["group_size"], random_state=0)
    passes = coder.fit(data).n_iter_
    fits = candidates(settings, data, passes)
    times = interleaved(fits, settings["repetitions"])
    names = ("estimator", BASELINE, "scikit-learn")
    memory = {name: [isolated(memory_of, name, settings, args.seed, passes)] for name in names}
    errors = {
        name: [invariant_squared_error(fit(), truth, model["group_size"])]
        for name, fit in fits.items()
    }
    condition = {"case": "fit", **size(model), "device": "cpu", "threads": threads}
    table = []
    for metric, values in (("seconds", times), ("memory_mb", memory), ("error", errors)):
        table += rows(values, BASELINE, metric, **condition)
    save(args.output, "estimator", table)


def candidates(settings: dict, data: torch.Tensor, passes: int) -> dict:
    """Fits of the same data: each a function that returns a dictionary (n, m)."""
    model, sklearn = settings["model"], settings["sklearn"]
    groups, d = model["groups"], model["group_size"]

    def estimator() -> np.ndarray:
        return GroupSparseCoder(groups, d, random_state=0).fit(data).components_.T

    # How long a discovery takes depends on its seed.
    (seed,) = GroupSparseCoder(groups, d, random_state=0)._seeds()

    def library() -> torch.Tensor:
        return alternate(discover(data, groups, d, seed), data, d, passes=passes).dictionary

    def learner() -> np.ndarray:
        made = MiniBatchDictionaryLearning(groups * d, random_state=0, **sklearn)
        return made.fit(data.numpy()).components_.T

    return {"estimator": estimator, BASELINE: library, "scikit-learn": learner}


def memory_of(name: str, settings: dict, seed: int, passes: int) -> float:
    """Peak memory in MB that a fit adds to a process of its own."""
    return memory_added_mb(candidates(settings, simulate(settings["model"], seed)[1], passes)[name])


if __name__ == "__main__":
    main()
