"""Shapes of many problems at once: data (..., N, n) and a dictionary (..., n, m)."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def require_samples(data: Tensor) -> None:
    """ValueError if there are none, of which there is no mean loss."""
    if not data.shape[:-1].numel():
        raise ValueError("there are no samples")


def leading(data: Tensor, dictionary: Tensor) -> tuple[int, ...]:
    """Leading dimensions of both, broadcast; ValueError if they do not fit."""
    replicates = tuple(dictionary.shape[:-2])
    try:  # torch's own function imports sympy, which takes 0.3 s
        return np.broadcast_shapes(data.shape[:-2], replicates)
    except ValueError:
        shapes = f"shape {tuple(data.shape)} do not fit the replicates {replicates}"
        raise ValueError(f"data of {shapes} of the dictionary") from None
