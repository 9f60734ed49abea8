"""Candidates for groups, from pairs of samples that share one."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.pursuit import noise_quantile

CLOSEST = 20  # the partner of a sample is one of this many that correlate most with it
CHUNK = 256  # candidates whose projections of all samples are in memory at a time
GAP = 1.5  # ratio of eigenvalues d and d + 1 that tells one group from a mixture
SAME = 0.5  # overlap of two spans above which they are the same group


class NoGroupsError(ValueError):
    """No group shows in the data."""


class Candidates(NamedTuple):
    """Spans (B, n, d) with orthonormal columns, and the ``gap`` (B,) of each."""

    spans: Tensor
    gap: Tensor


def members(data: Tensor, group_size: int) -> int:
    """Samples that make a candidate: enough for a span, few enough to be of one group."""
    return max(math.isqrt(len(data)), 2 * group_size)


def candidates(
    data: Tensor, count: int, group_size: int, members: int, generator: torch.Generator
) -> Candidates:
    r"""Spans of groups that pairs of samples share.

    Samples with a common group have a large absolute cosine. For a sample i and j, one of its 20
    closest, the span is that of the first d singular vectors of the ``members`` samples with the
    largest min(|cos(y, y_i)|, |cos(y, y_j)|); then :func:`refine` takes all samples into account.
    The first sample is drawn in proportion to its energy above the median: in residuals, where
    groups are missing.

    Parameters
    ----------
    data : (N, n)
    count : number B of pairs

    References
    ----------
    S. Arora, R. Ge, T. Ma, A. Moitra, "Simple, efficient, and neural algorithms for sparse coding",
    COLT 2015: pairwise initialisation, for single atoms.
    """
    samples, parts = len(data), []
    power = data.square().sum(-1).cpu().double()
    weights = (power - power.median()).clamp_min(0) + 1e-3 * power
    count = min(count, int((weights > 0).sum()))
    if not count:
        return Candidates(data.new_zeros(0, data.shape[1], group_size), data.new_zeros(0))
    unit = torch.nn.functional.normalize(data, dim=-1)
    anchors = torch.multinomial(weights, count, generator=generator).to(data.device)
    for first in anchors.split(CHUNK):
        one = (unit @ unit[first].T).abs()  # (N, B)
        one[first, torch.arange(len(first))] = 0
        closest = one.topk(min(CLOSEST, samples - 1), dim=0).indices
        choice = torch.randint(len(closest), (len(first),), generator=generator).to(first.device)
        second = closest[choice, torch.arange(len(first))]
        two = (unit @ unit[second].T).abs()
        one[first, torch.arange(len(first))] = 1
        members_of = torch.minimum(one, two).topk(min(members, samples), dim=0).indices.T
        parts.append(_leading(data[members_of], group_size))
    return refine(data, torch.cat(parts))


def refine(data: Tensor, spans: Tensor, rounds: int = 4) -> Candidates:
    r"""Move each span (B, n, d) to the samples that it explains, each by itself.

    .. math:: Q \leftarrow \mathrm{orth} \sum_i [\,||Q^T y_i||^2 > t ||y_i||^2 / n\,]\, y_i y_i^T Q

    with t the quantile at which noise alone gives one sample in N. The gap is the ratio of the
    eigenvalues d and d + 1 of the sum in its last round: a span that mixes groups has none.
    """
    n, d = spans.shape[-2:]
    limit = noise_quantile(1 / len(data), d) * data.square().sum(-1) / n
    done = [_refined(data, part, limit, rounds) for part in spans.split(CHUNK)]
    return Candidates(*(torch.cat(part) for part in zip(*done, strict=True)))


def distinct(found: Candidates, known: Tensor, most: int, gap: float = GAP) -> Tensor:
    """At most ``most`` spans with a gap, largest first, that overlap no other and none ``known``.

    The overlap of two spans is ||Q_g^T Q_h||_F^2 / d, the mean of the squared cosines between them.
    """
    order = found.gap.argsort(descending=True)
    order = order[found.gap[order] > gap]
    spans = found.spans[order]
    taken = (
        (overlaps(spans, known) > SAME).any(1) if len(known) else order.new_zeros(len(order)) > 0
    )
    near = overlaps(spans, spans) > SAME
    kept = []
    for i in range(len(spans)):
        if len(kept) == most:
            break
        if not taken[i]:
            kept.append(i)
            taken |= near[i]
    return spans[kept]


def overlaps(spans: Tensor, others: Tensor) -> Tensor:
    """||Q_g^T Q_h||_F^2 / d in [0, 1] for spans (B, n, d) and (C, n, d): (B, C)."""
    d = spans.shape[-1]
    flat = [s.transpose(0, 1).flatten(1) for s in (spans, others)]
    product = (flat[0].mT @ flat[1]).square()
    return product.view(len(spans), d, len(others), d).sum((1, 3)) / d


def _leading(samples: Tensor, d: int, rounds: int = 6) -> Tensor:
    """First d right singular vectors of (B, s, n), by subspace iteration: (B, n, d)."""
    basis = samples[:, : d + 2].mT
    for _ in range(rounds):
        basis = torch.linalg.qr(samples.mT @ (samples @ basis)).Q
    projected = samples @ basis
    vectors = torch.linalg.eigh(projected.mT @ projected).eigenvectors
    return basis @ vectors[..., -d:]


def _refined(data: Tensor, spans: Tensor, limit: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    count, n, d = spans.shape
    generator = torch.Generator().manual_seed(0)
    for _ in range(rounds):
        projected, active = _active(data, spans, limit)
        moved = _weighted_sums(projected.flatten(1), data)
        # The present span, weighted lightly, keeps a candidate that no sample is active in.
        moved = moved.view(count, d, n).mT + 1e-6 * spans
        spans = torch.linalg.qr(moved).Q
    projected, active = _active(data, spans, limit)
    inside = torch.linalg.eigvalsh(torch.einsum("nbi,nbj->bij", projected, projected))[:, 0]
    # Power iteration for what is left outside of the span, of the same samples.
    vector = torch.randn(count, n, generator=generator).to(spans)
    for _ in range(6):
        vector = vector - (spans @ (spans.mT @ vector.unsqueeze(-1))).squeeze(-1)
        vector = torch.nn.functional.normalize(vector, dim=-1)
        response = (data @ vector.mT) * active
        moved = _weighted_sums(response, data)
        outside = (moved * vector).sum(-1)
        vector = moved
    return spans, inside / outside.clamp_min(torch.finfo(outside.dtype).tiny)


def _active(data: Tensor, spans: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
    """Projections (N, B, d), zero where they are within the noise, and where they are not."""
    projected = (data @ spans.transpose(0, 1).flatten(1)).unflatten(1, spans.shape[::2])
    active = projected.square().sum(-1) > limit.unsqueeze(1)
    return projected * active.unsqueeze(-1), active


def _weighted_sums(weights: Tensor, data: Tensor) -> Tensor:
    """Sums of samples (N, n) with weights (N, B): (B, n)."""
    # Measured: 0.7 % of nonzero weights in 100 dimensions and 6 % in 950 make a sparse product pay.
    few = int(torch.count_nonzero(weights)) * 15_000 < weights.numel() * data.shape[1]
    return (weights.mT.to_sparse() if few else weights.mT) @ data
