"""The quantities that the theory room records at a given A: constants, bounds, comparisons.

Formulas are those of :mod:`groupsparse.theory`, whose conventions hold here too.
"""

import math

import torch
from torch import Tensor

from groupsparse.dictionary import block_coherence, blocks, coherence
from groupsparse.dictionary import normalize_columns as unit
from groupsparse.generative import Sample
from groupsparse.groups import group_norms
from groupsparse.recovery import aligned_squared_error, squared_error, support_scores
from groupsparse.theory import (
    alphas,
    derived_gradient,
    distances,
    expected_gradient,
    gradients,
    lemma1_interval,
    orthonormality_defect,
    overlaps,
    own_and_cross_terms,
    prop1_bound,
    prop2_bound,
    residual_bound,
    statistics,
    step_limit,
    theorem1_sides,
    theorem2_rho,
)


def measure(
    dictionary: Tensor,
    truth: Tensor,
    drawn: Sample,
    lambda_: float,
    amplitude: tuple[float, float],
    group_size: int,
) -> dict[str, float]:
    """Every constant, bound and comparison at one A (n, m), as named numbers.

    ``drawn`` are samples of A*; B_min and B_max are the ends of ``amplitude``. Names ending in
    ``_rank`` use d mu_B where the paper prints mu_B; shares and rates are in [0, 1].
    """
    return {
        **_constants(dictionary, truth, group_size),
        **_support(dictionary, truth, drawn, lambda_, amplitude, group_size),
        **_gradient_comparison(dictionary, truth, drawn, lambda_, group_size),
    }


def errors(dictionary: Tensor, truth: Tensor, group_size: int) -> dict[str, Tensor]:
    """Errors whose contraction is measured, (R, n, m) -> name -> (R,).

    ``raw`` is Theorem 2's ||A - A*||_F^2; ``unit`` the paper's metric with unit atoms, blind to
    the growth of atoms; ``span`` the part of ``raw`` outside the spans of the true groups, blind
    to growth and to rotations within a group too.
    """
    a, basis = blocks(dictionary, group_size), torch.linalg.qr(blocks(truth, group_size)).Q
    outside = a - basis @ (basis.mT @ a)
    return {
        "raw": (dictionary - truth).square().sum((-2, -1)),
        "unit": squared_error(dictionary, truth),
        "span": outside.square().sum((-3, -2, -1)),
    }


def contraction(errors: Tensor, epochs: list[int]) -> Tensor:
    """1 - (e_b / e_a)^(1 / (b - a)) per step between listed epochs a < b: (E, R) -> (len - 1, R).

    The rho that is measured: positive where the error falls.
    """
    before, after = errors[epochs[:-1]], errors[epochs[1:]]
    steps = torch.tensor(epochs, dtype=errors.dtype).diff().unsqueeze(1)
    return 1 - (after / before) ** (1 / steps)


def rhos(eta: float, values: dict[str, float], group_size: int) -> dict[str, float]:
    """Theorem 2's rho as printed, and with its V term left out, from what :func:`measure` gives."""
    rate, least = values["rate_min"], values["alpha_min"]
    most, delta = values["alpha_max"], values["delta"]
    return {
        "rho_printed": theorem2_rho(eta, rate, least, most, delta, group_size),
        "rho_without_v": eta * rate * least,
    }


def order_term(mu: float, delta: float, active: int, groups: int) -> float:
    r"""Theorem 1's O-term with constant 1: :math:`(\mu_B + \delta)^2 \gamma^5 / \Gamma^3`."""
    return (mu + delta) ** 2 * active**5 / groups**3


def _constants(dictionary, truth, d) -> dict[str, float]:
    alpha = alphas(dictionary, truth)
    delta = float(distances(dictionary, truth, d).max())
    return {
        "mu": float(coherence(truth)),
        "mu_B": float(block_coherence(truth, d)),
        "delta": delta,
        "delta_unit": float(distances(unit(dictionary), unit(truth), d).max()),
        "zeta": float(overlaps(dictionary, truth, d).max()),
        "alpha_min": float(alpha.min()),
        "alpha_mean": float(alpha.mean()),
        "alpha_max": float(alpha.max()),
        "orthonormality_defect": float(orthonormality_defect(dictionary, d).max()),
        "aligned_squared_error": aligned_squared_error(dictionary, truth, d),
    }


