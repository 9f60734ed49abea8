"""What codes and dictionaries are like, for any model: nothing here needs the truth.

Metrics of recovery, which do, are in :mod:`groupsparse.recovery`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor
from groupsparse.dictionary import normalize_columns
from groupsparse.groups import Size, active, split_groups
from groupsparse.recovery import group_overlaps


def explained_variance(data: Array, reconstruction: Array) -> float:
    r"""Share of the variance that a reconstruction explains: (N, n), (N, n) -> at most 1.

    .. math:: 1 - \frac{\sum_i ||y_i - \hat y_i||^2}{\sum_i ||y_i - \bar y||^2}

    Also known as the fraction of variance explained, or R^2 over all entries. -inf if the data
    have no variance and are not reconstructed.

    Examples
    --------
    >>> data = torch.tensor([[0.0, 2.0], [2.0, 0.0]])
    >>> explained_variance(data, data / 2 + 0.5)
    0.75
    """
    data, reconstruction = _pair(data, reconstruction)
    error = float((data - reconstruction).double().square().sum())
    variance = float((data - data.double().mean(0)).square().sum())
    return 1 - error / variance if variance else (-torch.inf if error else 1.0)


def relative_bias(data: Array, reconstruction: Array) -> float:
    r"""How far a reconstruction is shrunk: below 1 it is too small.

    .. math:: \gamma = \frac{\sum_i ||\hat y_i||^2}{\sum_i \langle \hat y_i, y_i \rangle},

    the factor for which :math:`\hat y / \gamma` has the least error. Codes by least squares have
    exactly 1. NaN if nothing is reconstructed.

    References
    ----------
    S. Rajamanoharan et al., "Improving dictionary learning with gated sparse autoencoders"
    (arXiv 2404.16014).

    Examples
    --------
    >>> relative_bias([[4.0, 2.0]], [[3.0, 1.5]])
    0.75
    """
    data, reconstruction = _pair(data, reconstruction)
    along = float((data.double() * reconstruction).sum())
    power = float(reconstruction.double().square().sum())
    return power / along if along else torch.nan


def firing_rates(codes: Array, group_size: Size) -> Tensor:
    """Share of the samples in which each group is active: (N, m) -> (m / group_size,).

    Examples
    --------
    >>> firing_rates([[0.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 3.0]], 2)
    tensor([1.0000, 0.5000])
    """
    return active(_samples(codes), group_size).float().mean(0)


def active_per_sample(codes: Array, group_size: Size) -> float:
    """Mean number of groups that are active in a sample; L0 for groups of one.

    Examples
    --------
    >>> active_per_sample([[0.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 3.0]], 2)
    1.5
    """
    return float(active(_samples(codes), group_size).double().sum(-1).mean())


def dead_groups(codes: Array, group_size: Size, least: float = 0.0) -> Tensor:
    """Indices of the groups that are active in at most a share ``least`` of the samples.

    Examples
    --------
    >>> dead_groups([[0.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]], 2)
    tensor([1])
    """
    return (firing_rates(codes, group_size) <= least).nonzero().flatten()


def effective_ranks(codes: Array, group_size: Size) -> Tensor:
    r"""How many directions of its group the codes use: (N, m) -> (m / group_size,), in [1, d].

    .. math:: (\sum_j \lambda_j)^2 / \sum_j \lambda_j^2

    with the eigenvalues of the second moment of the codes of a group: the participation ratio. It
    is d if all directions have the same energy, and 1 if a single atom would do. The atoms of a
    group are taken to be orthonormal, else the codes depend on the basis. NaN for a dead group.

    Examples
    --------
    >>> effective_ranks([[1.0, 1.0, 1.0, 0.0], [2.0, 2.0, 0.0, 1.0]], 2)
    tensor([1., 2.], dtype=torch.float64)
    """
    groups = split_groups(_samples(codes), group_size).double().transpose(0, 1)  # (G, N, d)
    values = torch.linalg.eigvalsh(groups.mT @ groups)
    return values.sum(-1).square() / values.square().sum(-1)


def max_cosines(dictionary: Array, other: Array | None = None) -> Tensor:
    """Largest ``|cosine|`` of each atom with an atom of another dictionary: (n, m), (n, k) -> (m,).

    Without another one: with the other atoms of the same, where 1 is an atom that is there twice.

    Examples
    --------
    >>> max_cosines(torch.tensor([[1.0, 0.0, 0.6], [0.0, 1.0, 0.8]]))
    tensor([0.6000, 0.8000, 0.8000])
    """
    atoms = normalize_columns(as_tensor(dictionary, "dictionary"))
    others = atoms if other is None else normalize_columns(as_tensor(other, "other", like=atoms))
    cosines = (atoms.mT @ others).abs()
    return (cosines.fill_diagonal_(0) if other is None else cosines).amax(-1)


def stability(dictionaries: Sequence[Array], group_size: int) -> float:
    """How far trainings agree: mean overlap of matched groups over all pairs of dictionaries.

    The overlap of two groups is the mean squared cosine of their principal angles
    (:func:`groupsparse.recovery.group_overlaps`): 1 for the same span. Two random groups of d atoms
    in n dimensions have d / n. ValueError for fewer than two dictionaries (n, m) of one shape.

    Examples
    --------
    >>> stability([torch.eye(4), torch.eye(4)[:, [2, 3, 1, 0]], torch.eye(4)], group_size=2)
    1.0
    """
    if len(dictionaries) < 2:
        raise ValueError(f"stability needs at least two dictionaries, not {len(dictionaries)}")
    pairs = combinations(dictionaries, 2)
    return float(torch.stack([group_overlaps(a, b, group_size).mean() for a, b in pairs]).mean())


def _samples(codes: Array) -> Tensor:
    codes = as_tensor(codes, "codes")
    if codes.ndim != 2:
        raise ValueError(f"codes must have shape (N, m), not {tuple(codes.shape)}")
    return codes


def _pair(data: Array, reconstruction: Array) -> tuple[Tensor, Tensor]:
    data, reconstruction = as_tensor(data), as_tensor(reconstruction, "reconstruction")
    if data.shape != reconstruction.shape or data.ndim != 2:
        shapes = f"{tuple(data.shape)} and {tuple(reconstruction.shape)}"
        raise ValueError(f"data and reconstruction must have one shape (N, n), not {shapes}")
    return data, reconstruction
