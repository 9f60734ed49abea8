"""Recovery of A* against seconds of training: library, plain autograd, scikit-learn.

All start at the same init on the same fixed data. scikit-learn's MiniBatchDictionaryLearning
solves the lasso for every sample (coordinate descent) and updates atoms in closed form; its alpha
is the soft threshold of the sparse network. It replaces atoms that a first batch does not use, so
its batches are large enough to use every atom, and it computes in float64, because in float32 its
solver misses its own tolerance and runs to the last iteration. Scoring does not count as training.
"""

import logging
import time

import reference
import torch
from sklearn.decomposition import MiniBatchDictionaryLearning
from threadpoolctl import threadpool_limits
from timing import arguments, save, simulate, size, step
from torch import Tensor

from groupsparse.autoencoder import Autoencoder
from groupsparse.dictionary import perturb
from groupsparse.recovery import aligned_squared_error, squared_error
from groupsparse.seeds import derive_seed, generator
from groupsparse.train import FixedData, train


class Trajectory:
    """Seconds of training so far and errors against A* (n, m), a row for every pass."""

    def __init__(self, truth: Tensor, group_size: int) -> None:
        self.truth, self.group_size, self.rows = truth, group_size, []
        self.seconds, self.resumed = 0.0, time.perf_counter()

    def __call__(self, dictionary: Tensor) -> dict:
        if self.rows:  # the first call scores the init
            self.seconds += time.perf_counter() - self.resumed
        estimate = dictionary.detach().reshape(self.truth.shape)
        values = {
            "seconds": self.seconds,
            "squared_error": float(squared_error(estimate, self.truth)),
            "aligned_error": aligned_squared_error(estimate, self.truth, self.group_size),
        }
        self.rows.append(values)
        self.resumed = time.perf_counter()
        return {}


def main() -> None:
    args = arguments(__doc__)
    settings, model, threads = args.settings, args.settings["model"], args.threads[-1]
    torch.set_num_threads(threads)
    truth, data = simulate(model, args.seed)
    init = perturb(truth, settings["correlation"], generator(args.seed, "bench", "init"), True)
    seed = derive_seed(args.seed, "bench", "order")
    candidates = {
        "library, group-sparse": (fit_library, "group_soft"),
        "plain autograd, group-sparse": (fit_plainly, "group_soft"),
        "library, sparse": (fit_library, "soft"),
        "scikit-learn, sparse": (fit_sklearn, "soft"),
    }
    table = []
    for repetition in range(settings["repetitions"]):
        for name, (fit, prox) in candidates.items():
            trajectory = Trajectory(truth, model["group_size"])
            problem = prox, settings["methods"][prox], model["group_size"]
            with threadpool_limits(threads):
                fit(data, init, problem, settings, seed, trajectory)
            end = trajectory.rows[-1]
            logging.info("%s: error %.4g in %.4g s", name, end["squared_error"], end["seconds"])
            table += [
                {
                    "case": "recovery",
                    "candidate": name,
                    "baseline": fit is fit_sklearn,
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


def fit_library(data, init, problem, settings: dict, seed: int, trajectory: Trajectory) -> None:
    train(
        Autoencoder(init.unsqueeze(0), *problem),
        FixedData(data, [seed], settings["batch_size"]),
        epochs=settings["passes"],
        lr=settings["lr"],
        metrics=trajectory,
    )


def fit_plainly(data, init, problem, settings: dict, seed: int, trajectory: Trajectory) -> None:
    weights = init.clone().requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=settings["lr"])
    batches = FixedData(data, [seed], settings["batch_size"])  # the same order as the library's
    trajectory(weights)
    for epoch in range(1, settings["passes"] + 1):
        for batch in batches(epoch):
            step(optimizer, lambda y=batch[0]: reference.shallow_loss(y, weights, *problem))()
        trajectory(weights)


def fit_sklearn(data, init, problem, settings: dict, seed: int, trajectory: Trajectory) -> None:
    _, alpha, _ = problem
    learner = MiniBatchDictionaryLearning(
        init.shape[1], alpha=alpha, fit_algorithm="cd", dict_init=init.T.double().numpy().copy(),
        random_state=seed,
    )  # fmt: skip
    data = data.double()
    trajectory(init)
    for epoch in range(1, settings["sklearn_passes"] + 1):
        order = torch.randperm(len(data), generator=generator(seed, "sklearn", epoch))
        for index in order.split(settings["sklearn_batch_size"]):
            learner.partial_fit(data[index].numpy())
        trajectory(torch.from_numpy(learner.components_.T).float())


if __name__ == "__main__":
    main()
