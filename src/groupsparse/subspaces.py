r"""Subspace clustering: every sample as a sparse combination of the others.

.. math:: y_i \approx \sum_{j \ne i} c_{ij} y_j

Samples of one subspace choose each other, and |C| + |C|^T is a graph whose components are the
clusters.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count, require_finite
from groupsparse.clustering import kmeans_clusters, spectral_embedding
from groupsparse.encoder import unfolded
from groupsparse.prox import soft_threshold

log = logging.getLogger(__name__)

BLOCK = 500  # samples that are expressed at a time


def orthogonal_matching_pursuit(
    features: Array, nonzero: int = 5, unit: bool = False
) -> sparse.csr_array:
    """Self-expressive codes of features (N, k) by orthogonal matching pursuit: sparse (N, N).

    Each sample takes, ``nonzero`` times, the other sample with the largest inner product with its
    residual, and the least squares of all it has.

    Parameters
    ----------
    unit : scale samples to unit norm first, so that none is preferred for its size. If they keep
        their norms, as in the public code of MixMate, many samples share the large ones: the graph
        of the codes has hubs, and its clusters hold together better

    Raises
    ------
    ValueError for another shape, for features that are not finite, and unless there are more
    samples than ``nonzero``.

    References
    ----------
    C. You, D. Robinson, R. Vidal, "Scalable sparse subspace clustering by orthogonal matching
    pursuit", CVPR 2016.
    """
    points = _points(features, unit)
    nonzero = check_count(nonzero, "nonzero", least=1)
    if len(points) <= nonzero:
        raise ValueError(f"{len(points)} samples cannot have {nonzero} others in a code")

    def express(here: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
        chosen = among.new_empty(len(among), 0)
        residual, rows = here, torch.arange(len(here))
        for _ in range(nonzero):
            closeness = (residual @ points.T).abs_()
            closeness[rows, among] = -1
            closeness[rows.unsqueeze(1), chosen] = -1
            chosen = torch.cat([chosen, closeness.argmax(1, keepdim=True)], 1)
            atoms = points[chosen]  # (B, k, n)
            values = _least_squares(atoms, here)
            residual = here - torch.einsum("bk,bkn->bn", values, atoms)
        return chosen, values

    return _blockwise(points, express, "orthogonal matching pursuit")


def _least_squares(atoms: Tensor, points: Tensor) -> Tensor:
    """Codes (B, k) of points (B, n) on atoms (B, k, n), shared between atoms that are equal."""
    gram = atoms @ atoms.mT
    # Equal samples make the Gram matrix singular; a sample of zeros makes it zero.
    scale = gram.diagonal(dim1=-2, dim2=-1).mean(-1)[:, None, None]
    ridge = torch.finfo(gram.dtype).eps ** 0.75 * scale + torch.finfo(gram.dtype).tiny
    factor = torch.linalg.cholesky(gram + ridge * torch.eye(gram.shape[-1]).to(gram))
    return torch.cholesky_solve((atoms @ points.unsqueeze(-1)), factor).squeeze(-1)


def elastic_net(
    features: Array, ratio: float = 0.9, gamma: float = 50.0, working_set: int = 64,
    rounds: int = 5, layers: int = 200,
) -> sparse.csr_array:  # fmt: skip
    r"""Self-expressive codes of features (N, k) by an elastic net: sparse (N, N).

    .. math:: \min_c \tfrac12 ||y_i - \sum_j c_j y_j||^2 + \lambda_i (||c||_1 + \tfrac{1 - r}{2 r}
              ||c||^2), \quad \lambda_i = \max_{j \ne i} |y_i^T y_j| / \gamma

    with r = ``ratio``, on samples of unit norm. The l1 norm keeps codes in one subspace, the
    squared norm connects it. Solved on a working set: the samples closest to y_i, then those in use
    and those that violate the optimality of the solution most, for at most ``rounds`` rounds, with
    ``layers`` layers of FISTA each.

    Parameters
    ----------
    ratio : r in (0, 1]; 1 is the lasso
    gamma : above 1: how far lambda is below the value at which the code is zero
    working_set : other samples that are looked at in a round; codes have at most so many entries

    Raises
    ------
    ValueError for arguments outside their ranges, another shape, or features that are not finite.

    References
    ----------
    C. You, C.-G. Li, D. Robinson, R. Vidal, "Oracle based active set algorithm for scalable elastic
    net subspace clustering", CVPR 2016.
    """
    if not 0 < ratio <= 1 or not 1 < gamma < math.inf:
        raise ValueError(f"need 0 < ratio <= 1 and gamma > 1, not {ratio} and {gamma}")
    points = _points(features, unit=True)
    size = min(check_count(working_set, "working_set", least=1), len(points) - 1)

    def express(here: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
        rows = torch.arange(len(here))
        closeness = (here @ points.T).abs_()
        closeness[rows, among] = -1
        lambda_ = closeness.amax(1, keepdim=True).clamp_min(1e-12) / gamma
        chosen = closeness.topk(size, sorted=False).indices
        for _ in range(rounds):
            atoms = points[chosen]  # (B, k, n)
            values = _elastic_net(atoms, here, lambda_, ratio, layers)
            residual = here - torch.einsum("bk,bkn->bn", values, atoms)
            excess = (residual @ points.T).abs_().sub_(lambda_)
            excess[rows, among] = -torch.inf
            # What is in use stays; the rest makes room for the worst violations.
            excess[rows.unsqueeze(1), chosen] = torch.where(values != 0, torch.inf, -1).to(excess)
            new = excess.topk(size, sorted=False)
            if not ((new.values > 1e-2 * lambda_) & new.values.isfinite()).any():
                break
            chosen = new.indices
        else:
            values = _elastic_net(points[chosen], here, lambda_, ratio, layers)
        return chosen, values

    return _blockwise(points, express, "elastic net")


def _elastic_net(
    atoms: Tensor, points: Tensor, lambda_: Tensor, ratio: float, layers: int
) -> Tensor:
    """Codes (B, k) of points (B, n) on atoms (B, k, n): the lasso of a Gram matrix with a ridge."""
    ridge = lambda_.unsqueeze(-1) * (1 - ratio) / ratio * torch.eye(atoms.shape[1]).to(atoms)
    gram = atoms @ atoms.mT + ridge
    # An upper bound on the largest eigenvalue.
    lipschitz = torch.linalg.matrix_norm(gram @ gram).sqrt()
    problem = points.unsqueeze(1), atoms.mT, soft_threshold, lambda_.unsqueeze(-1), 1, layers
    return unfolded(*problem, lipschitz=lipschitz, gram=gram).squeeze(1)


def _points(features: Array, unit: bool) -> Tensor:
    points = as_tensor(features, "features").detach().cpu()
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"features must have shape (N, k), not {tuple(points.shape)}")
    require_finite(points)
    return torch.nn.functional.normalize(points, dim=1) if unit else points


def _blockwise(points: Tensor, express: Callable, what: str) -> sparse.csr_array:
    """Codes (N, N) of all points, ``express(block, indices)`` giving those of one block."""
    samples, columns, values, counts = len(points), [], [], []
    reported = time.monotonic()
    with torch.no_grad():
        for start in range(0, samples, BLOCK):
            among = torch.arange(start, min(start + BLOCK, samples))
            chosen, found = express(points[among], among)
            used = found != 0
            columns.append(chosen[used])
            values.append(found[used])
            counts.append(used.sum(1))
            if time.monotonic() - reported > 5:
                reported = time.monotonic()
                log.info("%s: %d of %d samples", what, len(among) + start, samples)
    ends = np.concatenate([[0], torch.cat(counts).cumsum(0).numpy()])
    content = torch.cat(values).numpy(), torch.cat(columns).numpy(), ends
    return sparse.csr_array(content, shape=(samples, samples))


def affinity(codes: sparse.csr_array) -> sparse.csr_array:
    """Symmetric graph ``(|C| + |C|^T) / 2``, the rows of C scaled to unit norm first: (N, N)."""
    codes = abs(codes)
    norms = np.sqrt(codes.power(2).sum(1))
    codes = sparse.diags_array(1 / np.where(norms > 0, norms, 1)) @ codes
    return ((codes + codes.T) / 2).tocsr()


def shared_neighbors(codes: sparse.csr_array, neighbors: int = 3) -> sparse.csr_array:
    """Graph (C + C^T) / 2 of the samples whose codes are most alike: (N, N).

    C_ij is 1 if the code of j has one of the ``neighbors`` largest cosines with that of i.
    """
    norms = np.sqrt(codes.power(2).sum(1))
    unit = (sparse.diags_array(1 / np.where(norms > 0, norms, 1)) @ codes).tocsr()
    samples, columns = unit.shape[0], []
    for start in range(0, samples, BLOCK):
        likeness = (unit[start : start + BLOCK] @ unit.T).toarray()
        rows = np.arange(len(likeness))
        likeness[rows, start + rows] = -np.inf
        columns.append(np.argpartition(-likeness, neighbors - 1, axis=1)[:, :neighbors])
    columns = np.concatenate(columns)
    ends = np.arange(samples + 1) * neighbors
    content = np.full(columns.size, 0.5), columns.ravel(), ends
    directed = sparse.csr_array(content, shape=(samples, samples))
    return (directed + directed.T).tocsr()


def graph_clusters(graph: sparse.csr_array, clusters: int, seed: int) -> np.ndarray:
    """Spectral clustering of a graph (N, N), the rows of the embedding at unit norm: labels (N,).

    A. Ng, M. Jordan, Y. Weiss, "On spectral clustering", NIPS 2001.
    """
    embedding = spectral_embedding(graph, clusters, seed)
    norms = np.linalg.norm(embedding, axis=1, keepdims=True)
    return kmeans_clusters(embedding / np.where(norms > 0, norms, 1), clusters, seed)
