"""Penalties of codes, whose proximal operators are the activations of :mod:`groupsparse.prox`."""

from __future__ import annotations

import torch
from torch import Tensor

from groupsparse.groups import Groups, Size, active, group_norms

MCP_GAMMA = 3.0  # thresholds from which MCP leaves a group as it is


def l21_norm(x: Tensor, group_size: Size) -> Tensor:
    """Sum of the Euclidean norms of the groups: (..., m) -> (...)."""
    return weighted(group_norms(x, group_size), group_size).sum(-1)


def l1_norm(x: Tensor, group_size: Size = 1) -> Tensor:
    """Sum of absolute values: (..., m) -> (...). ``group_size`` is ignored."""
    return x.abs().sum(-1)


def active_groups(x: Tensor, group_size: Size) -> Tensor:
    """Number of groups that are not zero: (..., m) -> (...)."""
    return active(x, group_size).sum(-1, dtype=x.dtype)


def mcp(x: Tensor, threshold: float | Tensor, group_size: Size) -> Tensor:
    r"""The minimax concave penalty of the group norms: (..., m) -> (...).

    .. math:: \sum_g h(||x_g||_2), \quad h(u) = \lambda u - u^2 / (2 \gamma) \text{ for } u \le
              \gamma \lambda, \text{ else } \gamma \lambda^2 / 2

    with lambda the ``threshold`` and gamma = :data:`MCP_GAMMA`.
    """
    norms = group_norms(x, group_size)
    threshold = weighted(torch.as_tensor(threshold).to(norms), group_size)
    low = threshold * norms - norms.square() / (2 * MCP_GAMMA)
    high = MCP_GAMMA / 2 * threshold.square()
    return torch.where(norms <= MCP_GAMMA * threshold, low, high).sum(-1)


def l20_norm(x: Tensor, threshold: float | Tensor, group_size: Size) -> Tensor:
    """threshold^2 / 2 for every group that is not zero: (..., m) -> (...)."""
    price = weighted(torch.as_tensor(threshold).to(x), group_size).square() / 2
    return (price * active(x, group_size)).sum(-1)


def weighted(threshold: Tensor, group_size: Size) -> Tensor:
    """A threshold, or one for every group, times the weights that the groups may have."""
    if not isinstance(group_size, Groups):
        return threshold
    return group_size.weighted(threshold, threshold)
