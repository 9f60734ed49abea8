"""Where mixtures start: clusters of a sample of images, and their images as atoms.

Every start but ``pca`` and ``random`` is a clustering. Atoms of a component are images of its
cluster, each without its own mean, at unit norm.
"""

import torch
from torch import Tensor

from groupsparse.clustering import kmeans_clusters, neighbor_graph
from groupsparse.init import initialize
from groupsparse.seeds import derive_seed, generator
from groupsparse.subspaces import (
    affinity,
    elastic_net,
    graph_clusters,
    orthogonal_matching_pursuit,
    shared_neighbors,
)
from mixtures.conditions import LABELLED

NONZERO = 5  # images that express an image
FEW_NEIGHBORS = 10  # of the graph of features
NEIGHBORS = 1000  # of the graph of pixels, at most half of the sample


def clusters_of(
    start: str, pixels: Tensor, features: Tensor, labels: Tensor | None, count: int, seed: int
) -> Tensor:
    """Clusters (S,) of a sample, from pixels (S, n) or features (S, k); labels only by ``class``.

    ``ssc``: sparse subspace clustering of the features, which are centred and keep their norms, so
    that large ones are preferred, as in the public code of MixMate. ``ensc``: by an elastic net,
    the graph of the nearest codes. ``neighbors``: the graph of the nearest features.
    ``kmeans`` and ``spectral``: of pixels. ``any``: at random.
    """
    if start == LABELLED:
        return torch.unique(labels, return_inverse=True)[1]
    if start == "any":
        return torch.randint(count, (len(pixels),), generator=generator(seed, "any"))
    if start == "ssc":
        codes = orthogonal_matching_pursuit(features - features.mean(0), NONZERO)
        found = graph_clusters(affinity(codes), count, seed)
    elif start == "ensc":
        graph = shared_neighbors(elastic_net(features - features.mean(0)))
        found = graph_clusters(graph, count, seed)
    elif start == "neighbors":
        found = graph_clusters(neighbor_graph(features.numpy(), FEW_NEIGHBORS), count, seed)
    elif start == "kmeans":
        found = kmeans_clusters(pixels.numpy(), count, seed)
    elif start == "spectral":
        neighbors = min(NEIGHBORS, len(pixels) // 2)
        found = graph_clusters(neighbor_graph(pixels.numpy(), neighbors), count, seed)
    else:
        raise ValueError(f"unknown start {start!r}")
    return torch.from_numpy(found).long()


def dictionary_of(clusters: Tensor, pixels: Tensor, count: int, atoms: int, seed: int) -> Tensor:
    """Dictionaries (K, n, h) whose atoms are random images of every cluster.

    A cluster with fewer images repeats them, with noise of a tenth of their norm, so that two of
    its atoms can part. An empty cluster takes any images.
    """
    noise = generator(seed, "atoms")
    images = pixels - pixels.mean(1, keepdim=True)
    images = torch.nn.functional.normalize(images, dim=1)
    parts = []
    for k in range(count):
        members = (clusters == k).nonzero().flatten()
        members = members if len(members) else torch.arange(len(images))
        members = members[torch.randperm(len(members), generator=noise)]
        chosen = images[members.repeat(-(-atoms // len(members)))[:atoms]]
        again = torch.randn(chosen.shape, generator=noise) * 0.1 / chosen.shape[1] ** 0.5
        again[: len(members)] = 0
        parts.append(torch.nn.functional.normalize(chosen + again, dim=1).mT)
    return torch.stack(parts)


def without_clusters(start: str, pixels: Tensor, count: int, atoms: int, seed: int) -> Tensor:
    """Dictionaries (K, n, h) of a start that clusters nothing: ``pca`` or ``random``."""
    flat = initialize(start, pixels, count, atoms, derive_seed(seed, start))
    return flat.unflatten(-1, (count, atoms)).permute(1, 0, 2).contiguous()
