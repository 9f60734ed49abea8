"""Recovery of A* against seconds of training: library, plain autograd, scikit-learn.

All start at the same unit atoms on the same fixed data. scikit-learn's MiniBatchDictionaryLearning
solves the lasso for every sample (coordinate descent) and updates atoms in closed form. It replaces
atoms that a first batch does not use, so its batches shall be large enough to use every atom. It
computes in float64, because in float32 its solver misses its own tolerance and runs to the last
iteration. Scoring does not count as training.
"""

import logging
from functools import partial

import torch
from sklearn.decomposition import MiniBatchDictionaryLearning
from threadpoolctl import threadpool_limits

from bench import reference
from bench.timing import arguments, save, simulate, size, step
from bench.trajectory import Trajectory
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.dictionary import perturb
from groupsparse.seeds import derive_seed, generator
from groupsparse.training import train


def main() -> None:
    args = arguments(__doc__)
    settings, model, threads = args.settings, args.settings["model"], args.threads[-1]
    torch.set_num_threads(threads)
    truth, data = simulate(model, args.seed)
    init = perturb(truth, settings["correlation"], generator(args.seed, "bench", "init"), True)
    seed = derive_seed(args.seed, "bench", "order")
    candidates = {
        f"library, {name}": partial(fit_library, settings, spec)
        for name, spec in settings["methods"].items()
    }
    name = settings["plain"]
    candidates[f"plain autograd, {name}"] = partial(
        fit_plainly, settings, settings["methods"][name]
    )
    for alpha in settings["sklearn"]["alpha"]:
        candidates[f"scikit-learn, alpha {alpha}"] = partial(
            fit_sklearn, settings["sklearn"], alpha
        )
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
                    "baseline": fit.func is fit_plainly,
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


def fit_library(settings: dict, spec: dict, data, init, seed: int, trajectory: Trajectory) -> None:
    train(
        Autoencoder.from_spec(init.unsqueeze(0), spec, settings["model"]["group_size"]),
        FixedData(data, [seed], settings["batch_size"]),
        epochs=spec["passes"],
        lr=settings["lr"],
        normalize=spec["normalize"],
        metrics=trajectory,
    )


def fit_plainly(settings: dict, spec: dict, data, init, seed: int, trajectory: Trajectory) -> None:
    weights = init.clone().requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=settings["lr"])
    batches = FixedData(data, [seed], settings["batch_size"])  # the same order as the library's
    problem = spec["prox"], spec["lambda"], settings["model"]["group_size"]
    trajectory(weights)
    for epoch in range(1, spec["passes"] + 1):
        for batch in batches(epoch):
            step(optimizer, lambda y=batch[0]: reference.shallow_loss(y, weights, *problem))()
            if spec["normalize"]:
                weights.data /= weights.data.norm(dim=0)
        trajectory(weights)


def fit_sklearn(
    settings: dict, alpha: float, data, init, seed: int, trajectory: Trajectory
) -> None:
    data = data.double()
    learner = MiniBatchDictionaryLearning(
        init.shape[1], alpha=alpha, fit_algorithm="cd", dict_init=init.T.double().numpy().copy(),
        random_state=seed,
    )  # fmt: skip
    trajectory(init)
    for epoch in range(1, settings["passes"] + 1):
        order = torch.randperm(len(data), generator=generator(seed, "sklearn", epoch))
        for index in order.split(settings["batch_size"]):
            learner.partial_fit(data[index].numpy())
        trajectory(torch.from_numpy(learner.components_.T).float())


if __name__ == "__main__":
    main()
