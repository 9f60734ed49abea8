"""Proximal operators: the activations of group-sparse and sparse autoencoders.

Every operator has the signature ``prox(v, threshold, group_size)`` and acts on the last
dimension of ``v`` (shape ``(..., m)``), so that a new activation is one new function and one
line in ``PROX``. All are differentiable almost everywhere and return zero gradients where the
output is zero.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Prox = Callable[[Tensor, float | Tensor, int], Tensor]


def group_soft_threshold(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    r"""Group-sparse ReLU, the proximal operator of ``threshold * sum_g ||v_g||_2``.

    .. math:: \sigma(v_g) = (1 - threshold / ||v_g||_2)_+ \, v_g   (eq. 7)

    Parameters
    ----------
    v : Tensor, shape (..., m)
    threshold : nonnegative float, or Tensor broadcastable to (..., m / group_size)
    group_size : number of consecutive entries in a group; divides m

    Returns
    -------
    Tensor, shape (..., m)

    Raises
    ------
    ValueError if ``group_size`` does not divide m.
    """
    groups = split_groups(v, group_size)
    return (groups * _shrinkage(groups, threshold).unsqueeze(-1)).flatten(-2)


def nonnegative_group_soft_threshold(
    v: Tensor, threshold: float | Tensor, group_size: int
) -> Tensor:
    r"""Proximal operator of ``threshold * sum_g ||v_g||_2`` plus the constraint v >= 0.

    .. math:: (1 - threshold / ||v_g^+||_2)_+ \, v_g^+ ,   v^+ = max(v, 0)

    Shapes and errors as in :func:`group_soft_threshold`. The norm is that of the positive part:
    thresholding ``||v_g||`` instead is not a proximal operator.
    """
    return group_soft_threshold(v.clamp_min(0), threshold, group_size)


def soft_threshold(v: Tensor, threshold: float | Tensor, group_size: int = 1) -> Tensor:
    r"""Proximal operator of ``threshold * ||v||_1``: ``sign(v) (|v| - threshold)_+``.

    ``group_size`` is accepted so that all operators share one signature, and ignored.
    """
    return v - torch.clamp(v, -threshold, threshold)


def relu_with_bias(v: Tensor, threshold: float | Tensor, group_size: int = 1) -> Tensor:
    r"""One-sided ReLU ``(v - threshold)_+``: prox of ``threshold * sum(v)`` subject to v >= 0.

    ``group_size`` is accepted so that all operators share one signature, and ignored.
    """
    return torch.relu(v - threshold)


def split_groups(v: Tensor, group_size: int) -> Tensor:
    """View (..., m) as (..., m / group_size, group_size); ValueError if that is impossible."""
    if group_size < 1 or v.shape[-1] % group_size:
        raise ValueError(f"group_size {group_size} does not divide {v.shape[-1]} entries")
    return v.unflatten(-1, (-1, group_size))


def group_norms(v: Tensor, group_size: int) -> Tensor:
    """Euclidean norm of every group: (..., m) -> (..., m / group_size)."""
    return torch.linalg.vector_norm(split_groups(v, group_size), dim=-1)


def _shrinkage(groups: Tensor, threshold: float | Tensor) -> Tensor:
    # Summing entry by entry is several times faster than a reduction over a short last axis.
    squared = sum(entry.square() for entry in groups.unbind(-1))
    norm = torch.where(squared > 0, squared, 1.0).sqrt()
    shrunk = (1 - threshold / norm).clamp_min(0)
    return torch.where(squared > 0, shrunk, 0.0)


PROX: dict[str, Prox] = {
    "group_soft": group_soft_threshold,
    "group_soft_nonnegative": nonnegative_group_soft_threshold,
    "soft": soft_threshold,
    "relu": relu_with_bias,
}
