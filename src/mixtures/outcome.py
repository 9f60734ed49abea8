"""What a mixture made of images, as arrays to draw: matched clusters, gaps and extreme images."""

import numpy as np
import torch
from torch import Tensor

from groupsparse.matching import best_matching
from groupsparse.mixture import Mixture
from mixtures.methods import BATCH


def confusion(labels: np.ndarray, clusters: np.ndarray, count: int) -> np.ndarray:
    """Images of every class (rows, sorted) in every cluster 0..count-1 (columns)."""
    classes, rows = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(classes), count), dtype=int)
    np.add.at(counts, (rows, clusters), 1)
    return counts


def matched(counts: np.ndarray) -> np.ndarray:
    """Clusters in the order of the classes that they are matched to, then those left: (count,)."""
    _, order = best_matching(counts)
    rest = np.setdiff1d(np.arange(counts.shape[1]), order)
    return np.concatenate([order, rest])


def right(labels: np.ndarray, clusters: np.ndarray, count: int) -> np.ndarray:
    """Whether the cluster of an image is matched to its class, bool (N,)."""
    rows, columns = best_matching(confusion(labels, clusters, count))
    of = np.full(count, -1)
    of[columns] = rows
    return of[clusters] == np.unique(labels, return_inverse=True)[1]


@torch.no_grad()
def energies(model: Mixture, images: Tensor) -> np.ndarray:
    """Energies (N, K) of images by every component."""
    return torch.cat([model.energies(part) for part in images.split(BATCH)]).numpy()


def gaps(values: np.ndarray) -> np.ndarray:
    """Second-least minus least energy of every image, (N,)."""
    least = np.partition(values, 1, axis=1)
    return least[:, 1] - least[:, 0]


def extremes(values: np.ndarray, clusters: np.ndarray, each: int) -> list[np.ndarray]:
    """Images of every cluster by their energy there: the least ``each``, then the most (sorted).

    A cluster with fewer than twice as many has all of its images.
    """
    chosen = []
    for k in range(values.shape[1]):
        members = np.flatnonzero(clusters == k)
        members = members[np.argsort(values[members, k], kind="stable")]
        few = len(members) <= 2 * each
        chosen.append(members if few else np.concatenate([members[:each], members[-each:]]))
    return chosen