def _support(dictionary, truth, drawn, lambda_, amplitude, d) -> dict[str, float]:
    codes, (b_min, b_max) = drawn.codes, amplitude
    groups = dictionary.shape[1] // d
    active = codes.groups.shape[1]
    delta = float(distances(dictionary, truth, d).max())
    mu_b = float(block_coherence(truth, d))
    own, cross = own_and_cross_terms(dictionary, truth, codes, d)
    # Float32 products of norm about B_max: smaller violations are rounding.
    slack = 1e-5 * b_max
    values = {
        "prop1_bound": prop1_bound(b_min, delta),
        "prop1_least": float(own.min()),
        "prop1_violated": float((own < prop1_bound(b_min, delta) - slack).double().mean()),
        "prop2_largest": float(cross.max()),
        "lambda": lambda_,
    }
    for suffix, mu in (("", mu_b), ("_rank", d * mu_b)):
        bound = prop2_bound(active, b_max, mu, delta)
        low, high = lemma1_interval(active, b_min, b_max, mu, delta)
        values |= {
            f"prop2_bound{suffix}": bound,
            f"prop2_violated{suffix}": float((cross > bound + slack).double().mean()),
            f"lemma1_low{suffix}": low,
            f"lemma1_high{suffix}": high,
            f"lemma1_empty{suffix}": float(low > high),
            f"lemma1_inside{suffix}": float(low <= lambda_ <= high),
        }
    true = torch.zeros(len(drawn.data), groups, dtype=torch.bool)
    scores = support_scores(
        group_norms(drawn.data @ dictionary, d) > lambda_, true.scatter_(1, codes.groups, True)
    )
    return values | {f"support_{name}": value for name, value in scores.items()}


def _gradient_comparison(dictionary, truth, drawn, lambda_, d) -> dict[str, float]:
    tau, p, energy = seen = statistics(drawn.data, dictionary, drawn.codes, lambda_, d)
    observed = tau.isfinite() & (tau > 0)
    if not observed.any():
        return {}
    delta = distances(dictionary, truth, d)
    alpha = alphas(dictionary, truth)
    rate = tau * (2 - tau) * p * energy
    exact, approximate = gradients(drawn.data, dictionary, lambda_, d)
    halves = [gradients(half, dictionary, lambda_, d)[1] for half in drawn.data.tensor_split(2)]
    again = approximate + (halves[0] - halves[1]) / 2  # off by the sampling error of the mean
    printed = expected_gradient(dictionary, truth, tau, p * energy, d)
    derived = derived_gradient(dictionary, truth, tau, p * energy, d)

    atoms = observed.repeat_interleave(d)
    limit = float(delta.max())
    bound = residual_bound(tau, p * energy, float(alpha.max()), limit, delta, d)
    bound = bound.repeat_interleave(d)[atoms]
    error = dictionary - truth
    rates = rate.repeat_interleave(d) * alpha
    residual = (derived - rates * error).norm(dim=0)[atoms]
    g, a, b, c = (t[..., atoms] for t in (approximate, dictionary, truth, rates))
    left, right = theorem1_sides(g, a, b, c, bound)
    n, active, groups = len(dictionary), drawn.codes.groups.shape[1], len(tau)
    unknown = order_term(float(block_coherence(truth, d)), limit, active, groups)
    rounding = 1e-5 * left.abs()
    remainder = blocks(derived - printed, d)[observed]
    basis = torch.linalg.qr(blocks(dictionary, d)[observed]).Q

    def outside(gradient):
        part = blocks(gradient, d)[observed]
        return part - basis @ (basis.mT @ part)

    within = (basis.mT @ remainder).square().sum() / remainder.square().sum()
    slowest, fastest = float(rate[observed].min()), step_limit(seen, float(alpha.max()))
    return {
        "tau_min": float(tau[observed].min()),
        "tau_mean": float(tau[observed].mean()),
        "p_mean": float(p.mean()),
        "energy": energy,
        "approximate_cosine": _cosine(approximate, exact),
        "approximate_error": _relative(approximate, exact),
        "monte_carlo_error": _relative(again, approximate),
        "printed_cosine": _cosine(printed, approximate),
        "printed_error": _relative(printed, approximate),
        "outside_cosine": _cosine(outside(printed), outside(approximate)),
        "outside_error": _relative(outside(printed), outside(approximate)),
        "outside_monte_carlo_error": _relative(outside(again), outside(approximate)),
        "derived_cosine": _cosine(derived, approximate),
        "derived_error": _relative(derived, approximate),
        "residual": float(residual.median()),
        "residual_bound": float(bound.median()),
        "residual_violated": float((residual > bound * (1 + 1e-5)).double().mean()),
        "residual_within_span": float(within),
        "theorem1_left": float(left.median()),
        "theorem1_right": float(right.median()),
        "theorem1_violated": float((left < right - unknown - rounding).double().mean()),
        "theorem1_vacuous": float((right - unknown <= 0).double().mean()),
        "step_limit": fastest,
        "rate_min": slowest,
        "neighbourhood": math.log(n) ** 3 / groups**2,
    }


def _cosine(a: Tensor, b: Tensor) -> float:
    kept = a.isfinite() & b.isfinite()
    a, b = a[kept].double(), b[kept].double()
    return float((a * b).sum() / (a.norm() * b.norm()))


def _relative(a: Tensor, b: Tensor) -> float:
    kept = a.isfinite() & b.isfinite()
    return float((a - b)[kept].norm() / b[kept].norm())
