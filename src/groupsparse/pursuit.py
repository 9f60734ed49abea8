"""Which groups are active in a sample, and their codes by least squares."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.arrays import (
    Array,
    as_dictionary,
    as_tensor,
    check_count,
    check_groups,
    require_finite,
)
from groupsparse.arrays import check_lambda as check_threshold
from groupsparse.dictionary import orthonormalize_groups
from groupsparse.groups import active, columns_of, group_norms
from groupsparse.normal_equations import Products, least_squares, solve
from groupsparse.prox import Prox
from groupsparse.shapes import leading
from groupsparse.topk import BatchGroupTopK, activation_of

FALSE_ALARM = 0.05  # probability that noise alone adds a group to a sample
LEAST = 0.02  # share of a sample's energy below which a group is taken for an error of the model
ROWS = 2048  # samples whose correlations with the atoms are in memory at a time


@torch.no_grad()
def select_groups(
    data: Array,
    dictionary: Array,
    group_size: int,
    *,
    active_groups: int | None = None,
    lambda_: float | None = None,
    prox: str | Prox = "group_soft",
) -> Tensor:
    r"""Which groups are active in every sample: (N, n), (n, m) -> bool (N, m / group_size).

    With Q_g an orthonormal basis of group g, in one of three ways:

    - ``lambda_``: the groups that an activation keeps, prox(Q^T y, lambda) != 0. This is the
      encoder of the paper (eq. 11) on orthonormal groups.
    - ``active_groups`` = k: group orthogonal matching pursuit. k times, add the group with the
      largest ||Q_g^T r||, where r is the residual of least squares on the groups added before.
    - neither: the same pursuit with a test instead of a number. It goes on while

      .. math:: \max_g ||Q_g^T r||^2 > \hat\sigma^2 t, \quad \hat\sigma^2 = ||r||^2 / (n - |S| d),

      where t is the quantile of chi-square with d degrees of freedom at 1 - 0.05 / G. White noise
      alone then adds a group to one sample in twenty. The first group needs no test. No group
      with less than 2 % of ||y||^2 is added: it would fit errors of the dictionary. Nothing has
      to be tuned.

    Parameters
    ----------
    dictionary : (n, m) or (..., n, m), with data (..., N, n) or (N, n)
    prox : name of an activation, or a callable, for ``lambda_``; ``batch_group_top_k`` with a level

    Raises
    ------
    ValueError for both rules at once, and for shapes or numbers that do not fit.

    References
    ----------
    Y. C. Eldar, P. Kuppinger, H. Bölcskei, "Block-sparse signals: uncertainty relations and
    efficient recovery", IEEE Trans. Signal Process. 58 (2010): block OMP.

    Examples
    --------
    >>> select_groups([[3.0, 4.0, 0.1, 0.2]], torch.eye(4), group_size=2, active_groups=1)
    tensor([[ True, False]])
    """
    data, dictionary = _pair(data, dictionary, group_size)
    basis = orthonormalize_groups(dictionary, group_size)
    rule = Selection(active_groups, lambda_, prox)
    rule.check(basis.shape[-1] // group_size)
    replicates, pairs = _replicates(data, basis)
    supports = [
        torch.cat([rule(Products.of(part, a, group_size, gram)) for part in y.split(ROWS)])
        for y, a in pairs
        for gram in [a.mT @ a]
    ]
    return torch.stack(supports).view(*replicates, *supports[0].shape)


def refit_codes(data: Array, dictionary: Array, support: Tensor, group_size: int) -> Tensor:
    r"""Least squares on the active groups: codes (N, m) that are zero elsewhere.

    .. math:: x_S = (A_S^T A_S + \epsilon I)^{-1} A_S^T y

    There is no shrinkage, so the codes have no bias. epsilon is far below what noise changes; it
    keeps groups apart that are nearly the same. Differentiable in data and dictionary.

    Parameters
    ----------
    dictionary : (n, m) or (..., n, m), with data (..., N, n) or (N, n)
    support : bool (N, m / group_size) or (..., N, m / group_size)

    Raises
    ------
    ValueError for shapes that do not fit, or if a sample has more active atoms than dimensions.

    Examples
    --------
    >>> refit_codes([[3.0, 4.0, 0.1, 0.2]], torch.eye(4), torch.tensor([[True, False]]), 2)
    tensor([[3.0000, 4.0000, 0.0000, 0.0000]])
    """
    data, dictionary = _pair(data, dictionary, group_size)
    support = torch.as_tensor(support, device=data.device)
    replicates = leading(data, dictionary)
    wanted = (*replicates, data.shape[-2], dictionary.shape[-1] // group_size)
    if support.dtype != torch.bool or support.shape != wanted:
        shape = tuple(support.shape)
        raise ValueError(f"support must be bool of shape {wanted}, not {support.dtype} of {shape}")
    return refitted(data, dictionary, support, group_size)


def refitted(data: Tensor, dictionary: Tensor, support: Tensor, group_size: int) -> Tensor:
    """:func:`refit_codes` of tensors that are known to fit."""
    replicates, pairs = _replicates(data, dictionary)
    masks = support.reshape(-1, *support.shape[-2:])
    codes = [_dense(y, a, mask, group_size) for (y, a), mask in zip(pairs, masks, strict=True)]
    return torch.stack(codes).view(*replicates, *codes[0].shape)


class Selection(NamedTuple):
    """The rule of :func:`select_groups`, applied to products of an orthonormal basis."""

    active_groups: int | None = None
    lambda_: float | None = None
    prox: str | Prox = "group_soft"

    def check(self, groups: int) -> None:
        """ValueError unless at most one rule is given and it fits this number of groups."""
        if self.active_groups is not None and self.lambda_ is not None:
            raise ValueError("give active_groups or lambda_, not both")
        k = self.active_groups
        if k is not None and check_count(k, "active_groups", least=1) > groups:
            raise ValueError(
                f"active_groups must be at most {groups}, the groups there are, not {k}"
            )
        prox = activation_of(self.prox)
        if self.lambda_ is not None:
            check_threshold(self.lambda_)
            if isinstance(prox, BatchGroupTopK) and prox.level is None:  # samples come in blocks
                raise ValueError(f"{prox} needs a level here: a sample must not depend on others")

    def __call__(self, products: Products) -> Tensor:
        """Support (N, G)."""
        d = products.group_size
        if self.lambda_ is not None:
            kept = activation_of(self.prox)(products.correlations, self.lambda_, d)
            return active(kept, d)
        return _pursue(products, self.active_groups)


def _pursue(products: Products, active_groups: int | None) -> Tensor:
    """Group orthogonal matching pursuit, for a number of groups or until noise is left."""
    correlations, gram, energy, n, d = products
    samples, atoms = correlations.shape
    limit = noise_quantile(FALSE_ALARM * d / atoms, d) if active_groups is None else 0.0
    # Beyond half of the dimensions a residual says nothing about its noise.
    most = max(1, min(atoms, n // 2) // d) if active_groups is None else active_groups
    support = torch.zeros(samples, atoms // d, dtype=torch.bool, device=gram.device)
    rows = torch.arange(samples, device=gram.device)
    groups, left, power = rows.new_zeros(samples, 0), correlations, energy
    for step in range(most):
        norms = group_norms(left, d).square().masked_fill(support[rows], -1)
        best = norms.max(-1)
        if active_groups is None:
            seen = best.values > limit * power / (n - step * d) if step else best.values > 0
            going = seen & (best.values > LEAST * energy[rows])
            rows, groups, best = rows[going], groups[going], best.indices[going]
        else:
            best = best.indices
        if not len(rows):
            break
        groups = torch.cat([groups, best.unsqueeze(-1)], -1)
        support[rows, best] = True
        if step + 1 < most:
            columns = columns_of(groups, d)
            values = solve(products, rows, columns)
            left = _residual_correlations(correlations[rows], gram, columns, values)
            explained = (values * correlations[rows.unsqueeze(-1), columns]).sum(-1)
            power = energy[rows] - explained
    return support


def noise_quantile(probability: float, d: int) -> float:
    """What chi-square with d degrees of freedom exceeds with this probability."""
    from scipy.stats import chi2  # here: slow to import, and not every rule needs it

    return float(chi2.isf(probability, d))


def _residual_correlations(
    correlations: Tensor, gram: Tensor, columns: Tensor, values: Tensor
) -> Tensor:
    """A^T (y - A x) = A^T y - A^T A x, from the rows of A^T A that belong to active atoms."""
    bag = torch.nn.functional.embedding_bag
    return correlations - bag(columns, gram, mode="sum", per_sample_weights=values)


def _dense(data: Tensor, dictionary: Tensor, support: Tensor, group_size: int) -> Tensor:
    products = Products.of(data, dictionary, group_size)
    codes = torch.zeros_like(products.correlations)
    for rows, columns, values in least_squares(products, support):
        codes = codes.index_put((rows.unsqueeze(-1), columns), values)
    return codes


def _pair(data: Array, dictionary: Array, group_size: int) -> tuple[Tensor, Tensor]:
    dictionary = as_dictionary(dictionary)
    check_groups(dictionary.shape[-1], group_size)
    data = as_tensor(data, like=dictionary.detach())
    if data.ndim < 2 or data.shape[-1] != dictionary.shape[-2]:
        n = dictionary.shape[-2]
        raise ValueError(f"data must have shape (..., N, {n}), not {tuple(data.shape)}")
    require_finite(data)
    return data, dictionary


def _replicates(data: Tensor, dictionary: Tensor) -> tuple[tuple[int, ...], list[tuple]]:
    """Leading dimensions of the result, and the pairs (N, n), (n, m) of all replicates."""
    shape = leading(data, dictionary)
    flat = (
        part.expand(*shape, *part.shape[-2:]).reshape(-1, *part.shape[-2:])
        for part in (data, dictionary)
    )
    return shape, list(zip(*flat, strict=True))
