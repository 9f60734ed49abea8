"""Groups of atoms: equal and consecutive by a number, or of any shape."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from numbers import Integral

import torch
from torch import Tensor

from groupsparse.arrays import as_tensor, check_groups

SQRT = "sqrt"  # weights: the square roots of the sizes


class Groups:
    r"""Groups of atoms of any sizes and in any order, each atom in one of them.

    Where a ``group_size`` is taken, such groups are taken too: by activations, networks and
    metrics. Inside, a group is a row of the largest size, filled up with zeros. A network takes
    equal consecutive groups as a number, which is faster.

    Parameters
    ----------
    groups : sizes of consecutive groups, such as ``[2, 3]``; or the atoms of each group by their
        indices, such as ``[[0, 3], [1, 2, 4]]``
    weights : w_g > 0, by which a threshold is multiplied for each group; ``"sqrt"``: the square
        root of its size, with which noise makes a large group active about as often as a small
        one. By default 1

    Raises
    ------
    ValueError for sizes below 1, indices that are not each of 0..m-1 once (groups that overlap are
    not supported), and weights that do not fit.

    Examples
    --------
    >>> import groupsparse as gs
    >>> v = torch.tensor([3.0, 0.3, 0.4, 4.0, 0.0])
    >>> gs.group_soft_threshold(v, 1.0, Groups([[0, 3], [1, 2, 4]]))
    tensor([2.4000, 0.0000, 0.0000, 3.2000, 0.0000])
    """

    def __init__(
        self,
        groups: Sequence[int] | Sequence[Sequence[int]],
        weights: str | Sequence[float] | None = None,
    ) -> None:
        groups = list(groups)
        if groups and all(isinstance(g, Integral) for g in groups):
            ends = list(accumulate(groups, initial=0))
            groups = [range(a, b) for a, b in pairwise(ends)]
        self.members = [[int(i) for i in group] for group in groups]
        flat = [i for group in self.members for i in group]
        if not all(self.members) or sorted(flat) != list(range(len(flat))) or not flat:
            raise ValueError(
                "groups must be sizes of at least 1, or lists that hold each index from 0 on once"
            )
        self.atoms, self.count = len(flat), len(self.members)
        self.sizes = [len(group) for group in self.members]
        self.largest = max(self.sizes)
        rows = [[*group, *[self.atoms] * (self.largest - len(group))] for group in self.members]
        self._rows = torch.tensor(rows)  # the index past the last atom is a zero
        places = {i: g * self.largest + j for g, row in enumerate(rows) for j, i in enumerate(row)}
        self._places = torch.tensor([places[i] for i in range(self.atoms)])
        self.weights = self._checked(weights)

    def _checked(self, weights: str | Sequence[float] | None) -> Tensor | None:
        if weights is None:
            return None
        if isinstance(weights, str):
            if weights != SQRT:
                raise ValueError(f"weights must be {SQRT!r} or numbers, not {weights!r}")
            return torch.tensor(self.sizes, dtype=torch.float64).sqrt()
        weights = torch.as_tensor(weights, dtype=torch.float64)
        fits = weights.shape == (self.count,) and bool((weights > 0).all())
        if not fits or not weights.isfinite().all():
            raise ValueError(f"weights must be {self.count} positive finite numbers")
        return weights

    def split(self, v: Tensor) -> Tensor:
        """Entries (..., m) by groups, filled up with zeros: (..., G, largest)."""
        if v.shape[-1] != self.atoms:
            raise ValueError(f"groups of {self.atoms} atoms do not fit {v.shape[-1]} entries")
        padded = torch.cat([v, v.new_zeros(*v.shape[:-1], 1)], -1)
        return padded[..., self._rows.to(v.device)]

    def merge(self, groups: Tensor) -> Tensor:
        """The inverse of :meth:`split`: (..., G, largest) -> (..., m)."""
        return groups.flatten(-2)[..., self._places.to(groups.device)]

    def weighted(self, threshold: float | Tensor, like: Tensor) -> float | Tensor:
        """A threshold for every group of codes: (...) times the weights, (..., G)."""
        return threshold if self.weights is None else threshold * self.weights.to(like)

    def __len__(self) -> int:
        return self.count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Groups) and self.config() == other.config()

    __hash__ = None

    def config(self) -> dict:
        """The arguments of the class, JSON-able."""
        weights = None if self.weights is None else self.weights.tolist()
        return {"groups": self.members, "weights": weights}

    def __repr__(self) -> str:
        return f"Groups of sizes {self.sizes}"


# What is called group_size; lists are sizes or indices, as Groups takes them.
Size = int | Groups | Sequence[int] | Sequence[Sequence[int]]


def group_size_of(groups: Size | dict, atoms: int) -> int | Groups:
    """Groups as given, as their config, or by sizes or indices; ValueError unless they fit.

    Equal consecutive groups without weights become their size: a number is faster.
    """
    if isinstance(groups, dict):
        groups = Groups(**groups)
    elif isinstance(groups, list | tuple):
        groups = Groups(groups)
    if isinstance(groups, Groups):
        if groups.atoms != atoms:
            raise ValueError(f"groups of {groups.atoms} atoms do not fit {atoms}")
        plain = groups.weights is None and groups == Groups([groups.largest] * groups.count)
        return groups.largest if plain else groups
    check_groups(atoms, groups)
    return int(groups)


def as_groups(groups: Size, atoms: int) -> int | Groups:
    """Sizes or indices as groups of so many atoms; a number and :class:`Groups` as they are."""
    return group_size_of(groups, atoms) if isinstance(groups, list | tuple) else groups


def split_groups(v: Tensor, group_size: Size) -> Tensor:
    """(..., m) as (..., m / group_size, group_size), a view; ValueError if that is impossible.

    With :class:`Groups` a copy (..., G, largest), with zeros where a group is smaller.
    """
    v = as_tensor(v, "v")
    group_size = as_groups(group_size, v.shape[-1])
    if isinstance(group_size, Groups):
        return group_size.split(v)
    check_groups(v.shape[-1], group_size)
    return v.unflatten(-1, (-1, group_size))


def group_norms(v: Tensor, group_size: Size) -> Tensor:
    """Euclidean norm of every group: (..., m) -> (..., G).

    Examples
    --------
    >>> group_norms(torch.tensor([3.0, 4.0, 0.0, 2.0]), 2)
    tensor([5., 2.])
    """
    return torch.linalg.vector_norm(split_groups(v, group_size), dim=-1)


def active(codes: Tensor, group_size: Size) -> Tensor:
    """Groups with a nonzero entry: (..., m) -> bool (..., G)."""
    # Entry by entry: a reduction over a short last axis is several times slower.
    first, *others = (split_groups(codes, group_size) != 0).unbind(-1)
    for other in others:
        first = first | other
    return first


def columns_of(groups: Tensor, d: int) -> Tensor:
    """Columns (..., k d) of the atoms of groups (..., k)."""
    return (groups.unsqueeze(-1) * d + torch.arange(d, device=groups.device)).flatten(-2)
