"""Clustering of codes and its metrics. Labels enter only the metrics."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.metrics import adjusted_rand_score, confusion_matrix, normalized_mutual_info_score

ALGORITHMS = ("kmeans", "spectral")


def cluster(
    features: np.ndarray, clusters: int, algorithm: str, seed: int, neighbors: int = 10
) -> np.ndarray:
    """Cluster features (N, k) into labels (N,) by ``kmeans`` or ``spectral``.

    ``spectral`` works on a ``neighbors``-nearest-neighbour graph. ValueError if a feature is not
    finite, if there are fewer samples than clusters, or for an unknown algorithm.
    """
    if not np.isfinite(features).all():
        raise ValueError("features contain NaN or infinite values")
    if len(features) < clusters:
        raise ValueError(f"{len(features)} samples cannot form {clusters} clusters")
    if algorithm == "kmeans":
        return KMeans(clusters, n_init=10, random_state=seed).fit_predict(features)
    if algorithm == "spectral":
        return spectral_clusters(features, clusters, neighbors, seed)
    raise ValueError(f"unknown algorithm {algorithm!r}; known are {', '.join(ALGORITHMS)}")


def spectral_clusters(features: np.ndarray, clusters: int, neighbors: int, seed: int) -> np.ndarray:
    """Spectral clustering on a symmetrised ``neighbors``-nearest-neighbour graph: labels (N,)."""
    return SpectralClustering(
        clusters,
        affinity="nearest_neighbors",
        n_neighbors=min(neighbors, len(features)),
        assign_labels="kmeans",
        random_state=seed,
    ).fit_predict(features)


def scores(labels: np.ndarray, clusters: np.ndarray) -> dict[str, float]:
    """``acc`` (best one-to-one matching, Hungarian), ``nmi`` and ``ari`` of a clustering."""
    return {
        "acc": accuracy(labels, clusters),
        "nmi": float(normalized_mutual_info_score(labels, clusters)),
        "ari": float(adjusted_rand_score(labels, clusters)),
    }


def accuracy(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Fraction of samples whose cluster is matched to their label, under the best matching."""
    counts = confusion_matrix(labels, clusters)
    return float(counts[linear_sum_assignment(counts, maximize=True)].sum() / len(labels))


def nonnegative_normalized(codes: np.ndarray) -> np.ndarray:
    """The paper's "codes+": absolute values scaled to sum to 1 (a zero code stays zero)."""
    codes = np.abs(codes)
    total = codes.sum(-1, keepdims=True)
    return codes / np.where(total > 0, total, 1)
