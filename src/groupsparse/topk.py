"""Activations that keep a number of groups, the strongest ones, instead of all above a threshold.

They are named in configs as ``group_top_k(3)`` and ``batch_group_top_k(3)``; a batch's stored
threshold follows the number, ``batch_group_top_k(3, 0.52)``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import torch
from torch import Tensor

from groupsparse.arrays import check_count, check_lambda
from groupsparse.groups import Groups, Size, as_groups, split_groups
from groupsparse.penalties import active_groups
from groupsparse.plugins import imported
from groupsparse.prox import PROX, Prox
from groupsparse.shrinkage import norms_of


@dataclass(frozen=True)
class GroupTopK:
    r"""Keep the k groups of largest norm of every sample, as they are; all others become zero.

    .. math:: \sigma(v)_g = v_g \text{ if } ||v_g||_2 \text{ is one of the k largest, else } 0

    It is the projection on :math:`||x||_{2,0} \le k`. A ``threshold`` above 0 also removes groups
    of at most that norm, times the weights that :class:`Groups` may have.

    Examples
    --------
    >>> GroupTopK(1)(torch.tensor([[3.0, 4.0, 0.3, 0.4, 1.0, 1.0]]), 0.0, 2)
    tensor([[3., 4., 0., 0., 0., 0.]])
    """

    k: int
    grouped, convex, penalty = True, False, None

    def __post_init__(self) -> None:
        check_count(self.k, "k", least=1)

    def __call__(self, v: Tensor, threshold: float | Tensor, group_size: Size) -> Tensor:
        return _applied(self, v, threshold, group_size)

    def kept(self, norms: Tensor, threshold: float | Tensor) -> Tensor:
        """Which groups stay, by their norms: bool (..., G)."""
        return largest(norms, min(self.k, norms.shape[-1])) & ~(norms <= threshold)

    def value(self, x: Tensor, threshold: float | Tensor, group_size: Size) -> Tensor:
        """0 where at most k groups are not zero, else infinite: (..., m) -> (...)."""
        return torch.where(active_groups(x, group_size) <= self.k, 0.0, math.inf)

    def __str__(self) -> str:
        return f"group_top_k({self.k})"


@dataclass(frozen=True)
class BatchGroupTopK:
    r"""Keep the k N groups of largest norm of a batch of N samples: k in a sample on average.

    A sample then has as many groups as it needs. But its code depends on the batch that it is in.
    With ``level``, the inference threshold, it does not: every group above that norm is kept.
    :func:`groupsparse.calibrate` finds the level that keeps k groups on average.

    Leading dimensions before the samples are replicates, a batch each. A ``threshold`` above 0 also
    removes groups of at most that norm.

    References
    ----------
    B. Bussmann, P. Leask, N. Nanda, "BatchTopK sparse autoencoders" (arXiv 2412.06410), for single
    atoms.

    Examples
    --------
    >>> v = torch.tensor([[3.0, 4.0, 0.3, 0.4], [0.1, 0.1, 0.2, 0.2]])
    >>> BatchGroupTopK(1)(v, 0.0, 2)
    tensor([[3.0000, 4.0000, 0.3000, 0.4000],
            [0.0000, 0.0000, 0.0000, 0.0000]])
    >>> BatchGroupTopK(1, level=0.25)(v, 0.0, 2)
    tensor([[3.0000, 4.0000, 0.3000, 0.4000],
            [0.0000, 0.0000, 0.2000, 0.2000]])
    """

    k: float
    level: float | None = None
    grouped, convex, penalty, value = True, False, None, None

    def __post_init__(self) -> None:
        if not 0 < self.k < math.inf:
            raise ValueError(f"k must be a finite number above 0, not {self.k!r}")
        if self.level is not None:
            check_lambda(self.level, "level")

    def __call__(self, v: Tensor, threshold: float | Tensor, group_size: Size) -> Tensor:
        return _applied(self, v, threshold, group_size)

    def kept(self, norms: Tensor, threshold: float | Tensor) -> Tensor:
        """Which groups stay, by their norms: bool (..., G)."""
        if self.level is not None:
            kept = ~(norms <= self.level)
        elif norms.ndim < 2:
            kept = largest(norms, self.count(1, norms.shape[-1]))
        else:
            flat = norms.flatten(-2)
            kept = largest(flat, self.count(*norms.shape[-2:])).view_as(norms)
        return kept & ~(norms <= threshold)

    def count(self, samples: int, groups: int) -> int:
        """Groups that are kept in a batch."""
        return min(max(1, round(self.k * samples)), samples * groups)

    def __str__(self) -> str:
        # All digits: the activation is made from its name again.
        numbers = [self.k] if self.level is None else [self.k, self.level]
        shown = ", ".join(repr(float(number)).removesuffix(".0") for number in numbers)
        return f"batch_group_top_k({shown})"


def activation_of(prox: str | Prox) -> Prox:
    """The activation of a name in :data:`groupsparse.prox.PROX` or of one here; ValueError.

    ``module:function`` is one of yours (:func:`groupsparse.plugins.imported`), taken to act on
    groups unless it has the attribute ``grouped`` (see :func:`groupsparse.prox.activation`).

    Examples
    --------
    >>> activation_of("group_top_k(3)")
    GroupTopK(k=3)
    """
    if callable(prox):
        return prox
    name = prox if isinstance(prox, str) else ""
    if name in PROX:
        return PROX[name]
    if ":" in name:
        return imported(name)
    if parts := re.fullmatch(r"(batch_)?group_top_k\(([^,()]+)(?:, *([^,()]+))?\)", name):
        batch, k, level = parts.groups()
        try:
            if batch:
                return BatchGroupTopK(float(k), None if level is None else float(level))
            if level is None:
                return GroupTopK(int(k))
        except ValueError as error:
            raise ValueError(f"activation {prox!r}: {error}") from None
    known = ", ".join([*PROX, "group_top_k(k)", "batch_group_top_k(k)"])
    raise ValueError(f"unknown prox {prox!r}; known are {known}, or a callable")


def acts_on_groups(prox: str | Prox) -> bool:
    """Whether an activation acts on groups; one of yours that does not say so is taken to.

    Examples
    --------
    >>> acts_on_groups("group_soft"), acts_on_groups("soft")
    (True, False)
    """
    return getattr(activation_of(prox), "grouped", True)


def named(prox: str | Prox) -> str | Prox:
    """The name of an activation that goes by one, else the activation itself; ValueError."""
    activation_of(prox)
    if isinstance(prox, GroupTopK | BatchGroupTopK):
        return str(prox)
    return next((name for name, known in PROX.items() if known is prox), prox)


def largest(norms: Tensor, count: int) -> Tensor:
    """Which entries along the last axis are the ``count`` largest: bool."""
    index = norms.topk(count, dim=-1, sorted=False).indices
    return torch.zeros_like(norms, dtype=torch.bool).scatter_(-1, index, True)


def _applied(rule: GroupTopK | BatchGroupTopK, v, threshold, group_size: Size) -> Tensor:
    group_size = as_groups(group_size, v.shape[-1])
    rows = split_groups(v, group_size)
    if isinstance(group_size, Groups):
        threshold = group_size.weighted(threshold, v)
    rows = rows * rule.kept(norms_of(rows.detach()), threshold).unsqueeze(-1)
    return group_size.merge(rows) if isinstance(group_size, Groups) else rows.flatten(-2)
