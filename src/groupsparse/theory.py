"""The paper's theory (Sec. 3.2) in numbers: constants, bounds and gradients at a given A.

Dictionaries A and A* are (..., n, m) with groups of ``group_size`` = d consecutive atoms, samples
are rows. Only the shallow two-sided encoder x_g = sigma_lambda(A_g^T y) is meant. ``energy`` is
E||x*_g||^2 / d: the paper's assumption 3 sets it to 1, and elsewhere it multiplies p_g.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.dictionary import blocks, from_blocks
from groupsparse.generative import Codes, Sample, dense_codes
from groupsparse.groups import group_norms, split_groups


class Gradients(NamedTuple):
    """Gradients of the loss of the shallow autoencoder, both (..., n, m)."""

    exact: Tensor
    approximate: Tensor


class Statistics(NamedTuple):
    """Per group (G,): shrinkage ``tau``, frequency ``p``; and the scalar ``energy``."""

    tau: Tensor
    p: Tensor
    energy: float


def distances(dictionary: Tensor, truth: Tensor, group_size: int) -> Tensor:
    """||A_g - A*_g||_F of every group, whose largest is delta: (..., n, m) -> (..., G)."""
    return torch.linalg.matrix_norm(blocks(dictionary - truth, group_size))


def overlaps(dictionary: Tensor, truth: Tensor, group_size: int) -> Tensor:
    """||A_g^T A*_g||_F of every group, whose largest is zeta: (..., n, m) -> (..., G)."""
    return torch.linalg.matrix_norm(blocks(dictionary, group_size).mT @ blocks(truth, group_size))


def alphas(dictionary: Tensor, truth: Tensor) -> Tensor:
    """alpha_i = a_i^T a*_i of every atom: (..., n, m) -> (..., m)."""
    return (dictionary * truth).sum(-2)


def orthonormality_defect(dictionary: Tensor, group_size: int) -> Tensor:
    """||A_g^T A_g - I||_F of every group, 0 under assumption 4: (..., n, m) -> (..., G)."""
    groups = blocks(dictionary, group_size)
    eye = torch.eye(group_size, dtype=dictionary.dtype)
    return torch.linalg.matrix_norm(groups.mT @ groups - eye)


def own_and_cross_terms(
    dictionary: Tensor, truth: Tensor, codes: Codes, group_size: int
) -> tuple[Tensor, Tensor]:
    r"""The two sides of Prop. 1 and Prop. 2 on samples.

    Returns
    -------
    own : ||A_g^T A*_g x*_g|| of every active group, (N, k); Prop. 1 bounds it from below
    cross : ||A_g^T sum_{h in S, h != g} A*_h x*_h|| of every group, (N, G); Prop. 2, from above
    """
    products = blocks(dictionary, group_size).mT @ blocks(truth, group_size)
    own = (products[codes.groups] @ codes.values.unsqueeze(-1)).squeeze(-1)
    groups = len(products)
    total = dense_codes(codes, groups) @ (truth.mT @ dictionary)
    cross = total - dense_codes(Codes(codes.groups, own), groups)
    return own.norm(dim=-1), group_norms(cross, group_size)


def prop1_bound(b_min: float, delta: float) -> float:
    """B_min (1 - delta) (Prop. 1); negative, hence empty of content, when delta > 1."""
    return b_min * (1 - delta)


def prop2_bound(active: int, b_max: float, mu: float, delta: float) -> float:
    """gamma B_max (mu + delta) (Prop. 2).

    The paper takes mu = mu_B, which eq. 3 divides by d; the triangle inequality behind the bound
    gives ||A_g^T A*_h||_2 <= d mu_B + delta, so mu = d mu_B is what follows.
    """
    return active * b_max * (mu + delta)


def lemma1_interval(
    active: int, b_min: float, b_max: float, mu: float, delta: float
) -> tuple[float, float]:
    """The lambdas (low, high) that recover the support in one step (Lemma 1); empty if low > high.

    ``mu`` as in :func:`prop2_bound`.
    """
    low = prop2_bound(active, b_max, mu, delta)
    return low, prop1_bound(b_min, delta) - low


def gradients(data: Tensor, dictionary: Tensor, lambda_: float, group_size: int) -> Gradients:
    r"""Exact gradient of the loss (eq. 13) and the paper's approximation (eqs. 25-27).

    With c_g = A_g^T y, tau = (1 - lambda / ||c_g||)_+, x_g = tau c_g, r = A x - y, both are means
    over samples of r x_g^T + y (J_g A_g^T r)^T. On an active group the Jacobian of the
    group-sparse ReLU is J_g = tau I + (1 - tau) u u^T, u = c_g / ||c_g||; the approximation drops
    its second term. ``data`` (..., N, n).
    """
    c = split_groups(data @ dictionary, group_size)
    norm = torch.linalg.vector_norm(c, dim=-1, keepdim=True)
    active = norm > lambda_
    tau = torch.where(active, 1 - lambda_ / norm, 0)
    x = (tau * c).flatten(-2)
    residual = x @ dictionary.mT - data
    back = split_groups(residual @ dictionary, group_size)
    approximate = residual.mT @ x + data.mT @ (tau * back).flatten(-2)
    direction = c / norm.clamp_min(torch.finfo(c.dtype).tiny)
    radial = active * (1 - tau) * (direction * back).sum(-1, keepdim=True) * direction
    exact = approximate + data.mT @ radial.flatten(-2)
    return Gradients(exact / data.shape[-2], approximate / data.shape[-2])


def statistics(
    data: Tensor, dictionary: Tensor, codes: Codes, lambda_: float, group_size: int
) -> Statistics:
    """tau_g = 1 - lambda / ||A_g^T y||, averaged where g is in the support and active; p_g; energy.

    tau_g is NaN for a group that no sample activates. ``data`` (N, n), dictionary (n, m).
    """
    norm = group_norms(data @ dictionary, group_size).gather(1, codes.groups)
    kept = norm > lambda_
    groups = dictionary.shape[-1] // group_size
    count = torch.bincount(codes.groups[kept], minlength=groups)
    total = torch.bincount(codes.groups[kept], 1 - lambda_ / norm[kept].double(), groups)
    p = torch.bincount(codes.groups.flatten(), minlength=groups) / len(data)
    energy = float(codes.values.square().sum(-1).mean()) / group_size
    return Statistics((total / count).to(data.dtype), p.to(data.dtype), energy)


def expected_gradient(
    dictionary: Tensor, truth: Tensor, tau: Tensor, p: Tensor, group_size: int
) -> Tensor:
    r"""Main term of the expected approximate gradient as printed (eq. 32).

    .. math:: \tau_g p_g (2 - \tau_g) (A_g - A^*_g) A_g^{*T} A_g

    ``tau``, ``p`` (..., G); p times energy where assumption 3 does not hold. -> (..., n, m)
    """
    a, b = blocks(dictionary, group_size), blocks(truth, group_size)
    scale = (tau * (2 - tau) * p)[..., None, None]
    return from_blocks(scale * (a - b) @ (b.mT @ a))


def derived_gradient(
    dictionary: Tensor, truth: Tensor, tau: Tensor, p: Tensor, group_size: int
) -> Tensor:
    r"""Expected approximate gradient of one active group without noise, derived from eq. 27.

    .. math:: \tau_g p_g [(\tau_g A_g A_g^T - I) A^*_g A_g^{*T} A_g
              + A^*_g A_g^{*T} (\tau_g A_g A_g^T - I) A_g]

    For orthonormal groups the bracket is (tau A_g A_g^T - (2 - tau) I) A*_g A*_g^T A_g, which at
    A = A* leaves -2 (1 - tau) A*_g: shrinkage makes atoms grow. Eq. 32 has no such term, but
    outside the span of A_g it is the same.
    Arguments as in :func:`expected_gradient`.
    """
    a, b = blocks(dictionary, group_size), blocks(truth, group_size)
    t = tau[..., None, None]
    overlap = b.mT @ a
    first = t * a @ (overlap.mT @ overlap) - b @ overlap
    second = b @ (t * overlap @ (a.mT @ a) - overlap)
    return from_blocks((tau * p)[..., None, None] * (first + second))


def residual_bound(
    tau: Tensor, p: Tensor, alpha_max: float, delta: float, distance: Tensor, group_size: int
) -> Tensor:
    r"""Printed bound on ||v_i|| (Theorem 1), the same for all atoms of a group: (G,).

    .. math:: \tau_g (2 - \tau_g) p_g (\alpha_{max} \sqrt{d^2 + 1} + \delta) ||A_g - A^*_g||_F
    """
    return tau * (2 - tau) * p * (alpha_max * math.sqrt(group_size**2 + 1) + delta) * distance


def theorem1_sides(
    gradient: Tensor, dictionary: Tensor, truth: Tensor, rate: Tensor, residual: Tensor
) -> tuple[Tensor, Tensor]:
    r"""Both sides of Theorem 1 for every atom, without its O-term: (n, m) -> two (m,).

    .. math:: 2 <g_i, a_i - a^*_i> \ge c ||a_i - a^*_i||^2 + ||g_i||^2 / c - ||v_i||^2 / c

    ``rate`` c (m,); ``residual`` ||v_i|| (m,). With v_i = g_i - c (a_i - a*_i) itself both sides
    are equal, so only a bound on ||v_i|| gives the theorem content.
    """
    error = dictionary - truth
    left = 2 * (gradient * error).sum(0)
    right = rate * error.square().sum(0) + (gradient.square().sum(0) - residual.square()) / rate
    return left, right


def step_limit(statistics: Statistics, alpha_max: float) -> float:
    """Largest learning rate of Theorem 2: min_g 1 / (tau_g (2 - tau_g) p_g energy alpha_max).

    Infinite if no group is active, and if none is more than at its threshold (tau 0).
    """
    tau, p, energy = statistics
    rate = tau * (2 - tau) * p * energy * alpha_max
    rate = rate[rate.isfinite()]
    largest = float(rate.max()) if len(rate) else 0.0
    return 1 / largest if largest else math.inf


def largest_step(
    dictionary: Tensor, truth: Tensor, drawn: Sample, lambda_: float, group_size: int
) -> float:
    """:func:`step_limit` at one A (n, m), from samples of A*; infinite if no group is active."""
    seen = statistics(drawn.data, dictionary, drawn.codes, lambda_, group_size)
    return step_limit(seen, float(alphas(dictionary, truth).max()))


def theorem2_rho(
    eta: float, rate: float, alpha_min: float, alpha_max: float, delta: float, group_size: int
) -> float:
    r"""rho of Theorem 2 as printed; ``rate`` is tau_g (2 - tau_g) p_g.

    .. math:: \eta\,rate\,(\alpha_{min} - d (\alpha_{max}\sqrt{d^2+1} + \delta)^2 / \alpha_{min})

    Negative for d >= 1 and alpha_min > 0, because the subtracted term is at least 2 alpha_min: as
    printed, the theorem promises no contraction. With alpha_min < 0 its sign says nothing.
    """
    spread = group_size * (alpha_max * math.sqrt(group_size**2 + 1) + delta) ** 2
    return eta * rate * (alpha_min - spread / alpha_min)
