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
    """Base of estimators with ``device``, ``n_jobs``, ``n_init``, ``random_state``, ``verbose``."""

    def _seeds(self) -> list[int]:
        random, count = check_random_state(self.random_state), check_count(self.n_init, "n_init", 1)
        return random.randint(2**31 - 1, size=count).tolist()

    def _data(self, X: ArrayLike | Tensor, reset: bool) -> Tensor:
        X = as_numpy(X) if isinstance(X, Tensor) else X  # a data frame has names
        checked = validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], ensure_min_samples=1 + reset
        )
        return as_tensor(checked, "X").to(self.device)

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
    """An array on the host."""
    return X.detach().cpu().numpy() if isinstance(X, Tensor) else np.asarray(X)
