"""What estimators share: how data come in, and how a call runs."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data
from torch import Tensor

from groupsparse.arrays import as_tensor, check_count


class Running:
    """Base of estimators.

    They have ``device``, ``n_jobs``, ``n_init``, ``random_state`` and ``verbose``.
    """

    def _seeds(self) -> list[int]:
        random, count = check_random_state(self.random_state), check_count(self.n_init, "n_init", 1)
        return random.randint(2**31 - 1, size=count).tolist()

    def _data(self, X: ArrayLike | Tensor, reset: bool) -> Tensor:
        X = as_numpy(X) if isinstance(X, Tensor) else X  # a data frame has names
        checked = validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], ensure_min_samples=1 + reset
        )
        return as_tensor(checked, "X").to(self.device)

    def _atoms(self, n: int, least: int = 1) -> int:
        """``group_size``; ValueError if it is none, or more than n features."""
        d = check_count(self.group_size, "group_size", least)
        if d > n:
            raise ValueError(f"groups of {d} atoms need as many features, not n_features = {n}")
        return d

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Threads and messages as asked for, without gradients."""
        threads, library = torch.get_num_threads(), logging.getLogger("groupsparse")
        level, handler = library.level, logging.StreamHandler(sys.stderr)
        if self.verbose:
            library.addHandler(handler)
            library.setLevel(logging.INFO)
        if self.n_jobs is not None:
            torch.set_num_threads(_threads(self.n_jobs))
        try:
            with torch.no_grad():
                yield
        finally:
            torch.set_num_threads(threads)
            library.removeHandler(handler)
            library.setLevel(level)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "components_")


def _threads(n_jobs: int) -> int:
    """As scikit-learn counts: -1 is all, -2 all but one."""
    if n_jobs == 0:
        raise ValueError("n_jobs must not be 0")
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)


def as_numpy(X: ArrayLike | Tensor) -> np.ndarray:
    """An array on the host; bfloat16, which numpy has not, becomes float32."""
    if not isinstance(X, Tensor):
        return np.asarray(X)
    X = X.detach().cpu()
    return (X.float() if X.dtype is torch.bfloat16 else X).numpy()
