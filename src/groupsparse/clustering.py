"""Clustering of codes and its metrics. Labels enter only the metrics."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.linalg import eigh
from scipy.sparse.linalg import eigsh
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, confusion_matrix, normalized_mutual_info_score

from groupsparse.groups import Size, group_norms
from groupsparse.matching import best_matching
from groupsparse.metrics import active_per_sample

ALGORITHMS = ("kmeans", "spectral")
DENSE = 2000  # up to this many samples an exact solver for all eigenvectors is cheap


def cluster(
    features: np.ndarray, clusters: int, algorithm: str, seed: int, neighbors: int = 10
) -> np.ndarray:
    """Cluster features (N, k) into labels (N,) by ``kmeans`` or ``spectral``.

    ``spectral`` works on a ``neighbors``-nearest-neighbour graph. ValueError if a feature is not
    finite, if there are fewer samples than clusters, or for an unknown algorithm.

    Examples
    --------
    >>> found = cluster(np.array([[0.0], [0.1], [5.0], [5.1]]), 2, "kmeans", seed=0)
    >>> accuracy(np.array([0, 0, 1, 1]), found)
    1.0
    """
    features = _array(features)
    if not np.isfinite(features).all():
        raise ValueError("features contain NaN or infinite values")
    if len(features) < clusters:
        raise ValueError(f"{len(features)} samples cannot form {clusters} clusters")
    if algorithm == "kmeans":
        return kmeans_clusters(features, clusters, seed)
    if algorithm == "spectral":
        return spectral_clusters(features, clusters, neighbors, seed)
    raise ValueError(f"unknown algorithm {algorithm!r}; known are {', '.join(ALGORITHMS)}")


def _array(values: ArrayLike) -> np.ndarray:
    return np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values)


def kmeans_clusters(features: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """k-means (k-means++ starts, the best of 10): labels (N,)."""
    # Elkan's bounds give Lloyd's iterates; on 10,000 x 784 they save a quarter of the time.
    means = KMeans(clusters, n_init=10, algorithm="elkan", random_state=seed)
    return means.fit_predict(features)


def spectral_clusters(features: np.ndarray, clusters: int, neighbors: int, seed: int) -> np.ndarray:
    """Spectral clustering on a symmetrised ``neighbors``-nearest-neighbour graph: labels (N,).

    k-means of the rows of :func:`spectral_embedding`, as scikit-learn's ``SpectralClustering``.
    """
    graph = neighbor_graph(features, min(neighbors, len(features)))
    return kmeans_clusters(spectral_embedding(graph, clusters, seed), clusters, seed)


def neighbor_graph(features: np.ndarray, neighbors: int, block: int = 1000) -> sparse.csr_array:
    r"""Nearest-neighbour graph W = (C + C^T) / 2 without self-loops: sparse, (N, N), symmetric.

    C_ij is 1 if x_j is one of the ``neighbors`` samples nearest to x_i, which counts itself. The
    search is by brute force, ``block`` samples at a time, in the precision of the features.
    """
    # Distances do not depend on the origin; near it, their expansion loses the fewest digits.
    points = torch.as_tensor(features - features.mean(0))
    samples, others = len(points), neighbors - 1
    energy = points.square().sum(1) / 2
    columns = torch.empty((samples, others), dtype=torch.int32)
    for start in range(0, samples, block):
        closeness = points[start : start + block] @ points.T - energy
        closeness.diagonal(start).fill_(-torch.inf)
        columns[start : start + block] = closeness.topk(others, sorted=False).indices
    indptr = np.arange(samples + 1, dtype=np.int32) * others
    content = np.full(columns.numel(), 0.5), columns.flatten().numpy(), indptr
    directed = sparse.csr_array(content, shape=(samples, samples))
    return (directed + directed.T).tocsr()


def spectral_embedding(graph: sparse.csr_array, components: int, seed: int) -> np.ndarray:
    r"""Bottom eigenvectors of the random-walk Laplacian of a graph W (N, N): (N, components).

    .. math:: D^{-1/2} u,   u top eigenvectors of D^{-1/2} W D^{-1/2},   D = diag(W 1)

    These are the u of the smallest eigenvalues of the normalised Laplacian (the constant vector
    included). Asking for the largest end needs products with W alone; scikit-learn's shift-invert
    factorises the Laplacian, out of reach with 1,000 neighbours of 10,000 samples.
    """
    samples = graph.shape[0]
    # An isolated sample has degree 0 and its row stays zero; the least degree otherwise is 1/2.
    scale = 1 / np.sqrt(np.maximum(graph.sum(1), 0.5))
    matrix = sparse.diags_array(scale) @ graph @ sparse.diags_array(scale)
    if samples <= DENSE:
        _, vectors = eigh(matrix.toarray(), subset_by_index=[samples - components, samples - 1])
    else:
        start = np.random.default_rng(seed).uniform(-1, 1, samples)
        _, vectors = eigsh(matrix, components, which="LA", v0=start)
    return vectors[:, ::-1] * scale[:, None]


def agreement(clusterings: Sequence[np.ndarray]) -> list[float]:
    """Mean adjusted Rand index of each clustering (N,) with all others; none for a single one.

    1 if all are the same up to the names of clusters, 0 on average by chance. It needs no labels.

    Examples
    --------
    >>> agreement([np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])])
    [1.0, 1.0]
    """
    if len(clusterings) < 2:
        return []
    pairs = np.array([[adjusted_rand_score(a, b) for b in clusterings] for a in clusterings])
    np.fill_diagonal(pairs, 0)
    return (pairs.sum(1) / (len(clusterings) - 1)).tolist()


def class_contrast(features: np.ndarray, labels: np.ndarray, per_class: int = 100) -> float:
    """Mean distance between classes / within classes, of the first ``per_class`` samples of each.

    What Fig. 5 shows as a picture: 1 if distances know nothing of the classes. Labels enter here
    as in any metric. All pairs count, equal samples too. Infinite if the samples of every class
    coincide; NaN if all samples do, and without two classes or two samples in one.
    """
    chosen = np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in np.unique(labels)])
    distances = cdist(features[chosen], features[chosen])
    same = labels[chosen][:, None] == labels[chosen]
    pairs = ~np.eye(len(chosen), dtype=bool)
    between, within = distances[~same], distances[same & pairs]
    if not (len(between) and len(within)):
        return float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(between.mean() / within.mean())


def scores(labels: np.ndarray, clusters: np.ndarray) -> dict[str, float]:
    """``acc`` (best one-to-one matching, Hungarian), ``nmi`` and ``ari`` of a clustering."""
    return {
        "acc": accuracy(labels, clusters),
        "nmi": float(normalized_mutual_info_score(labels, clusters)),
        "ari": float(adjusted_rand_score(labels, clusters)),
    }


def accuracy(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Fraction of samples whose cluster is matched to their label, under the best matching.

    Examples
    --------
    >>> accuracy(np.array([0, 0, 1, 1]), np.array([7, 7, 7, 3]))
    0.75
    """
    counts = confusion_matrix(labels, clusters)
    return float(counts[best_matching(counts)].sum() / len(labels))


