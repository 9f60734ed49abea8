"""Dictionaries A of shape (..., n, m): normalisation, perturbation, coherence.

The m columns are atoms; group g holds the ``group_size`` consecutive atoms from g * group_size.
"""

import math

import torch
from torch import Tensor


def normalize_columns(dictionary: Tensor) -> Tensor:
    """Scale every atom to unit Euclidean norm (a zero atom stays zero): (..., n, m) -> same."""
    return torch.nn.functional.normalize(dictionary, dim=-2)


def perturb(
    dictionary: Tensor, correlation: float, generator: torch.Generator, normalized: bool = False
) -> Tensor:
    r"""Init of Experiment 1: A + B with i.i.d. Gaussian B, its columns ``normalized`` or not.

    For unit atoms, ``sigma_B = sqrt((1 / correlation**2 - 1) / n)`` makes the expected cosine
    between an atom and its perturbed version about ``correlation``, in (0, 1], and its norm about
    1 / correlation unless it is normalised.
    """
    if not 0 < correlation <= 1:
        raise ValueError(f"correlation must be in (0, 1], not {correlation}")
    sigma = math.sqrt((1 / correlation**2 - 1) / dictionary.shape[-2])
    perturbed = dictionary + sigma * torch.randn(dictionary.shape, generator=generator)
    return normalize_columns(perturbed) if normalized else perturbed


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
