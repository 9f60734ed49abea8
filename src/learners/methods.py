"""Dictionary learners, each a function of one task.

Told to all: the number of atoms. Told to pursuits: the active groups k, or the k d active atoms.
Told to convex penalties: lambda, at which an inactive group is active by chance with probability
0.05, or of single atoms as many as of groups, computed from the data alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from sklearn.decomposition import DictionaryLearning, MiniBatchDictionaryLearning
from torch import Tensor

from evidence import packages, thresholds
from groupsparse.alternating import alternate
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.dictionary import from_blocks, orthonormalize_groups
from groupsparse.discovery import discover
from groupsparse.pursuit import refit_codes, select_groups
from groupsparse.training import train

BY_CHANCE = 0.05
BATCH = 250  # samples of a mini-batch, for all learners that have them


class Task(NamedTuple):
    """Data (N, n), a start (n, m), the size of the groups, active groups, passes and a seed.

    ``scale`` multiplies the lambda of convex penalties.
    """

    data: Tensor
    start: Tensor
    group_size: int
    active: int
    passes: int
    seed: int
    scale: float = 1.0


def threshold(task: Task, prox: str) -> float:
    """Lambda for a penalty on groups (`group_soft`) or on single atoms (`soft`)."""
    return task.scale * thresholds.threshold(task.data, BY_CHANCE, task.group_size, prox)


def alternating(task: Task, told: bool = False) -> Tensor:
    k = task.active if told else None
    options = {"passes": task.passes, "active_groups": k, "basis": "isotropic"}
    return alternate(task.start, task.data, task.group_size, **options).dictionary


def discovery(task: Task) -> Tensor:
    groups = task.start.shape[1] // task.group_size
    return discover(task.data, groups, task.group_size, task.seed, basis="isotropic")


def autoencoder(task: Task) -> Tensor:
    """The paper's network: five epochs of Adam for each pass, because a gradient step is short."""
    return _autoencoder(task, normalize=True)


def improved_autoencoder(task: Task) -> Tensor:
    """The same with orthonormal groups, codes by least squares, and a step that decays."""
    return _autoencoder(task, refit=True, normalize="orthonormal", decay="cosine")


def _autoencoder(task: Task, refit: bool = False, **options: object) -> Tensor:
    lambda_ = threshold(task, "group_soft")
    network = Autoencoder(task.start, "group_soft", lambda_, task.group_size, refit=refit)
    batches = FixedData(task.data, [task.seed], BATCH)
    train(network, batches, epochs=5 * task.passes, lr=1e-2, **options)
    return network.dictionary.detach()


def block_ksvd(task: Task) -> Tensor:
    """Group OMP, then a rank-d SVD for each group in turn (Zelnik-Manor et al., BK-SVD, 2012)."""
    data, d = task.data, task.group_size
    dictionary = orthonormalize_groups(task.start, d)
    for _ in range(task.passes):
        support = select_groups(data, dictionary, d, active_groups=task.active)
        codes = refit_codes(data, dictionary, support, d).unflatten(-1, (-1, d))
        groups = list(dictionary.unflatten(-1, (-1, d)).unbind(1))
        residual = data - codes.flatten(1) @ dictionary.mT
        for g, users in enumerate(support.mT):
            if users.any():
                own = residual[users] + codes[users, g] @ groups[g].mT
                _, _, right = torch.linalg.svd(own, full_matrices=False)
                if len(right) < d:
                    continue
                groups[g] = right[:d].mT.contiguous()
                codes[users, g] = own @ groups[g]
                residual[users] = own - codes[users, g] @ groups[g].mT
        dictionary = from_blocks(torch.stack(groups))
    return dictionary


def sklearn_batch(task: Task) -> Tensor:
    return _sklearn(DictionaryLearning, task, max_iter=task.passes)


def sklearn_minibatch(task: Task) -> Tensor:
    options = {"max_iter": task.passes, "batch_size": BATCH, "max_no_improvement": None}
    return _sklearn(MiniBatchDictionaryLearning, task, **options)


def _sklearn(learner: Callable, task: Task, **options: object) -> Tensor:
    data = task.data.double().numpy()
    start = task.start.mT.double().numpy()
    alpha = threshold(task, "soft")
    options |= {"fit_algorithm": "cd", "tol": 0.0, "random_state": task.seed}
    if learner.__name__ == "DictionaryLearning":
        options["code_init"] = np.zeros((len(data), len(start)))
    model = learner(len(start), alpha=alpha, dict_init=start.copy(), **options)
    return torch.from_numpy(model.fit(data).components_.T).float()


def ksvd(task: Task) -> Tensor:
    active = task.active * task.group_size
    return packages.ksvd(task.data, task.start, task.passes, active, task.seed)


def spams_groups(task: Task) -> Tensor:
    problem = task.data, task.start, task.passes, threshold(task, "group_soft")
    return packages.spams_groups(*problem, task.group_size, batch_size=BATCH)


def spams_lasso(task: Task) -> Tensor:
    problem = task.data, task.start, task.passes, threshold(task, "soft")
    return packages.spams_lasso(*problem, batch_size=BATCH)


class Learner(NamedTuple):
    """A learner: whether it can use a start, has a lambda, and knows groups; its package."""

    learn: Callable[[Task], Tensor]
    starts: bool = True
    penalty: bool = False
    groups: bool = True
    package: str = ""


LEARNERS = {
    "alternating": Learner(alternating),
    "alternating, k told": Learner(partial(alternating, told=True)),
    "discovery": Learner(discovery, starts=False),
    "group-sparse autoencoder": Learner(autoencoder, penalty=True),
    "improved autoencoder": Learner(improved_autoencoder, penalty=True),
    "block K-SVD": Learner(block_ksvd),
    "scikit-learn, batch": Learner(sklearn_batch, penalty=True, groups=False),
    "scikit-learn, mini-batch": Learner(sklearn_minibatch, penalty=True, groups=False),
    "dictlearn, K-SVD": Learner(ksvd, groups=False, package="dictlearn"),
    "spams, lasso": Learner(spams_lasso, penalty=True, groups=False, package="spams"),
    "spams, groups": Learner(spams_groups, penalty=True, package="spams"),
}
