"""Dictionary learning methods under one call: a task in, a function that fits it out.

What is set up before the fit (imports, conversion, thresholds) is not timed. A lasso, of entries or
of groups, has one rule for its lambda: the level that white noise of the true standard deviation
exceeds in one sample of twenty. A method with a number of active entries or groups is told the true
one, unless its name says ``untold``. scikit-learn, dictlearn and SPAMS compute in float64, as they
are made to, and the library in float32.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csc_matrix
from sklearn.decomposition import DictionaryLearning, MiniBatchDictionaryLearning
from torch import Tensor

from bench.block_ksvd import block_ksvd
from groupsparse.alternating import alternate
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.discovery import discover
from groupsparse.prox import group_norms
from groupsparse.pursuit import FALSE_ALARM, noise_quantile
from groupsparse.training import train


class Task(NamedTuple):
    """Data (N, n), a start (n, m) of unit atoms, and what methods may be told."""

    data: np.ndarray
    start: np.ndarray
    group_size: int
    active_groups: int
    noise_std: float
    passes: int
    batch_size: int
    lr: float
    seed: int

    @property
    def active_entries(self) -> int:
        return self.active_groups * self.group_size

    @property
    def tensors(self) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(self.data), torch.from_numpy(self.start)

    def noise_lambda(self, group_size: int) -> float:
        """What the norm of noise in any of the groups exceeds with probability 0.05."""
        groups = self.start.shape[1] // group_size
        return self.noise_std * math.sqrt(noise_quantile(FALSE_ALARM / groups, group_size))


Fit = Callable[[], Tensor | np.ndarray]  # -> dictionary (n, m)


def sklearn_batch(task: Task) -> Fit:
    data, atoms = task.data.astype(np.float64), task.start.T.astype(np.float64)
    learner = DictionaryLearning(
        len(atoms), alpha=task.noise_lambda(1), max_iter=task.passes, tol=0.0, fit_algorithm="cd",
        dict_init=atoms, code_init=np.zeros((len(data), len(atoms))), random_state=task.seed,
    )  # fmt: skip
    return lambda: learner.fit(data).components_.T


def sklearn_minibatch(task: Task) -> Fit:
    data, atoms = task.data.astype(np.float64), task.start.T.astype(np.float64)
    learner = MiniBatchDictionaryLearning(
        len(atoms), alpha=task.noise_lambda(1), max_iter=task.passes, tol=0.0, fit_algorithm="cd",
        batch_size=task.batch_size, max_no_improvement=None, dict_init=atoms,
        random_state=task.seed,
    )  # fmt: skip
    return lambda: learner.fit(data).components_.T


def ksvd(task: Task) -> Fit:
    return _dictlearn(task, "ksvd")


def approximate_ksvd(task: Task) -> Fit:
    return _dictlearn(task, "aksvd")


def _dictlearn(task: Task, update: str) -> Fit:
    import dictlearn  # optional

    data, atoms = task.data.astype(np.float64), task.start.T.astype(np.float64)
    learner = dictlearn.DictionaryLearning(
        len(atoms), fit_algorithm=update, n_nonzero_coefs=task.active_entries,
        max_iter=task.passes, dict_init=atoms, random_state=task.seed,
    )  # fmt: skip
    return lambda: learner.fit(data).components_.T


def spams_lasso(task: Task) -> Fit:
    import spams  # optional, GPL

    data, options = _spams(task)
    return lambda: spams.trainDL(data, lambda1=task.noise_lambda(1), **options)


def spams_groups(task: Task) -> Fit:
    import spams

    data, options = _spams(task)
    d, m = task.group_size, task.start.shape[1]
    # A tree whose root has no variables and no weight, and whose leaves are the groups.
    children = np.zeros((m // d + 1, m // d + 1), dtype=bool)
    children[1:, 0] = True
    tree = {
        "groups": csc_matrix(children),
        "eta_g": np.r_[0.0, np.ones(m // d)],
        "own_variables": np.r_[0, np.arange(0, m, d)].astype(np.int32),
        "N_own_variables": np.r_[0, np.full(m // d, d)].astype(np.int32),
    }
    options |= {"tree": tree, "regul": "tree-l2"}
    return lambda: spams.structTrainDL(data, lambda1=task.noise_lambda(d), **options)


def _spams(task: Task) -> tuple[np.ndarray, dict]:
    batches = math.ceil(len(task.data) / task.batch_size)
    options = {
        "D": np.asfortranarray(task.start, dtype=np.float64), "K": task.start.shape[1],
        "iter": task.passes * batches, "batchsize": task.batch_size, "numThreads": 1,
        "verbose": False,
    }  # fmt: skip
    return np.asfortranarray(task.data.T, dtype=np.float64), options


def block_ksvd_told(task: Task) -> Fit:
    data, start = task.tensors
    return lambda: block_ksvd(data, start, task.group_size, task.active_groups, task.passes)


def autoencoder(task: Task) -> Fit:
    """The paper's: one step of the encoder, which no lambda for a whole lasso fits."""
    return _autoencoder(task, _count_lambda(task), True)


