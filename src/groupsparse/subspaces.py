r"""Subspace clustering: every sample as a sparse combination of the others.

.. math:: y_i \approx \sum_{j \ne i} c_{ij} y_j

Samples of one subspace choose each other, and |C| + |C|^T is a graph whose components are the
clusters.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count
from groupsparse.clustering import kmeans_clusters, spectral_embedding
from groupsparse.preprocess import require_finite

log = logging.getLogger(__name__)

BLOCK = 500  # samples that are expressed at a time


def orthogonal_matching_pursuit(features: Array, nonzero: int = 5) -> sparse.csr_array:
    """Self-expressive codes of features (N, k) by orthogonal matching pursuit: sparse (N, N).

    Each sample takes, ``nonzero`` times, the other sample that its residual correlates with most,
    and the least squares of all it has. Samples are scaled to unit norm, so that none is preferred
    for its size; one that is zero has no code and is in no other's.

    Raises
    ------
    ValueError for another shape, for features that are not finite, and unless there are more
    samples than ``nonzero``.

    References
    ----------
    C. You, D. Robinson, R. Vidal, "Scalable sparse subspace clustering by orthogonal matching
    pursuit", CVPR 2016.
    """
    points = _unit(features)
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
    """Codes (B, k) of points (B, n) on atoms (B, k, n), of minimal norm where atoms are equal."""
    gram = atoms @ atoms.mT
    eye = torch.eye(gram.shape[-1], dtype=gram.dtype)
    # Equal samples make the Gram matrix singular: the ridge is below what float32 resolves.
    factor = torch.linalg.cholesky(gram + 1e-5 * eye)
    return torch.cholesky_solve((atoms @ points.unsqueeze(-1)), factor).squeeze(-1)


def elastic_net(
    features: Array, ratio: float = 0.9, gamma: float = 200.0, working_set: int = 128,
    rounds: int = 4, layers: int = 200,
) -> sparse.csr_array:  # fmt: skip
    r"""Self-expressive codes of features (N, k) by an elastic net: sparse (N, N).

    .. math:: \min_c \tfrac12 ||y_i - \sum_j c_j y_j||^2 + \lambda_i (||c||_1 + \tfrac{1 - r}{2 r}
              ||c||^2), \quad \lambda_i = \max_{j \ne i} |y_i^T y_j| / \gamma

    with r = ``ratio``, on samples of unit norm. The l1 norm keeps codes in one subspace, the
    squared norm connects it. Solved on a working set: the samples closest to y_i, then those that
    violate the optimality of the solution most, for ``rounds`` rounds, with ``layers`` layers of
    FISTA each.

    Raises
    ------
    ValueError for arguments outside their ranges, another shape, or features that are not finite.

    References
    ----------
    C. You, C.-G. Li, D. Robinson, R. Vidal, "Oracle based active set algorithm for scalable elastic
    net subspace clustering", CVPR 2016.
    """
    if not 0 < ratio <= 1 or not gamma > 1:
        raise ValueError(f"need 0 < ratio <= 1 and gamma > 1, not {ratio} and {gamma}")
    points = _unit(features)
    size = min(check_count(working_set, "working_set", least=1), len(points) - 1)

    def express(here: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
        rows = torch.arange(len(here))
        closeness = (here @ points.T).abs_()
        closeness[rows, among] = -1
        lambda_ = closeness.amax(1, keepdim=True).clamp_min(1e-12) / gamma
        ridge = lambda_ * (1 - ratio) / ratio
        chosen = closeness.topk(size, sorted=False).indices
        values = torch.zeros(chosen.shape, dtype=points.dtype)
        for number in range(rounds):
            atoms = points[chosen]
            values = _elastic_net(atoms, here, lambda_, ridge, values, layers)
            if number == rounds - 1 or size == len(points) - 1:
                break
            residual = here - torch.einsum("bk,bkn->bn", values, atoms)
            slack = (residual @ points.T).abs_().sub_(lambda_)
            slack[rows, among] = -1
            # What is in use stays; the rest makes room for the worst violations.
            slack[rows.unsqueeze(1), chosen] = torch.where(values != 0, torch.inf, -1)
            order = slack.topk(size, sorted=False)
            if not ((order.values > 0.01 * lambda_) & order.values.isfinite()).any():
                break
            dense = torch.zeros_like(slack).scatter_(1, chosen, values)
            chosen = order.indices
            values = dense.gather(1, chosen)
        return chosen, values

    return _blockwise(points, express, "elastic net")


def _elastic_net(atoms, points, lambda_, ridge, codes, layers) -> Tensor:
    """FISTA with restarts from ``codes`` (B, k) on 1/2 ||y - D^T c||^2 + penalties."""
    gram = atoms @ atoms.mT
    correlation = (atoms @ points.unsqueeze(-1)).squeeze(-1)
    # A bound on the largest eigenvalue of a symmetric matrix.
    lipschitz = torch.linalg.matrix_norm(gram @ gram).sqrt().unsqueeze(-1) + ridge
    step, point, t = 1 / lipschitz, codes, torch.ones_like(lambda_)
    for _ in range(layers):
        slope = (gram @ point.unsqueeze(-1)).squeeze(-1) - correlation + ridge * point
        v = point - step * slope
        new = v - v.clamp(-step * lambda_, step * lambda_)
        moved = new - codes
        # Where the momentum points uphill it starts again (O'Donoghue & Candes 2015).
        uphill = ((point - new) * moved).sum(1, keepdim=True) > 0
        t = torch.where(uphill, 1, t)
        t_new = (1 + (1 + 4 * t * t).sqrt()) / 2
        point, codes, t = new + (t - 1) / t_new * moved, new, t_new
    return codes


def _unit(features: Array) -> Tensor:
    points = as_tensor(features, "features").detach().cpu()
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"features must have shape (N, k), not {tuple(points.shape)}")
    require_finite(points)
    return torch.nn.functional.normalize(points, dim=1)


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
    """Symmetric graph (|C| + |C|^T) / 2, the rows of C scaled to unit norm first: (N, N)."""
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
