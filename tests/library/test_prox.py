"""Every activation is the proximal operator that it claims to be."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from groupsparse.groups import group_norms, split_groups
from groupsparse.prox import PROX, relu_with_bias, soft_threshold

D, GROUPS = 2, 3
M = D * GROUPS
GROUPED = [name for name, prox in PROX.items() if prox.grouped]
CONVEX = [name for name, prox in PROX.items() if prox.convex]
GROUP_NORM = ("group_soft", "group_soft_nonnegative")  # threshold * sum_g ||v_g||
ONE_SIDED = ("group_soft_nonnegative", "relu")
ROUNDING = 1e-12  # float64 rounding of sums of a dozen terms below 100

# 32 bits: no value whose square underflows in float64.
vectors = st.lists(st.floats(-5, 5, width=32), min_size=M, max_size=M).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)
thresholds = st.floats(0, 4, width=32)
every_prox = pytest.mark.parametrize("name", PROX)
every_convex_prox = pytest.mark.parametrize("name", CONVEX)
often = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def penalty(name: str, x: torch.Tensor) -> torch.Tensor:
    """The penalty of a prox without its constraint, written out independently of the library."""
    if name in GROUPED:
        return x.reshape(*x.shape[:-1], -1, D).square().sum(-1).sqrt().sum(-1)
    return x.abs().sum(-1)


def objective(name: str, x: torch.Tensor, v: torch.Tensor, threshold: float) -> torch.Tensor:
    return 0.5 * (x - v).square().sum(-1) + threshold * penalty(name, x)


@every_convex_prox
@often
@given(v=vectors, threshold=thresholds, seed=st.integers(0, 2**31))
def test_result_beats_random_points_by_strong_convexity(name, v, threshold, seed):
    x = PROX[name](v, threshold, D)
    noise = torch.Generator().manual_seed(seed)
    scale = 10 ** torch.linspace(-6, 1, 50, dtype=torch.float64).unsqueeze(-1)
    other = x + scale * torch.randn(50, M, generator=noise, dtype=torch.float64)
    if name in ONE_SIDED:
        assert (x >= 0).all()
        other = other.clamp_min(0)
    gain = objective(name, other, v, threshold) - objective(name, x, v, threshold)
    distance = (other - x).square().sum(-1)
    # The objective is 1-strongly convex, so its minimiser x has f(z) - f(x) >= ||z - x||^2 / 2.
    size = 1 + objective(name, other, v, threshold)
    assert (gain >= distance / 2 - ROUNDING * size).all()


@every_convex_prox
@settings(parent=often, max_examples=25)
@given(v=vectors, threshold=thresholds, seed=st.integers(0, 2**31))
def test_result_agrees_with_numerical_minimisation(name, v, threshold, seed):
    eps, width = 1e-6, D if name in GROUPED else 1
    target = v.numpy()

    def smoothed(x):  # sqrt(||x_g||^2 + eps^2) for ||x_g||, with its gradient
        norm = np.sqrt((x.reshape(-1, width) ** 2).sum(1) + eps**2)
        gradient = (x.reshape(-1, width) / norm[:, None]).ravel()
        value = 0.5 * ((x - target) ** 2).sum() + threshold * norm.sum()
        return value, x - target + threshold * gradient

    start = np.random.default_rng(seed).uniform(0, 5, M)
    bounds = [(0 if name in ONE_SIDED else None, None)] * M
    options = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000, "maxfun": 50000}
    found = minimize(smoothed, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    x = PROX[name](v, threshold, D).numpy()
    # Smoothing adds at most threshold * eps per group to f, the solver at most 1e-6;
    # strong convexity turns an excess e of f into a distance of at most sqrt(2 e).
    assert np.linalg.norm(found - x) <= np.sqrt(2 * (threshold * eps * M + 1e-6))


@pytest.mark.parametrize("name", GROUP_NORM)
@often
@given(v=vectors, threshold=thresholds)
def test_group_prox_satisfies_the_subgradient_conditions(name, v, threshold):
    x = PROX[name](v, threshold, D).reshape(GROUPS, D)
    v = (v.clamp_min(0) if name in ONE_SIDED else v).reshape(GROUPS, D)
    for x_g, v_g in zip(x, v, strict=True):
        if (x_g == 0).all():
            assert v_g.norm() <= threshold + ROUNDING
        else:
            # Direction from v_g: x_g may be so short that rounding dominates its own.
            assert torch.allclose(v_g - x_g, threshold * v_g / v_g.norm(), rtol=0, atol=ROUNDING)
            assert torch.dot(x_g, v_g) > 0


@every_convex_prox
@often
@given(u=vectors, v=vectors, threshold=thresholds)
def test_prox_is_firmly_nonexpansive(name, u, v, threshold):
    difference = PROX[name](u, threshold, D) - PROX[name](v, threshold, D)
    # Inner products of 6 entries below 10: absolute rounding below 1e-12.
    assert torch.dot(difference, u - v) >= difference.square().sum() - ROUNDING


@every_convex_prox
@often
@given(v=vectors)
def test_threshold_zero_is_the_projection_on_the_constraint(name, v):
    expected = v.clamp_min(0) if name in ONE_SIDED else v
    assert torch.equal(PROX[name](v, 0.0, D), expected)


@pytest.mark.parametrize("name", [name for name, prox in PROX.items() if prox.value])
@often
@given(v=vectors, threshold=thresholds, seed=st.integers(0, 2**31))
def test_no_other_point_has_less_of_the_value_that_an_activation_states(name, v, threshold, seed):
    prox = PROX[name]

    def objective(x):
        return 0.5 * (x - v).square().sum(-1) + prox.value(x, threshold, D)

    x = prox(v, threshold, D)
    scales = torch.linspace(0, 1.5, 61, dtype=torch.float64)
    noise = torch.Generator().manual_seed(seed)
    others = [v + torch.randn(30, M, generator=noise, dtype=torch.float64), x.expand(1, M)]
    for group in v.reshape(GROUPS, D).unbind() if name in GROUPED else v.unbind():
        # Along a group alone: a minimiser has its direction, whatever its length.
        place = (v == group).double() if group.ndim == 0 else None
        if place is None:
            place = (v.reshape(GROUPS, D) == group).all(-1, keepdim=True).double().expand(-1, D)
        others.append(x + place.reshape(M) * (scales.unsqueeze(-1) * v - x))
    others = torch.cat(others)
    others = others.clamp_min(0) if name in ONE_SIDED else others
    assert (objective(x) <= objective(others) + ROUNDING * (1 + objective(others))).all()


def test_every_activation_states_its_value():
    assert [name for name, prox in PROX.items() if prox.value is None] == []
    x = torch.tensor([3.0, 4.0, 0.3, 0.4, 0.0, 0.0], dtype=torch.float64)
    values = {name: float(prox.value(x, 1.0, 2)) for name, prox in PROX.items()}
    # Norms 5, 1/2 and 0. MCP: 3/2 from 3 thresholds on, and 1/2 - (1/2)^2 / 6 below.
    grouped = {"group_soft": 5.5, "group_soft_nonnegative": 5.5, "group_hard": 1.0}
    expected = grouped | {"group_mcp": 1.5 + 0.5 - 0.25 / 6, "soft": 7.7, "relu": 7.7}
    assert values == pytest.approx(expected)


@every_prox
@often
@given(v=vectors, threshold=thresholds)
def test_what_is_at_most_the_threshold_becomes_exactly_zero(name, v, threshold):
    x = PROX[name](v, threshold, D)
    norms = v.reshape(GROUPS, D).norm(dim=1) if name in GROUPED else v.abs()
    silent = (norms <= threshold).repeat_interleave(D if name in GROUPED else 1)
    assert not x[silent].any()


@every_prox
@often
@given(v=vectors, threshold=thresholds)
def test_every_group_is_thresholded_by_itself(name, v, threshold):
    # The sparse path of the shallow loss hands over active groups alone, a row for each.
    together = PROX[name](v, threshold, D).reshape(GROUPS, D)
    assert torch.equal(PROX[name](v.reshape(GROUPS, D), threshold, D), together)


@every_prox
def test_codes_grow_with_their_input_and_fall_with_the_threshold(name):
    v = 3 + torch.rand(50, M, generator=torch.Generator().manual_seed(0))
    norms = [float(PROX[name](v, threshold, D).norm()) for threshold in (0.0, 1.0, 2.0, 20.0)]
    assert norms == sorted(norms, reverse=True)
    assert norms[0] > 0 == norms[-1]


@often
@given(v=vectors, threshold=thresholds)
def test_group_prox_with_groups_of_one_is_soft_thresholding(v, threshold):
    # |v| is a square root of a square here: equal up to rounding of numbers below 5.
    grouped = PROX["group_soft"](v, threshold, 1)
    assert torch.allclose(grouped, soft_threshold(v, threshold), rtol=0, atol=ROUNDING)
    one_sided = PROX["group_soft_nonnegative"](v, threshold, 1)
    assert torch.allclose(one_sided, relu_with_bias(v, threshold), rtol=0, atol=ROUNDING)


def test_group_soft_threshold_of_a_hand_worked_example():
    v = torch.tensor([3.0, 4.0, 0.3, 0.4, -6.0, 8.0], dtype=torch.float64)
    expected = torch.tensor([2.4, 3.2, 0.0, 0.0, -5.4, 7.2], dtype=torch.float64)
    # Norms are 5, 0.5 and 10, so the groups shrink by 4/5, 0 and 9/10.
    assert torch.allclose(PROX["group_soft"](v, 1.0, 2), expected, rtol=0, atol=1e-15 * 10)


@often
@given(v=vectors, threshold=thresholds, seed=st.integers(0, 2**31))
def test_the_group_hard_threshold_minimises_its_own_penalty(v, threshold, seed):
    def objective(x):
        used = (x.reshape(*x.shape[:-1], GROUPS, D) != 0).any(-1).sum(-1).double()
        return 0.5 * (x - v).square().sum(-1) + 0.5 * threshold**2 * used

    x = PROX["group_hard"](v, threshold, D)
    # A minimiser has each group as in v or zero: all 2^3 choices, and random points besides.
    choices = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * GROUPS)
    others = v * choices.repeat_interleave(D, -1)
    noise = torch.Generator().manual_seed(seed)
    others = torch.cat([others, others + torch.randn(8, M, generator=noise, dtype=torch.float64)])
    assert (objective(x) <= objective(others) + ROUNDING * (1 + objective(others))).all()


def test_the_group_hard_threshold_of_a_hand_worked_example():
    v = torch.tensor([3.0, 4.0, 0.3, 0.4, -6.0, 8.0])
    # Norms are 5, 0.5 and 10. What is at the threshold goes, what is above it stays as it is.
    for threshold, kept in ((1.0, [1, 0, 1]), (5.0, [0, 0, 1]), (4.99, [1, 0, 1]), (0.0, [1] * 3)):
        expected = v * torch.tensor(kept).repeat_interleave(2)
        assert torch.equal(PROX["group_hard"](v, threshold, 2), expected)


def test_the_firm_threshold_is_between_soft_and_hard_and_continuous():
    direction = torch.tensor([0.6, 0.8], dtype=torch.float64)
    lengths = torch.linspace(0, 5, 501, dtype=torch.float64)
    v = lengths.unsqueeze(-1) * direction
    soft, firm, hard = (
        PROX[f"group_{name}"](v, 1.0, 2).norm(dim=-1) for name in ("soft", "mcp", "hard")
    )
    assert (soft <= firm + ROUNDING).all()
    assert (firm <= hard + ROUNDING).all()
    assert torch.allclose(firm[lengths >= 3], lengths[lengths >= 3])
    assert firm.diff().max() <= 0.01 * 1.5 + ROUNDING, "its slope is gamma / (gamma - 1)"


def test_the_gradient_of_the_group_hard_threshold_passes_active_groups_unchanged():
    v = torch.tensor([3.0, 4.0, 0.3, 0.4], requires_grad=True)
    (PROX["group_hard"](v, 1.0, 2) * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert torch.equal(v.grad, torch.tensor([1.0, 2.0, 0.0, 0.0]))


@every_prox
def test_tensor_threshold_gives_every_replicate_its_own(name):
    v = torch.randn(4, 5, M, generator=torch.Generator().manual_seed(1))
    threshold = torch.tensor([0.0, 0.3, 1.0, 5.0])
    together = PROX[name](v, threshold[:, None, None], D)
    alone = torch.stack([PROX[name](v[r], threshold[r], D) for r in range(4)])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("name", GROUPED)
def test_tensor_threshold_may_differ_between_groups(name):
    v = torch.randn(5, M, generator=torch.Generator().manual_seed(2))
    threshold = torch.tensor([0.1, 0.5, 2.0])
    together = PROX[name](v, threshold, D)
    alone = [PROX[name](v[:, D * g : D * g + D], float(threshold[g]), D) for g in range(GROUPS)]
    # A Python float is a float64 next to a float32 tensor: one float32 rounding of numbers below 4.
    assert torch.allclose(together, torch.cat(alone, -1), rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [0, -1, 4, 7])
@pytest.mark.parametrize("name", GROUPED)
def test_group_size_that_does_not_divide_is_refused(name, size):
    with pytest.raises(ValueError, match=f"group_size {size} does not divide {M}"):
        PROX[name](torch.zeros(M), 1.0, size)


@every_prox
@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_gradient_at_zero_is_zero(name, threshold):
    v = torch.zeros(2, M, requires_grad=True)
    PROX[name](v, threshold, D).sum().backward()
    assert torch.equal(v.grad, torch.zeros_like(v))


@every_prox
def test_gradient_is_exact_away_from_kinks(name):
    # No |v_i|, ||v_g|| or ||v_g^+|| is within 0.1 of the threshold 1, and no v_i of 0.
    v = [2.0, -1.5, 0.3, -0.4, 1.7, 0.6, -0.2, -0.3, -2.0, -0.6, 1.2, 1.3]
    v = torch.tensor(v, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: PROX[name](x, 1.0, D), v)


def test_group_norms_are_those_of_consecutive_entries():
    v = torch.tensor([[3.0, 4.0, 0.0, 0.0], [5.0, 12.0, 8.0, -15.0]])
    assert torch.equal(group_norms(v, 2), torch.tensor([[5.0, 0.0], [13.0, 17.0]]))
    assert split_groups(v, 2).shape == (2, 2, 2)


@pytest.mark.parametrize("threshold", [0.5, torch.tensor(0.5), torch.full((3,), 0.5)])
def test_the_one_sided_threshold_of_infinite_entries_is_what_it_tends_to(threshold):
    v = torch.tensor([-torch.inf, 0.2, torch.inf], requires_grad=True)
    found = relu_with_bias(v, threshold)
    assert found.tolist() == [0.0, 0.0, torch.inf]
    (gradient,) = torch.autograd.grad(found, v, torch.ones(3))
    assert gradient.tolist() == [0.0, 0.0, 1.0]
    assert relu_with_bias(torch.tensor([torch.nan]), 0.5).isnan().all()
