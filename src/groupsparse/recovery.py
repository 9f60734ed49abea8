"""Recovery metrics: error of dictionaries against A*, of supports against the true supports.

None of these functions knows a model; all take leading batch dimensions where stated.
"""

from __future__ import annotations

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_groups
from groupsparse.dictionary import blocks, normalize_columns
from groupsparse.generative import Sample, entries
from groupsparse.groups import active
from groupsparse.matching import best_matching


def squared_error(estimate: Array, truth: Array) -> Tensor:
    """||A - A*||_F^2 of column-normalised dictionaries (the paper's metric): (..., n, m) -> (...).

    Neither sign nor order is matched: an estimate started near A* is expected to stay in place.
    Range [0, 4 m]; two independent random dictionaries score about 2 m.

    Examples
    --------
    >>> squared_error([[2.0, 0.0], [0.0, -1.0]], [[1.0, 0.0], [0.0, 1.0]])
    tensor(4., dtype=torch.float64)
    """
    estimate, truth = _pair(estimate, truth)
    return (normalize_columns(estimate) - normalize_columns(truth)).square().sum((-2, -1))


def invariant_squared_error(estimate: Array, truth: Array, group_size: int) -> float:
    r"""Subspace error after matching groups, invariant to order of groups and bases inside them.

    .. math:: \min_\pi \sum_g \tfrac12 ||P_{\pi(g)} - P^*_g||_F^2 = \sum_g \sum_i \sin^2\theta_{gi}

    P are projectors on the spans of the groups, theta the principal angles; the matching pi is
    found by the Hungarian method. A direction that a group lacks, because its atoms are zero or
    linearly dependent, counts as at a right angle. (n, m) -> float in [0, m].

    Examples
    --------
    >>> invariant_squared_error(torch.eye(4)[:, [2, 3, 1, 0]], torch.eye(4), group_size=2)
    0.0
    """
    estimate, truth = _pair(estimate, truth, group_size)
    similarity = _subspace_similarity(estimate, truth, group_size)
    rows, columns = best_matching(similarity.cpu().numpy())
    # Rounding must not leave the range.
    return max(0.0, float((group_size - similarity[rows, columns]).sum()))


def group_overlaps(estimate: Array, truth: Array, group_size: int) -> Tensor:
    r"""How much of every true group is found: (n, m) -> (G,), in the order of the truth.

    .. math:: ||U_{\pi(g)}^T V_g||_F^2 / d = \tfrac1d \sum_i \cos^2\theta_{gi} \in [0, 1]

    U and V are orthonormal bases of the groups and pi is the matching of
    :func:`invariant_squared_error`, which is d times the sum of what is missing from 1. A random
    group has about d / n.

    Examples
    --------
    >>> group_overlaps(torch.eye(4)[:, [2, 0]], torch.eye(4)[:, [0, 1]], group_size=1)
    tensor([1., 0.], dtype=torch.float64)
    """
    estimate, truth = _pair(estimate, truth, group_size)
    similarity = _subspace_similarity(estimate, truth, group_size)
    order, columns = best_matching(similarity.T.cpu().numpy())
    return (similarity[columns, order] / group_size).clamp(max=1)


def aligned_squared_error(estimate: Array, truth: Array, group_size: int) -> float:
    """||A_pi R - A*||_F^2 after matching groups and rotating each onto the truth (Procrustes).

    R is block-diagonal orthogonal, so sign flips, rotations inside a group and the order of groups
    do not count. Every group is scaled to ||A_g||_F^2 = d, which a rotation keeps: it need not keep
    the norms of single atoms. (n, m) -> float in [0, 2 m].

    Examples
    --------
    >>> aligned_squared_error(-torch.eye(4)[:, [2, 3, 1, 0]], torch.eye(4), group_size=2)
    0.0
    """
    estimate, truth = _pair(estimate, truth, group_size)
    similarity = _subspace_similarity(estimate, truth, group_size)
    truth_order, order = best_matching(similarity.T.cpu().numpy())
    a, b = (
        torch.nn.functional.normalize(groups.flatten(1), dim=1).view_as(groups)
        for groups in (
            blocks(estimate.double(), group_size)[torch.as_tensor(order)],
            blocks(truth.double(), group_size)[torch.as_tensor(truth_order)],
        )
    )
    # ||a R - b||^2 = ||a||^2 + ||b||^2 - 2 tr(R^T a^T b), least at the nuclear norm of a^T b.
    squares = a.square().sum() + b.square().sum()  # 1 of each group, but 0 of one of zeros
    return max(0.0, group_size * float(squares - 2 * torch.linalg.svdvals(a.mT @ b).sum()))


