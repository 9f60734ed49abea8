"""The candidates of peers.py, each a function that fits data from a start along a trajectory.

scikit-learn's MiniBatchDictionaryLearning solves the lasso for every sample (coordinate descent)
and updates atoms in closed form. It replaces atoms that a first batch does not use, so its batches
shall be large enough to use every atom. It computes in float64, because in float32 its solver
misses its own tolerance and runs to the last iteration.
"""

import logging
from functools import partial
from importlib.util import find_spec

import torch
from sklearn.decomposition import MiniBatchDictionaryLearning

from bench import reference
from bench.timing import step
from bench.trajectory import Trajectory
from evidence import packages
from groupsparse.alternating import alternate
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.seeds import generator
from groupsparse.training import train


def learners(settings: dict, threads: int) -> dict:
    """Name -> a fit(data, init, seed, trajectory)."""
    methods, plain = settings["methods"], settings["plain"]
    found = {f"library, {name}": partial(fit_library, settings, s) for name, s in methods.items()}
    found["library, alternating"] = partial(fit_alternating, settings)
    found[f"plain autograd, {plain}"] = partial(fit_plainly, settings, methods[plain])
    for alpha in settings["sklearn"]["alpha"]:
        name = f"scikit-learn, alpha {alpha}"
        found[name] = partial(fit_sklearn, settings["sklearn"], alpha)
    for name, spec in settings["packages"].items():
        package = name.split(",")[0]
        if find_spec(package) is None:
            logging.info("%s: %s is not installed", name, package)
        else:
            found[name] = partial(fit_package, settings["model"], spec, threads)
    return found


def fit_library(settings: dict, spec: dict, data, init, seed: int, trajectory: Trajectory) -> None:
    train(
        Autoencoder.from_spec(init.unsqueeze(0), spec, settings["model"]["group_size"]),
        FixedData(data, [seed], settings["batch_size"]),
        epochs=spec["passes"],
        lr=settings["lr"],
        normalize=spec["normalize"],
        metrics=trajectory,
    )


def fit_alternating(settings: dict, data, init, seed: int, trajectory: Trajectory) -> None:
    d, passes = settings["model"]["group_size"], settings["alternating"]["passes"]
    alternate(init, data, d, passes=passes, basis="isotropic", metrics=trajectory)


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


def fit_package(
    model: dict, spec: dict, threads: int, data, init, seed: int, trajectory: Trajectory
) -> None:
    """A run of its own from the start for each number of passes."""
    problem, d = (data, init), model["group_size"]
    trajectory(init)
    for passes in range(1, spec["passes"] + 1):
        trajectory.restart()
        if spec["learner"] == "ksvd":
            found = packages.ksvd(*problem, passes, d * model["active_groups"], seed)
        else:
            options = {"batch_size": spec["batch_size"], "threads": threads}
            options |= {"group_size": d} if spec["learner"] == "spams_groups" else {}
            learn = getattr(packages, spec["learner"])
            found = learn(*problem, passes, spec["lambda"], **options)
        trajectory(found)
