"""Which groups of a sample are active, when some are more frequent or fire together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def draw_groups(
    samples: int,
    groups: int,
    active_groups: int,
    generator: torch.Generator,
    correlation: float = 0.0,
    frequencies: Sequence[float] | None = None,
) -> Tensor:
    r"""Distinct active groups of every sample, drawn one after another: (samples, k) int64.

    A group is drawn from those that are not yet active, in proportion to its weight in
    ``frequencies``. Groups 0 and 1 are partners, so are 2 and 3, and so on. With probability
    ``correlation`` the next group is not drawn, but is the partner of the one before it, if that is
    not yet active. For k = 2 and equal weights a group's partner is active with it with probability
    :math:`c + (1 - c) / (\Gamma - 1)`, and every group is active equally often if Gamma is even.

    Raises
    ------
    ValueError for a correlation outside [0, 1], and for frequencies that are not ``groups`` finite
    numbers, none negative and at least ``active_groups`` positive.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> draw_groups(2, 4, 2, generator, frequencies=[1, 0, 0, 1]).sort().values
    tensor([[0, 3],
            [0, 3]])
    """
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation must be in [0, 1], not {correlation}")
    weights = torch.ones(groups) if frequencies is None else torch.as_tensor(frequencies)
    weights = weights.double()
    if weights.shape != (groups,) or not (weights.isfinite() & (weights >= 0)).all():
        raise ValueError(f"frequencies must be {groups} finite numbers of at least 0, a group each")
    if int((weights > 0).sum()) < active_groups:
        raise ValueError(f"frequencies must be positive for at least {active_groups} groups")
    weights = weights.repeat(samples, 1)  # 0: active already
    drawn = []
    for number in range(active_groups):
        # Where the sums of the weights pass a uniform number: one number for each sample, where
        # torch.multinomial draws one for each group. A weight of 0 passes none.
        sums = weights.cumsum(1)
        level = torch.rand(samples, 1, generator=generator, dtype=torch.float64) * sums[:, -1:]
        group = torch.searchsorted(sums, level, right=True)
        if number and correlation:
            partner = drawn[-1] ^ 1
            partner = torch.where(partner < groups, partner, drawn[-1])  # the last may have none
            together = torch.rand(samples, 1, generator=generator) < correlation
            group = torch.where(together & (weights.gather(1, partner) > 0), partner, group)
        weights.scatter_(1, group, 0)
        drawn.append(group)
    return torch.cat(drawn, 1)