def mean_correlation(estimate: Array, truth: Array) -> Tensor:
    """Mean cosine between corresponding atoms: (..., n, m) -> (...), in [-1, 1]."""
    estimate, truth = _pair(estimate, truth)
    return (normalize_columns(estimate) * normalize_columns(truth)).sum(-2).mean(-1)


def support_scores(estimate: Array, truth: Array) -> dict[str, float]:
    """Recall, precision, F1 and exact-support rate of boolean supports (N, k).

    Recall and precision pool all samples (true positives over all positives); ``exact`` is the
    fraction of samples whose whole support is right. An empty estimate has precision 0, an empty
    truth recall 0, and both together F1 0, although ``exact`` is 1. ValueError for supports of
    another type or of two shapes.

    Examples
    --------
    >>> support_scores([[True, True, False]], [[True, False, False]])["precision"]
    0.5
    """
    estimate, truth = torch.as_tensor(estimate), torch.as_tensor(truth)
    if not estimate.dtype == truth.dtype == torch.bool or estimate.shape != truth.shape:
        given = (f"{part.dtype} of {tuple(part.shape)}" for part in (estimate, truth))
        raise ValueError(f"supports must be bool of one shape, not {' and '.join(given)}")
    hits = float((estimate & truth).sum())
    found, wanted = float(estimate.sum()), float(truth.sum())
    recall = hits / wanted if wanted else 0.0
    precision = hits / found if found else 0.0
    f1 = 2 * hits / (found + wanted) if found + wanted else 0.0
    exact = float((estimate == truth).all(-1).double().mean())
    return {"recall": recall, "precision": precision, "f1": f1, "exact": exact}


def group_support(codes: Array, group_size: int) -> Tensor:
    """Which groups have a nonzero entry: codes (..., m) -> bool (..., m / group_size)."""
    return active(codes, group_size)


def _pair(estimate: Array, truth: Array, group_size: int | None = None) -> tuple[Tensor, Tensor]:
    truth = as_tensor(truth, "truth").detach()
    estimate = as_tensor(estimate, "estimate", like=truth).detach()
    # With a group size: one pair of dictionaries.
    fits = estimate.shape[-2:] == truth.shape[-2:] and truth.ndim >= 2
    if not fits or (group_size is not None and not estimate.ndim == truth.ndim == 2):
        raise ValueError(
            f"estimate {tuple(estimate.shape)} and truth {tuple(truth.shape)} must be dictionaries "
            f"of one shape, {'(..., n, m)' if group_size is None else '(n, m)'}"
        )
    if group_size is not None:
        check_groups(truth.shape[-1], group_size)
    return estimate, truth


def _subspace_similarity(estimate: Tensor, truth: Tensor, group_size: int) -> Tensor:
    # ||U_g^T V_h||_F^2 = sum of squared cosines of the principal angles, for all pairs at once.
    u, v = (_spans(dictionary, group_size) for dictionary in (estimate, truth))
    groups, n, d = u.shape
    product = u.mT.reshape(groups * d, n) @ v.transpose(0, 1).reshape(n, groups * d)
    return product.square().reshape(groups, d, groups, d).sum((1, 3))


