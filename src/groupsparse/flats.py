"""Clusters that are flats: each a mean and a group of orthonormal atoms."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

STILL = 1e-3  # share of samples that change their flat at which a fit ends


class Flats(NamedTuple):
    """``means`` (K, n) and ``atoms`` (K, n, d), orthonormal within a flat."""

    means: Tensor
    atoms: Tensor

    def energies(self, data: Tensor) -> Tensor:
        r"""Squared distance of samples (N, n) from every flat: (N, K).

        .. math:: E_k(y) = ||y - \mu_k||^2 - ||Q_k^T (y - \mu_k)||^2

        Examples
        --------
        >>> axes = Flats(torch.zeros(2, 2), torch.eye(2).unsqueeze(-1))
        >>> axes.energies(torch.tensor([[3.0, 1.0]]))
        tensor([[1., 9.]])
        """
        found = []
        for mean, atoms in zip(*self, strict=True):
            rest = data - mean
            left = rest.square().sum(-1) - (rest @ atoms).square().sum(-1)
            found.append(left.clamp_min(0))
        return torch.stack(found, -1)


class Fitted(NamedTuple):
    """What :func:`fit_flats` returns: flats, the one of each sample (N,), and its passes."""

    flats: Flats
    labels: Tensor
    passes: int


def fit_flats(
    data: Tensor, labels: Tensor, count: int, dimension: int, centered: bool, passes: int
) -> Fitted:
    """Alternate between flats of given samples and the nearest flat of each sample.

    Both steps are exact, so the sum of the energies falls. A flat that has lost its samples takes
    the sample that is furthest from its own, of those that are not alone in theirs.

    Parameters
    ----------
    data : (N, n), at least ``count`` samples
    labels : clusters to begin with (N,), from 0 to count - 1
    dimension : d, below n if any flat is to be told from another
    centered : whether each flat has a mean of its own; otherwise it goes through 0

    References
    ----------
    P. S. Bradley, O. L. Mangasarian, "k-plane clustering", J. Global Optim. 16 (2000).
    """
    for number in range(1, passes + 1):  # noqa: B007
        flats = flats_of(data, labels, count, dimension, centered)
        energies = flats.energies(data)
        nearest = energies.argmin(-1)
        lost = (torch.bincount(nearest, minlength=count) == 0).nonzero().flatten()
        own = energies.gather(1, nearest.unsqueeze(1)).squeeze(1)
        for flat in lost:
            alone = torch.bincount(nearest, minlength=count)[nearest] < 2
            nearest[own.masked_fill(alone, -1).argmax()] = flat
        moved = (nearest != labels).double().mean()
        labels = nearest
        if moved < STILL:
            break
    return Fitted(flats_of(data, labels, count, dimension, centered), labels, number)


def flats_of(data: Tensor, labels: Tensor, count: int, dimension: int, centered: bool) -> Flats:
    """The flats that fit the samples of each cluster best: mean and principal directions.

    A cluster without samples has the mean of all and atoms of zeros.
    """
    means, atoms = [], []
    for k in range(count):
        own = data[labels == k]
        if not len(own):
            means.append(data.mean(0) if centered else torch.zeros_like(data[0]))
            atoms.append(data.new_zeros(data.shape[1], dimension))
            continue
        mean = own.mean(0) if centered else torch.zeros_like(data[0])
        rest = (own - mean).double()
        # Of the fewer of the two: eigenvectors of the second moment, or singular vectors.
        if len(rest) < rest.shape[1]:
            vectors = torch.linalg.svd(rest, full_matrices=len(rest) < dimension).Vh.mT
        else:
            vectors = torch.linalg.eigh(rest.mT @ rest).eigenvectors.flip(-1)
        means.append(mean)
        atoms.append(vectors[:, :dimension].to(data))
    return Flats(torch.stack(means), torch.stack(atoms))
