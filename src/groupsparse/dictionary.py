"""Dictionaries A of shape (..., n, m): normalisation, perturbation, coherence, initialisation.

The m columns are atoms; group g holds the ``group_size`` consecutive atoms from g * group_size.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from sklearn.cluster import KMeans, SpectralClustering
from torch import Tensor


def normalize_columns(dictionary: Tensor) -> Tensor:
    """Scale every atom to unit Euclidean norm (a zero atom stays zero): (..., n, m) -> same."""
    return torch.nn.functional.normalize(dictionary, dim=-2)


def perturb(dictionary: Tensor, correlation: float, generator: torch.Generator) -> Tensor:
    r"""Init of Experiment 1: A + B with i.i.d. Gaussian B, not normalised.

    For unit atoms, ``sigma_B = sqrt((1 / correlation**2 - 1) / n)`` makes the expected cosine
    between an atom and its perturbed version about ``correlation``, in (0, 1].
    """
    if not 0 < correlation <= 1:
        raise ValueError(f"correlation must be in (0, 1], not {correlation}")
    sigma = math.sqrt((1 / correlation**2 - 1) / dictionary.shape[-2])
    return dictionary + sigma * torch.randn(dictionary.shape, generator=generator)


def coherence(dictionary: Tensor) -> Tensor:
    """mu = max_{i != j} |a_i^T a_j|, for unit atoms in [0, 1]: (..., n, m) -> (...)."""
    gram = (dictionary.mT @ dictionary).abs()
    return (gram - torch.diag_embed(gram.diagonal(dim1=-2, dim2=-1))).amax((-2, -1))


def block_coherence(dictionary: Tensor, group_size: int) -> Tensor:
    """mu_B = max_{g != h} ||A_g^T A_h||_2 / d (eq. 3): (..., n, m) -> (...)."""
    groups = dictionary.shape[-1] // group_size
    gram = dictionary.mT @ dictionary
    blocks = gram.unflatten(-1, (groups, group_size)).unflatten(-3, (groups, group_size))
    norms = torch.linalg.matrix_norm(blocks.transpose(-3, -2), ord=2)
    return (norms - torch.diag_embed(norms.diagonal(dim1=-2, dim2=-1))).amax((-2, -1)) / group_size


def squared_spectral_norm(dictionary: Tensor) -> Tensor:
    """||A||_2^2, the Lipschitz constant L of x -> A^T (A x - y): (..., n, m) -> (...)."""
    n, m = dictionary.shape[-2:]
    gram = dictionary @ dictionary.mT if n < m else dictionary.mT @ dictionary
    return torch.linalg.eigvalsh(gram)[..., -1]


def initialize(
    name: str, data: Tensor, groups: int, group_size: int, seed: int, labels: Tensor | None = None
) -> Tensor:
    """Unit-norm initial dictionary (n, groups * group_size) for data (N, n).

    ``random``: Gaussian atoms. ``data``: random samples. ``kmeans`` and ``spectral``: the data
    is clustered into ``groups`` clusters and the atoms of a group are random samples of its
    cluster. ``class``: the same with the true ``labels`` (not unsupervised).

    Raises
    ------
    ValueError for an unknown name, for ``class`` without labels, or with too few samples.
    """
    if name not in INITS:
        raise ValueError(f"unknown init {name!r}; known are {', '.join(INITS)}")
    if len(data) < groups * group_size:
        raise ValueError(f"{len(data)} samples cannot initialise {groups * group_size} atoms")
    atoms = INITS[name](data, groups, group_size, np.random.default_rng(seed), labels)
    return normalize_columns(torch.as_tensor(atoms, dtype=data.dtype).T)


def _random(data, groups, group_size, rng, labels):
    return rng.standard_normal((groups * group_size, data.shape[1]))


def _data(data, groups, group_size, rng, labels):
    return data.numpy()[rng.choice(len(data), groups * group_size, replace=False)]


def _kmeans(data, groups, group_size, rng, labels):
    seed = int(rng.integers(2**31))
    clusters = KMeans(groups, n_init=10, random_state=seed).fit_predict(data.numpy())
    return _per_cluster(data, clusters, groups, group_size, rng)


def _spectral(data, groups, group_size, rng, labels, most=5000, neighbors=10):
    data = data[rng.permutation(len(data))[:most]]
    clusters = spectral_clusters(data.numpy(), groups, neighbors, int(rng.integers(2**31)))
    return _per_cluster(data, clusters, groups, group_size, rng)


def _class(data, groups, group_size, rng, labels):
    if labels is None:
        raise ValueError("init 'class' needs labels")
    return _per_cluster(data, labels.numpy(), groups, group_size, rng)


def _per_cluster(data, clusters, groups, group_size, rng):
    members = [np.flatnonzero(clusters == g) for g in range(groups)]
    # A cluster smaller than a group repeats its samples; an empty one takes any sample.
    members = [i if len(i) else np.arange(len(data)) for i in members]
    chosen = [rng.choice(i, group_size, replace=len(i) < group_size) for i in members]
    return data.numpy()[np.concatenate(chosen)]


def spectral_clusters(features: np.ndarray, clusters: int, neighbors: int, seed: int) -> np.ndarray:
    """Spectral clustering on a symmetrised ``neighbors``-nearest-neighbour graph: labels (N,)."""
    return SpectralClustering(
        clusters,
        affinity="nearest_neighbors",
        n_neighbors=min(neighbors, len(features)),
        assign_labels="kmeans",
        random_state=seed,
    ).fit_predict(features)


INITS: dict[str, Callable] = {
    "random": _random,
    "data": _data,
    "kmeans": _kmeans,
    "spectral": _spectral,
    "class": _class,
}
SUPERVISED_INITS = ("class",)