def _spans(dictionary: Tensor, group_size: int) -> Tensor:
    """Orthonormal bases of the groups (G, n, d), zero where a group has fewer dimensions."""
    groups, rounding = blocks(dictionary.double(), group_size), torch.finfo(dictionary.dtype).eps
    q, r = torch.linalg.qr(groups)
    new = r.diagonal(dim1=-2, dim2=-1).abs()  # what an atom adds to the span of those before it
    deficient = (new <= rounding * r.norm(dim=-2)[:, : new.shape[-1]]).any(-1)
    if deficient.any():  # QR would make directions up
        unit = torch.nn.functional.normalize(groups[deficient], dim=-2)
        u, s, _ = torch.linalg.svd(unit, full_matrices=False)
        q[deficient] = u * (s > rounding * s[:, :1]).unsqueeze(-2)
    return q


def noise_floor(noise_std: float, n: int, samples: int, code_power: Array) -> float:
    r"""Expected squared error of least squares given the true codes, in closed form.

    .. math:: \sigma^2 (n - 1) \sum_i \frac{1}{N \, E[x_i^2]}

    The first-order error of atom i has variance sigma^2 / (N E[x_i^2]) per entry; normalising the
    columns removes one of its n dimensions. Exact as N grows, for codes that are uncorrelated.

    Parameters
    ----------
    samples : N, those of all epochs together when every epoch draws new ones
    code_power : E[x_i^2] of every atom, shape (m,); ValueError for another

    Examples
    --------
    >>> noise_floor(noise_std=0.5, n=5, samples=100, code_power=[1.0, 2.0])
    0.015
    """
    power = torch.as_tensor(code_power).double()
    if power.ndim != 1:
        raise ValueError(f"code_power must have shape (m,), not {tuple(power.shape)}")
    return float(noise_std**2 * (n - 1) * (1 / (samples * power)).sum())


def least_squares_dictionary(data: Array, codes: Array) -> Tensor:
    """The oracle: argmin_A ||Y - X A^T||_F^2 given the true codes; (N, n), (N, m) -> (n, m).

    An atom that no code uses is zero.

    Examples
    --------
    >>> codes = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    >>> least_squares_dictionary(codes @ torch.tensor([[3.0, 4.0], [1.0, 2.0]]).T, codes)
    tensor([[3., 4.],
            [1., 2.]])
    """
    data = as_tensor(data)
    codes, known = as_tensor(codes, "codes", like=data).double(), torch.finfo(torch.float64)
    gram = codes.mT @ codes
    gram.diagonal().add_(known.eps * gram.diagonal().mean() + known.tiny)
    return torch.linalg.solve(gram, codes.mT @ data.double()).mT.to(data.dtype)


def add_normal_equations(gram: Tensor, cross: Tensor, sample: Sample, times: int = 1) -> None:
    """Add X^T X (m, m) and X^T Y (m, n) of a sample in place, touching active entries only.

    Solved for A^T, they are :func:`least_squares_dictionary` of all samples that were added.
    ``times``: so many samples with the same codes, whose data are summed. X^T Y of one sample is
    summed in the precision of its data: in float64 that takes five times as long.
    """
    columns, values = entries(sample.codes)
    products = times * values.unsqueeze(2) * values.unsqueeze(1)
    places = columns.unsqueeze(2) * len(gram) + columns.unsqueeze(1)
    flat = (gram if gram.is_contiguous() else gram.mT).view(-1)  # symmetric: its transpose will do
    flat.index_add_(0, places.flatten(), products.flatten().to(gram.dtype))
    columns, order = columns.flatten().sort(stable=True)
    samples = torch.arange(len(sample.data)).repeat_interleave(values.shape[1])[order]
    counts = torch.bincount(columns, minlength=len(gram))
    cross += torch.nn.functional.embedding_bag(
        samples, sample.data, counts.cumsum(0) - counts, mode="sum",
        per_sample_weights=values.flatten()[order].to(sample.data),
    )  # fmt: skip
