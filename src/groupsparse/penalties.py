"""Penalties of codes, whose proximal operators are the activations of :mod:`groupsparse.prox`."""

from __future__ import annotations

import torch
from torch import Tensor

from groupsparse.groups import group_norms, split_groups

MCP_GAMMA = 3.0  # thresholds from which MCP leaves a group as it is


def l21_norm(x: Tensor, group_size: int) -> Tensor:
    """Sum of the Euclidean norms of the groups: (..., m) -> (...)."""
    return group_norms(x, group_size).sum(-1)


def l1_norm(x: Tensor, group_size: int = 1) -> Tensor:
    """Sum of absolute values: (..., m) -> (...). ``group_size`` is ignored."""
    return x.abs().sum(-1)


def active_groups(x: Tensor, group_size: int) -> Tensor:
    """Number of groups that are not zero: (..., m) -> (...)."""
    return (split_groups(x, group_size) != 0).any(-1).sum(-1, dtype=x.dtype)


def mcp(x: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    r"""The minimax concave penalty of the group norms: (..., m) -> (...).

    .. math:: \sum_g h(||x_g||_2), \quad h(u) = \lambda u - u^2 / (2 \gamma) \text{ for } u \le
              \gamma \lambda, \text{ else } \gamma \lambda^2 / 2

    with lambda the ``threshold`` and gamma = :data:`MCP_GAMMA`.
    """
    norms = group_norms(x, group_size)
    low = threshold * norms - norms.square() / (2 * MCP_GAMMA)
    high = torch.as_tensor(MCP_GAMMA / 2 * threshold**2).to(low)
    return torch.where(norms <= MCP_GAMMA * threshold, low, high).sum(-1)
