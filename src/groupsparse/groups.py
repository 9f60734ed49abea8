"""Groups of consecutive atoms, and their norms."""

from __future__ import annotations

import torch
from torch import Tensor

from groupsparse.arrays import as_tensor, check_groups


def split_groups(v: Tensor, group_size: int) -> Tensor:
    """View (..., m) as (..., m / group_size, group_size); ValueError if that is impossible."""
    v = as_tensor(v, "v")
    check_groups(v.shape[-1], group_size)
    return v.unflatten(-1, (-1, group_size))


def group_norms(v: Tensor, group_size: int) -> Tensor:
    """Euclidean norm of every group: (..., m) -> (..., m / group_size)."""
    return torch.linalg.vector_norm(split_groups(v, group_size), dim=-1)
