"""Dictionaries A of shape (..., n, m): normalisation, perturbation, coherence.

The m columns are atoms; group g holds the ``group_size`` consecutive atoms from g * group_size.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_groups
from groupsparse.seeds import as_generator

SMALLEST = 1e-12  # norm of an atom that is not zero


def normalize_columns(dictionary: Array) -> Tensor:
    """Scale every atom to unit Euclidean norm (a zero atom stays zero): (..., n, m) -> same.

    Examples
    --------
    >>> normalize_columns(torch.tensor([[3.0, 0.0], [4.0, 0.0]]))
    tensor([[0.6000, 0.0000],
            [0.8000, 0.0000]])
    """
    dictionary = as_tensor(dictionary, "dictionary")
    # In half precision squares would leave the range.
    wide = dictionary.float() if dictionary.dtype.itemsize < 4 else dictionary
    # A norm along rows takes eight times as long as this sum.
    squares = (wide * wide).sum(-2, keepdim=True)
    return (wide / squares.clamp_min(SMALLEST**2).sqrt()).to(dictionary.dtype)


def perturb(
    dictionary: Array,
    correlation: float,
    generator: torch.Generator | int,
    normalized: bool = False,
) -> Tensor:
    r"""Init of Experiment 1: A + B with i.i.d. Gaussian B, its columns ``normalized`` or not.

    For unit atoms, ``sigma_B = sqrt((1 / correlation**2 - 1) / n)`` makes the expected cosine
    between an atom and its perturbed version about ``correlation``, in (0, 1], and its norm about
    1 / correlation unless it is normalised.

    Examples
    --------
    >>> truth = torch.eye(1000)
    >>> near = perturb(truth, correlation=0.8, generator=0, normalized=True)
    >>> round(float((near * truth).sum(0).mean()), 2)
    0.8
    """
    if not 0 < correlation <= 1:
        raise ValueError(f"correlation must be in (0, 1], not {correlation}")
    dictionary, generator = as_tensor(dictionary, "dictionary"), as_generator(generator)
    sigma = math.sqrt((1 / correlation**2 - 1) / dictionary.shape[-2])
    noise = torch.randn(dictionary.shape, generator=generator, dtype=dictionary.dtype)
    perturbed = dictionary + sigma * noise.to(dictionary.device)
    return normalize_columns(perturbed) if normalized else perturbed


def orthonormalize_groups(dictionary: Array, group_size: int) -> Tensor:
    """Orthonormal basis of the span of every group, A_g^T A_g = I: (..., n, m) -> same.

    Linearly dependent atoms span less: what their group lacks is filled up arbitrarily. ValueError
    if a group has more atoms than the n dimensions.
    """
    return from_blocks(torch.linalg.qr(full_blocks(dictionary, group_size)).Q)


def retract_groups(dictionary: Array, group_size: int) -> Tensor:
    r"""Make every group orthonormal by the QR retraction: A_g = Q_g R_g -> Q_g.

    The diagonal of R_g is positive. That makes Q_g unique, and near A_g where A_g is nearly
    orthonormal: after a small step it is a small step, with no flip of an atom. Q_g has the span of
    A_g, and an orthonormal A_g stays as it is. (..., n, m) -> same; errors as in
    :func:`orthonormalize_groups`.

    References
    ----------
    P.-A. Absil, R. Mahony, R. Sepulchre, "Optimization algorithms on matrix manifolds" (2008),
    Example 4.1.3.

    Examples
    --------
    >>> retract_groups(torch.tensor([[3.0, 4.0], [4.0, -3.0]]), 2)
    tensor([[ 0.6000,  0.8000],
            [ 0.8000, -0.6000]])
    """
    return from_blocks(positive_qr(full_blocks(dictionary, group_size))[0])


def tangent(dictionary: Tensor, gradient: Tensor, group_size: int) -> Tensor:
    r"""Part of a gradient along which orthonormal groups stay orthonormal to first order.

    .. math:: G_g - A_g \, \mathrm{sym}(A_g^T G_g)

    (..., n, m), twice -> same. It is orthogonal to what only stretches or shears a group.
    """
    a, g = blocks(dictionary, group_size), blocks(gradient, group_size)
    product = a.mT @ g
    return from_blocks(g - a @ ((product + product.mT) / 2))


def positive_qr(groups: Tensor) -> tuple[Tensor, Tensor]:
    """Q and R of groups (..., n, d), the diagonal of R positive."""
    q, r = torch.linalg.qr(groups)
    signs = torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0).to(r)
    return q * signs.unsqueeze(-2), r * signs.unsqueeze(-1)


def full_blocks(dictionary: Array, group_size: int) -> Tensor:
    """The groups of a dictionary, none with more atoms than dimensions."""
    dictionary = as_tensor(dictionary, "dictionary")
    check_groups(dictionary.shape[-1], group_size)
    if group_size > dictionary.shape[-2]:
        n = dictionary.shape[-2]
        raise ValueError(f"{group_size} atoms of a group cannot be orthonormal in {n} dimensions")
    return blocks(dictionary, group_size)


def tilt_groups(
    dictionary: Tensor, delta: float, group_size: int, generator: torch.Generator | int
) -> Tensor:
    r"""Turn every orthonormal group out of its span until ||A_g - A*_g||_F = delta.

    .. math:: A_g = \cos\theta A^*_g + \sin\theta Q_g,  \cos\theta = 1 - \delta^2 / (2 d)

    with Q_g random, orthonormal and orthogonal to A*_g, so that A_g^T A_g = I and every alpha_i is
    cos(theta). (n, m) -> same; ValueError unless delta is in [0, sqrt(2 d)] and n >= 2 d.
    """
    if len(dictionary) < 2 * group_size:
        raise ValueError(f"groups of {group_size} need twice as many dimensions to be tilted in")
    if not 0 <= delta <= math.sqrt(2 * group_size):
        raise ValueError(f"delta must be in [0, sqrt(2 d)], not {delta}")
    truth, generator = blocks(dictionary, group_size), as_generator(generator)
    noise = torch.randn(truth.shape, generator=generator, dtype=truth.dtype).to(truth.device)
    away = torch.linalg.qr(noise - truth @ (truth.mT @ noise)).Q
    cosine = 1 - delta**2 / (2 * group_size)
    return from_blocks(cosine * truth + math.sqrt(1 - cosine**2) * away)


def blocks(dictionary: Tensor, group_size: int) -> Tensor:
    """The groups A_g as a dimension: (..., n, m) -> (..., m / group_size, n, group_size)."""
    return dictionary.unflatten(-1, (-1, group_size)).transpose(-3, -2)


def from_blocks(groups: Tensor) -> Tensor:
    """Inverse of :func:`blocks`: (..., G, n, d) -> (..., n, G d)."""
    return groups.transpose(-3, -2).flatten(-2)


def coherence(dictionary: Array) -> Tensor:
    """``mu = max_{i != j} |a_i^T a_j|``, for unit atoms in [0, 1]: (..., n, m) -> (...)."""
    dictionary = as_tensor(dictionary, "dictionary")
    gram = (dictionary.mT @ dictionary).abs()
    return (gram - torch.diag_embed(gram.diagonal(dim1=-2, dim2=-1))).amax((-2, -1))


def block_coherence(dictionary: Array, group_size: int) -> Tensor:
    """``mu_B = max_{g != h} ||A_g^T A_h||_2 / d`` (eq. 3): (..., n, m) -> (...)."""
    dictionary = as_tensor(dictionary, "dictionary")
    check_groups(dictionary.shape[-1], group_size)
    groups = dictionary.shape[-1] // group_size
    gram = dictionary.mT @ dictionary
    blocks = gram.unflatten(-1, (groups, group_size)).unflatten(-3, (groups, group_size))
    norms = torch.linalg.matrix_norm(blocks.transpose(-3, -2), ord=2)
    return (norms - torch.diag_embed(norms.diagonal(dim1=-2, dim2=-1))).amax((-2, -1)) / group_size


def squared_spectral_norm(dictionary: Array, gram: Tensor | None = None) -> Tensor:
    r"""L = ||A||_2^2, the Lipschitz constant of x -> A^T (A x - y): (..., n, m) -> (...).

    A function of the dictionary alone, so that 1 / L is the same step wherever it is asked for. On
    the CPU it is exact up to rounding. On a GPU, where an eigenvalue would make the host wait, it
    is :func:`spectral_bound`.

    Parameters
    ----------
    gram : A^T A (..., m, m), if it is known

    Raises
    ------
    FloatingPointError if the dictionary is zero or not finite, on the CPU. On a GPU the result is
    then zero or NaN.
    """
    dictionary = as_tensor(dictionary, "dictionary")
    n, m = dictionary.shape[-2:]
    if n < m:
        gram = dictionary @ dictionary.mT
    elif gram is None:
        gram = dictionary.mT @ dictionary
    if not gram.is_cpu:
        return spectral_bound(gram)
    energy = gram.diagonal(dim1=-2, dim2=-1).sum(-1)
    if not ((energy > 0) & torch.isfinite(energy)).all():
        raise FloatingPointError("the dictionary is zero or not finite")
    return torch.linalg.eigvalsh(gram)[..., -1]


def spectral_bound(gram: Tensor, squarings: int = 7) -> Tensor:
    r"""Upper bound on the largest eigenvalue of a Gram matrix by products alone.

    .. math:: \lambda_{max}(G) \le ||G^p||_F^{1/p} \le k^{1/(2p)} \lambda_{max}(G)

    with p = 2^squarings and k the size of G: at most 2.8 % above for k = 1000.
    (..., k, k) -> (...); NaN or 0 for a matrix that is not finite or zero.
    """
    # Scaled again and again, so that no power overflows; the logarithm remembers the scale.
    scale = gram.diagonal(dim1=-2, dim2=-1).sum(-1)
    log, power = scale.log(), 1
    gram = gram / scale[..., None, None]
    for step in range(squarings + 1):
        if step:
            gram, power = gram @ gram, 2 * power
        norm = torch.linalg.matrix_norm(gram)
        gram = gram / norm[..., None, None]
        log = log + norm.log() / power
    return log.exp()
