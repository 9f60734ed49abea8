"""Codes by least squares on the active groups of every sample, from products with the atoms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.groups import columns_of

WIDE = 8  # atoms of a group from which samples with one active group are solved group by group


class Products(NamedTuple):
    """All that least squares needs: A^T y (N, m), A^T A (m, m) and ||y||^2 (N,), n and d."""

    correlations: Tensor
    gram: Tensor
    energy: Tensor
    n: int
    group_size: int

    @classmethod
    def of(
        cls, data: Tensor, dictionary: Tensor, group_size: int, gram: Tensor | None = None
    ) -> Products:
        """The products of data (N, n) with a dictionary (n, m), whose ``gram`` may be known."""
        gram = dictionary.mT @ dictionary if gram is None else gram
        energy = data.square().sum(-1)
        return cls(data @ dictionary, gram, energy, dictionary.shape[-2], group_size)


class Active(NamedTuple):
    """Codes of samples with the same number of active groups.

    ``samples`` (B,), ``columns`` (B, k d) of the active atoms, their ``values`` (B, k d).
    """

    samples: Tensor
    columns: Tensor
    values: Tensor


def least_squares(products: Products, support: Tensor) -> Iterator[Active]:
    """Codes by least squares on a support (N, G), for each number of active groups in turn."""
    n, d = products.n, products.group_size
    counts = support.sum(-1)
    for k in counts.unique().tolist():
        if not k:
            continue
        samples, at_a_time = (counts == k).nonzero().squeeze(1), systems_at_a_time(k, d, n)
        if k == 1 and d >= WIDE:
            yield from _one_group(products, samples, support)
            continue
        for rows in samples.split(at_a_time):
            groups = support[rows].nonzero()[:, 1].view(-1, k)
            columns = columns_of(groups, d)
            yield Active(rows, columns, solve(products, rows, columns))


def _one_group(products: Products, samples: Tensor, support: Tensor) -> Iterator[Active]:
    """Codes of samples with one active group: those of a group share one system."""
    groups = support[samples].int().argmax(-1)
    for group in groups.unique():
        rows = samples[groups == group]
        columns = columns_of(group.view(1, 1), products.group_size)
        right = products.correlations[rows][:, columns[0]].mT.double()
        values = torch.linalg.solve(_systems(products.gram, columns)[0], right).mT
        yield Active(rows, columns.expand(len(rows), -1), values.to(products.gram))


def systems_at_a_time(k: int, d: int, n: int) -> int:
    """Samples of k active groups solved together, so that their systems fit in memory.

    ValueError if such a sample has more active atoms than the n dimensions.
    """
    if k * d > n:
        raise ValueError(
            f"a sample has {k} active groups, {k * d} atoms in {n} dimensions: a larger "
            "lambda_ or fewer active_groups leave fewer"
        )
    return max(1, 2**22 // (k * d) ** 2)


def solve(products: Products, rows: Tensor, columns: Tensor) -> Tensor:
    """Codes (B, k d) of samples ``rows`` by least squares on the atoms ``columns`` (B, k d)."""
    return solve_normal(products.gram, columns, products.correlations[rows.unsqueeze(-1), columns])


def solve_normal(gram: Tensor, columns: Tensor, right: Tensor) -> Tensor:
    """Codes (B, k d) on the atoms ``columns`` (B, k d), given ``right`` = A_S^T y (B, k d)."""
    right = right.double().unsqueeze(-1)
    return torch.linalg.solve(_systems(gram, columns), right).squeeze(-1).to(gram)


def _systems(gram: Tensor, columns: Tensor) -> Tensor:
    """A_S^T A_S + epsilon I (B, k d, k d) of the atoms ``columns`` (B, k d), in float64."""
    system = gram[columns.unsqueeze(-1), columns.unsqueeze(-2)].double()
    # Between rounding and anything that noise could show; above 0 for atoms that are zero.
    ridge = torch.finfo(gram.dtype).eps ** 0.75
    scale = system.diagonal(dim1=-2, dim2=-1).mean(-1)[:, None, None]
    identity = torch.eye(system.shape[-1], dtype=system.dtype, device=system.device)
    return system + (ridge * scale + torch.finfo(system.dtype).tiny) * identity
