"""Take apart pairs of groups that mix two true ones."""

from __future__ import annotations

import torch
from torch import Tensor

from groupsparse.alternating import alternate
from groupsparse.dictionary import blocks

TRIES = 10  # random starts for a pair
PASSES = 10


def parted(rest: Tensor, pair: Tensor, generator: torch.Generator) -> Tensor:
    """Two groups that share the span of two others, but not their samples: (2, n, d) -> same.

    Where two learnt groups each hold a part of two true ones, nearly every sample of either needs
    both. Seen from the span of both, of 2 d dimensions, these samples lie in one of two subspaces
    of d: group-sparse coding with one active group, from random starts, of which the best is kept.

    Parameters
    ----------
    rest : samples (B, n) in which either group is active, without what other groups explain
    pair : orthonormal bases (2, n, d)
    """
    d = pair.shape[-1]
    basis = torch.linalg.qr(torch.cat([*pair], -1)).Q
    inside = rest @ basis
    found = []
    for _ in range(TRIES):
        start = torch.randn(2 * d, 2 * d, generator=generator).to(inside)
        learnt, history = alternate(start, inside, d, passes=PASSES, active_groups=1)
        found.append((float(history["loss"][-1]), learnt))
    _, best = min(found, key=lambda result: result[0])
    return basis @ blocks(best, d)