def improved_autoencoder(task: Task) -> Fit:
    return _autoencoder(task, _count_lambda(task), "orthonormal", "cosine", refit=True)


def _autoencoder(
    task: Task, lambda_: float, normalize: bool | str, decay: str | None = None, **options: object
) -> Fit:
    data, start = task.tensors
    model = Autoencoder(start, "group_soft", lambda_, task.group_size, **options)
    batches = FixedData(data, [task.seed], task.batch_size)
    settings = {"epochs": task.passes, "lr": task.lr, "normalize": normalize, "decay": decay}

    def fit() -> Tensor:
        train(model, batches, **settings)
        return model.dictionary.detach()

    return fit


def _count_lambda(task: Task) -> float:
    """The lambda at which as many groups are active in the start as in truth, on average."""
    data, start = task.tensors
    norms = group_norms(data[:1000] @ start, task.group_size).flatten()
    share = task.active_groups / (start.shape[1] // task.group_size)
    return float(norms.kthvalue(max(1, round((1 - share) * len(norms)))).values)


def alternate_told(task: Task) -> Fit:
    return _alternate(task, active_groups=task.active_groups)


def alternate_untold(task: Task) -> Fit:
    return _alternate(task)


def _alternate(task: Task, **rule: int) -> Fit:
    data, start = task.tensors
    options = {"passes": task.passes, "basis": "isotropic", **rule}
    return lambda: alternate(start, data, task.group_size, **options).dictionary


def discover_told(task: Task) -> Fit:
    return _discover(task, active_groups=task.active_groups)


def discover_untold(task: Task) -> Fit:
    return _discover(task)


def _discover(task: Task, **rule: int) -> Fit:
    data, start = task.tensors
    groups = start.shape[1] // task.group_size
    options = {"seed": task.seed, "basis": "isotropic", **rule}
    return lambda: discover(data, groups, task.group_size, **options)


class Learner(NamedTuple):
    """``ours``: of the library. ``grouped``: it is told which atoms form a group.

    ``start``: it begins at the start of the task. ``package``: import name of what it needs.
    """

    prepare: Callable[[Task], Fit]
    ours: bool = False
    grouped: bool = True
    start: bool = True
    package: str | None = None


LEARNERS = {
    "scikit-learn, batch": Learner(sklearn_batch, grouped=False),
    "scikit-learn, mini-batch": Learner(sklearn_minibatch, grouped=False),
    "dictlearn, K-SVD": Learner(ksvd, grouped=False, package="dictlearn"),
    "dictlearn, approximate K-SVD": Learner(approximate_ksvd, grouped=False, package="dictlearn"),
    "SPAMS, lasso": Learner(spams_lasso, grouped=False, package="spams"),
    "SPAMS, group lasso": Learner(spams_groups, package="spams"),
    "block K-SVD": Learner(block_ksvd_told),
    "autoencoder": Learner(autoencoder, ours=True),
    "autoencoder, improved": Learner(improved_autoencoder, ours=True),
    "alternate": Learner(alternate_told, ours=True),
    "alternate, untold": Learner(alternate_untold, ours=True),
    "discover": Learner(discover_told, ours=True, start=False),
    "discover, untold": Learner(discover_untold, ours=True, start=False),
}
