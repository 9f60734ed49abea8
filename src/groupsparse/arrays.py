"""Conversion of users' arrays to float tensors, and checks that explain errors in one line."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

Array = Tensor | ArrayLike  # what public functions accept
LIPSCHITZ = "lipschitz"  # the step that follows the dictionary
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def as_tensor(value: Array, name: str = "data", like: Tensor | None = None) -> Tensor:
    """A tensor, numpy array, data frame or nested list as a float tensor, if possible no copy.

    Parameters
    ----------
    name : what the error message calls it
    like : tensor whose dtype and device the result takes; by default ``value`` keeps its own

    Raises
    ------
    TypeError for numbers that are not floating point: images of integers need a scale first.

    Examples
    --------
    >>> as_tensor([[1.0, 2.0]]).dtype
    torch.float64
    """
    if not isinstance(value, Tensor):
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{name} must be an array of floats, not of {array.dtype}")
        with warnings.catch_warnings():
            # A read-only array: nothing here writes to what it is given.
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            value = torch.from_numpy(np.ascontiguousarray(array))
    if value.dtype not in FLOATS:
        raise TypeError(
            f"{name} must be floating point, not {str(value.dtype).removeprefix('torch.')}: "
            "convert it to float32 (and scale it) first"
        )
    return value if like is None else value.to(like)


def as_dictionary(value: Array) -> Tensor:
    """A dictionary (..., n, m) as a tensor; ValueError or TypeError for what cannot be trained."""
    dictionary = as_tensor(value, "dictionary")
    if dictionary.ndim < 2 or not dictionary.numel():
        shape = tuple(dictionary.shape)
        raise ValueError(f"dictionary must have shape (n, m) or (R, n, m), not {shape}")
    if dictionary.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"dictionary must be float32 or float64, not {dictionary.dtype}")
    return dictionary


def as_lambda(value: float | Array, dictionary: Tensor) -> float | Tensor:
    """A penalty as a float, or as a tensor with one for each replicate of a dictionary (..., n, m).

    ValueError or TypeError for another shape, and unless all are finite and at least 0.
    """
    if not isinstance(value, Tensor | list | tuple | np.ndarray):
        check_lambda(value)
        return float(value)
    replicates = dictionary.shape[:-2]
    value = torch.as_tensor(value, dtype=dictionary.dtype, device=dictionary.device)
    if value.shape not in ((), replicates):
        raise ValueError(
            f"lambda_ must be a number or have shape {tuple(replicates)}, one for each replicate, "
            f"not {tuple(value.shape)}"
        )
    check_lambda(value)
    return value if value.ndim else float(value)


def check_lambda(lambda_: float | Tensor, name: str = "lambda_") -> None:
    """ValueError unless a threshold, or every threshold of a tensor, is finite and at least 0."""
    if not isinstance(lambda_, Tensor | Real):
        raise TypeError(f"{name} must be a number or a tensor, not {lambda_!r}")
    good = torch.isfinite(torch.as_tensor(lambda_)) & (torch.as_tensor(lambda_) >= 0)
    if not good.all():
        shown = lambda_.tolist() if isinstance(lambda_, Tensor) else lambda_
        raise ValueError(f"{name} must be finite and at least 0, not {shown}")


def check_step(step: float | str) -> float | str:
    """The step of an unfolded layer: ``lipschitz``, or a finite number above 0, or ValueError."""
    if isinstance(step, str) and step == LIPSCHITZ:
        return step
    if not isinstance(step, Real) or isinstance(step, bool) or not 0 < step < math.inf:
        raise ValueError(f"step must be {LIPSCHITZ!r} or a finite number above 0, not {step!r}")
    return float(step)


def check_groups(entries: int, group_size: int) -> None:
    """ValueError unless ``group_size`` is a positive integer that divides the ``entries``."""
    if not isinstance(group_size, Integral) or group_size < 1 or entries % group_size:
        raise ValueError(
            f"group_size {group_size} does not divide {entries} entries: need a positive integer "
            "that does"
        )


def check_count(value: int, name: str, least: int = 0) -> int:
    """The value as an int; ValueError unless it is a whole number that is not below ``least``."""
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return int(value)


def plain(value: object) -> object:
    """Numbers and arrays of numpy and torch, in lists and mappings too, as JSON can hold them."""
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value.tolist() if isinstance(value, Tensor | np.ndarray | np.generic) else value


def require_finite(data: Tensor, what: str = "samples") -> None:
    """ValueError naming the first rows of data (..., N, n), or entries of (N,), not finite."""
    # The ends first: the test of every entry would copy the data.
    if data.numel() and torch.isfinite(torch.stack(data.aminmax())).all():
        return
    bad = ~torch.isfinite(data)
    bad = bad.any(-1) if data.ndim > 1 else bad
    if bad.any():
        first = bad.nonzero()[:3].squeeze(-1).tolist()
        raise ValueError(f"{int(bad.sum())} {what} have NaN or infinite values, the first {first}")
