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


def orthonormalize_groups(dictionary: Tensor, group_size: int) -> Tensor:
    """Orthonormal basis of the span of every group, A_g^T A_g = I: (..., n, m) -> same."""
    return from_blocks(torch.linalg.qr(blocks(dictionary, group_size)).Q)


def tilt_groups(
    dictionary: Tensor, delta: float, group_size: int, generator: torch.Generator
) -> Tensor:
    r"""Turn every orthonormal group out of its span until ||A_g - A*_g||_F = delta.

    .. math:: A_g = \cos\theta A^*_g + \sin\theta Q_g,  \cos\theta = 1 - \delta^2 / (2 d)

    with Q_g random, orthonormal and orthogonal to A*_g, so that A_g^T A_g = I and every alpha_i is
    cos(theta). (n, m) -> same; delta in [0, sqrt(2 d)], n >= 2 d.
    """
    if not 0 <= delta <= math.sqrt(2 * group_size):
        raise ValueError(f"delta must be in [0, sqrt(2 d)], not {delta}")
    truth = blocks(dictionary, group_size)
    noise = torch.randn(truth.shape, generator=generator, dtype=truth.dtype)
    away = torch.linalg.qr(noise - truth @ (truth.mT @ noise)).Q
    cosine = 1 - delta**2 / (2 * group_size)
    return from_blocks(cosine * truth + math.sqrt(1 - cosine**2) * away)


def blocks(dictionary: Tensor, group_size: int) -> Tensor:
    """The groups A_g as a dimension: (..., n, m) -> (..., m / group_size, n, group_size)."""
    return dictionary.unflatten(-1, (-1, group_size)).transpose(-3, -2)


def from_blocks(groups: Tensor) -> Tensor:
    """Inverse of :func:`blocks`: (..., G, n, d) -> (..., n, G d)."""
    return groups.transpose(-3, -2).flatten(-2)


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
    """||A||_2^2, the Lipschitz constant L of x -> A^T (A x - y): (..., n, m) -> (...).

    FloatingPointError if the dictionary is zero or not finite.
    """
    _require_finite(dictionary)
    n, m = dictionary.shape[-2:]
    gram = dictionary @ dictionary.mT if n < m else dictionary.mT @ dictionary
    return torch.linalg.eigvalsh(gram)[..., -1]


def top_direction(dictionary: Tensor) -> Tensor:
    """Unit right singular vector of the largest singular value: (..., n, m) -> (..., m).

    FloatingPointError if the dictionary is zero or not finite.
    """
    _require_finite(dictionary)
    n, m = dictionary.shape[-2:]
    if n >= m:
        return torch.linalg.eigh(dictionary.mT @ dictionary).eigenvectors[..., -1]
    left = torch.linalg.eigh(dictionary @ dictionary.mT).eigenvectors[..., -1]
    return torch.nn.functional.normalize((left.unsqueeze(-2) @ dictionary).squeeze(-2), dim=-1)


def spectral_bound(
    dictionary: Tensor, direction: Tensor, iterations: int = 2
) -> tuple[Tensor, Tensor]:
    r"""Estimate of ||A||_2^2 from above by power iteration, started at a unit ``direction``.

    .. math:: \rho + ||A^T A v - \rho v||_2, \rho = ||A v||_2^2

    An eigenvalue of A^T A lies within the second term of rho; with v near the top direction, as
    after a small change of A, it is the largest. (..., n, m), (..., m) -> bound (...) and the new
    direction (..., m). Costs 2 (``iterations`` + 1) products with a vector.
    """
    vector = direction.unsqueeze(-1)
    for _ in range(iterations):
        vector = torch.nn.functional.normalize(dictionary.mT @ (dictionary @ vector), dim=-2)
    image = dictionary @ vector
    value = image.square().sum((-2, -1))
    residual = dictionary.mT @ image - value[..., None, None] * vector
    return value + residual.square().sum((-2, -1)).sqrt(), vector.squeeze(-1)


def _require_finite(dictionary: Tensor) -> None:
    energy = dictionary.square().sum((-2, -1))
    if dictionary.is_cpu and not ((energy > 0) & torch.isfinite(energy)).all():
        raise FloatingPointError("the dictionary is zero or not finite")