def consensus(partitions: ArrayLike, clusters: int) -> tuple[np.ndarray, np.ndarray]:
    """Vote of partitions (S, N): labels (N,) and the share of the votes that they have (N,).

    Clusters are matched one to one to those of the partition that agrees most with the others
    (Hungarian matching), so no label of a class is needed. Ties go to the smaller number.

    Examples
    --------
    >>> consensus([[0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 1]], clusters=2)[0]
    array([0, 0, 1, 1])
    """
    partitions = np.asarray(partitions)
    if partitions.ndim != 2 or not ((partitions >= 0) & (partitions < clusters)).all():
        raise ValueError(f"partitions must have shape (S, N) and entries in 0..{clusters - 1}")
    agreements = [sum(accuracy(one, other) for other in partitions) for one in partitions]
    reference = partitions[int(np.argmax(agreements))]
    votes = np.zeros((clusters, partitions.shape[1]))
    for partition in partitions:
        counts = confusion_matrix(reference, partition, labels=np.arange(clusters))
        matched, own = best_matching(counts)
        names = np.empty(clusters, dtype=int)
        names[own] = matched
        votes[names[partition], np.arange(partitions.shape[1])] += 1
    return votes.argmax(0), votes.max(0) / len(partitions)


def nonnegative_normalized(codes: np.ndarray) -> np.ndarray:
    """The paper's "codes+": absolute values scaled to sum to 1 (a zero code stays zero)."""
    codes = np.abs(_array(codes))
    total = codes.sum(-1, keepdims=True)
    return codes / np.where(total > 0, total, 1)


def active_group(codes: torch.Tensor, group_size: Size) -> np.ndarray:
    """The group of largest norm in every code, as a clustering: (N, m) -> (N,).

    It needs no algorithm. Codes of zeros have no active group: they are a cluster of their own, -1.

    Examples
    --------
    >>> active_group(torch.tensor([[3.0, 0, 2.5, 2.5], [-2, 0, 1, 1], [0, 0, 0, 0]]), 2)
    array([ 1,  0, -1])
    """
    strongest = group_norms(codes, group_size).argmax(-1)
    return torch.where((codes != 0).any(-1), strongest, -1).cpu().numpy()


def sparsity(codes: np.ndarray, group_size: Size) -> dict[str, float]:
    """How sparse codes (N, groups * group_size) are.

    ``active_entries`` and ``zero_codes``: fractions of nonzero entries and of samples without
    any; ``dead_atoms``: fraction of atoms that no sample uses; ``active_groups``: mean number of
    groups per sample with a nonzero entry.
    """
    active = _array(codes) != 0
    return {
        "active_entries": float(active.mean()),
        "zero_codes": float((~active.any(1)).mean()),
        "dead_atoms": float((~active.any(0)).mean()),
        "active_groups": active_per_sample(active.astype(float), group_size),
    }
