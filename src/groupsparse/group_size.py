"""The size of groups, from data alone: how clearly candidates of each show, against white noise."""

from __future__ import annotations

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count, require_finite
from groupsparse.pairwise import NoGroupsError, candidates, members
from groupsparse.seeds import as_generator


@torch.no_grad()
def estimate_group_size(data: Array, seed: int = 0, largest: int = 8) -> int:
    """The size of groups that the data show most clearly, from 1 to ``largest``.

    For each size, 64 pairs of samples give candidates of that many dimensions and their gaps
    (:func:`groupsparse.pairwise.refine`). Of too few dimensions, a candidate leaves out as much as
    it takes in; of too many, it takes in noise. The estimate is the size whose upper quartile of
    gaps is largest, relative to that of white noise in place of the data.

    Raises
    ------
    ValueError for data that are not finite or too few for groups of one atom; NoGroupsError, one
    of them, for data of zeros.

    Examples
    --------
    >>> import groupsparse as gs
    >>> truth = gs.random_dictionary(40, 24, generator=0)
    >>> data = gs.sample(truth, 3, 1, (4.0, 5.0), samples=500, generator=1, snr_db=10.0).data
    >>> estimate_group_size(data)
    3
    """
    data = as_tensor(data)
    if data.ndim != 2:
        raise ValueError(f"data must have shape (N, n), not {tuple(data.shape)}")
    require_finite(data)
    largest = min(check_count(largest, "largest", least=1), *(size // 2 for size in data.shape))
    if not largest:
        raise ValueError(f"data of shape {tuple(data.shape)} are too few for groups of any size")
    if not data.any():
        raise NoGroupsError("no group shows in data of zeros")
    ratios = []
    for d in range(1, largest + 1):
        shown, noise = (gaps(y, d, seed).quantile(0.75) for y in (data, noise_like(data, seed)))
        ratios.append(shown / noise)
    return 1 + int(torch.stack(ratios).argmax())


def gaps(data: Tensor, d: int, seed: int) -> Tensor:
    """Ratio of eigenvalues d and d + 1 of 64 candidates for groups of d atoms."""
    return candidates(data, 64, d, members(data, d), as_generator(seed)).gap


def noise_like(data: Tensor, seed: int) -> Tensor:
    """White noise of the shape of the data."""
    return torch.randn(data.shape, generator=as_generator(seed)).to(data)
