"""Dictionary learners of other packages: data (N, n) and a start (n, m) to a dictionary (n, m).

Optional packages are imported here if they are installed, so that no fit is charged for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import torch
from scipy.sparse import csc_matrix
from torch import Tensor

with suppress(ImportError):
    import dictlearn
with suppress(ImportError):
    import spams


def ksvd(data: Tensor, start: Tensor, passes: int, active_atoms: int, seed: int) -> Tensor:
    """K-SVD of dictlearn, told how many atoms are active in a sample."""
    atoms = start.mT.double().numpy()
    model = dictlearn.DictionaryLearning(
        len(atoms), fit_algorithm="ksvd", n_nonzero_coefs=active_atoms, max_iter=passes,
        dict_init=atoms, random_state=seed,
    )  # fmt: skip
    components = model.fit(data.double().numpy()).components_
    return torch.from_numpy(np.ascontiguousarray(components.T)).float()


def spams_groups(
    data: Tensor, start: Tensor, passes: int, lambda_: float, group_size: int, **options: int
) -> Tensor:
    """Structured dictionary learning of spams: online, l2 norms of disjoint groups."""
    m, d = start.shape[1], group_size
    groups = m // d
    # A tree of one level: its root has no atoms and no weight, its leaves are the groups.
    parents = np.zeros((groups + 1, groups + 1), dtype=bool)
    parents[1:, 0] = True
    tree = {
        "eta_g": np.r_[0.0, np.ones(groups)],
        "groups": csc_matrix(parents),
        "own_variables": np.r_[0, np.arange(0, m, d)].astype(np.int32),
        "N_own_variables": np.r_[0, np.full(groups, d)].astype(np.int32),
    }
    penalty = {"tree": tree, "regul": "tree-l2", "lambda1": lambda_, "tol": 1e-3}
    return _spams(spams.structTrainDL, data, start, passes, penalty, **options)


def spams_lasso(data: Tensor, start: Tensor, passes: int, lambda_: float, **options: int) -> Tensor:
    """The online dictionary learning of spams, without groups."""
    return _spams(spams.trainDL, data, start, passes, {"lambda1": lambda_}, **options)


def _spams(
    learner: Callable, data: Tensor, start: Tensor, passes: int, penalty: dict,
    batch_size: int, threads: int = 1,
) -> Tensor:  # fmt: skip
    samples, atoms = (np.asfortranarray(x.double().numpy()) for x in (data.mT, start))
    learnt = learner(
        samples, D=atoms, K=atoms.shape[1], iter=passes * math.ceil(len(data) / batch_size),
        batchsize=batch_size, numThreads=threads, verbose=False, **penalty,
    )  # fmt: skip
    return torch.from_numpy(np.ascontiguousarray(learnt)).float()
