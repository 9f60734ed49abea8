"""Formulas of the theory: gradients against autograd, bounds under their assumptions."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from theory_problems import (
    EXACT,
    GROUPS,
    LAMBDA,
    D,
    M,
    N,
    draw,
    one_group_at_a_time,
    orthonormal,
    rng,
)

from groupsparse import theory
from groupsparse.autoencoder import Autoencoder, reconstruction_loss
from groupsparse.dictionary import (
    block_coherence,
    blocks,
    from_blocks,
    orthonormalize_groups,
    tilt_groups,
)
from groupsparse.generative import Codes, dense_codes, random_dictionary, sample
from groupsparse.groups import group_norms, split_groups
from groupsparse.recovery import invariant_squared_error


def autograd(data, dictionary, lambda_, *, frozen=False):
    """Gradient of the loss by autograd; with ``frozen`` tau counts as a constant (eq. 26)."""
    if frozen:
        leaf = dictionary.clone().requires_grad_()
        c = split_groups(data @ leaf, D)
        tau = (1 - lambda_ / c.norm(dim=-1, keepdim=True)).clamp_min(0).detach()
        loss = reconstruction_loss(data, (tau * c).flatten(-2) @ leaf.T)
    else:
        model = Autoencoder(dictionary, "group_soft", lambda_, D)
        leaf, loss = model.dictionary, reconstruction_loss(data, model(data).reconstruction)
    return torch.autograd.grad(loss, leaf)[0]


def test_the_exact_gradient_is_that_of_autograd():
    truth = orthonormal()
    estimate, data = tilt_groups(truth, 0.7, D, rng(2)), draw(truth).data
    exact = theory.gradients(data, estimate, LAMBDA, D).exact
    torch.testing.assert_close(exact, autograd(data, estimate, LAMBDA), **EXACT)


def test_the_approximate_gradient_holds_tau_constant():
    truth = orthonormal()
    estimate, data = tilt_groups(truth, 0.7, D, rng(2)), draw(truth).data
    exact, approximate = theory.gradients(data, estimate, LAMBDA, D)
    expected = autograd(data, estimate, LAMBDA, frozen=True)
    torch.testing.assert_close(approximate, expected, **EXACT)
    assert (exact - approximate).norm() > 0.1 * exact.norm()


def test_without_threshold_both_gradients_agree():
    truth = orthonormal()
    data = draw(truth).data
    exact, approximate = theory.gradients(data, tilt_groups(truth, 0.7, D, rng(2)), 0.0, D)
    torch.testing.assert_close(exact, approximate, **EXACT)


def test_both_gradients_turn_with_a_rotation_inside_the_groups():
    # So no gradient undoes such a rotation: A* and A* R have the same loss.
    truth = orthonormal()
    data, turn = draw(truth).data, torch.linalg.qr(torch.randn(D, D, generator=rng(3)).double()).Q
    turned = from_blocks(blocks(truth, D) @ turn)
    for before, after in zip(
        theory.gradients(data, truth, LAMBDA, D),
        theory.gradients(data, turned, LAMBDA, D),
        strict=True,
    ):
        torch.testing.assert_close(from_blocks(blocks(before, D) @ turn), after, **EXACT)


@pytest.mark.parametrize("delta", [0.0, 0.1, 0.3])
def test_the_derived_gradient_is_the_mean_over_samples_of_one_group(delta):
    # All 12 atoms and the 12 directions away from them are orthogonal: no other group is active.
    basis = torch.linalg.qr(torch.randn(N, 2 * M, generator=rng(0)).double()).Q
    truth, away = basis[:, :M], basis[:, M:]
    cosine = 1 - delta**2 / (2 * D)
    estimate = cosine * truth + math.sqrt(1 - cosine**2) * away
    drawn = one_group_at_a_time(truth)
    tau, p, energy = theory.statistics(drawn.data, estimate, drawn.codes, LAMBDA, D)
    assert energy == pytest.approx(1)
    torch.testing.assert_close(p, torch.full_like(p, 1 / GROUPS))
    torch.testing.assert_close(tau, torch.full_like(tau, 1 - LAMBDA / (cosine * math.sqrt(D))))
    measured = theory.gradients(drawn.data, estimate, LAMBDA, D).approximate
    # p is float32 on its way: 1/6 to 6e-8.
    derived = theory.derived_gradient(estimate, truth, tau, p, D)
    torch.testing.assert_close(derived, measured, rtol=1e-6, atol=1e-8)


def test_outside_the_span_of_its_group_the_derived_gradient_is_that_of_eq_32():
    truth = orthonormal()
    estimate = tilt_groups(truth, 0.7, D, rng(2))
    tau, p = torch.tensor([[0.6], [0.2]], dtype=torch.float64).expand(2, GROUPS)
    derived, printed = (
        blocks(gradient(estimate, truth, tau, p, D), D)
        for gradient in (theory.derived_gradient, theory.expected_gradient)
    )
    a = blocks(estimate, D)
    difference = derived - printed
    torch.testing.assert_close(a @ (a.mT @ difference), difference, **EXACT)
    assert difference.norm() > 0.1 * derived.norm()


def test_the_empirical_mean_is_the_derived_gradient_up_to_sampling_error():
    truth = orthonormal(n=400)
    estimate = tilt_groups(truth, 0.1, D, rng(2))
    parts = draw(truth, active=1, samples=6000).data.split(200)
    codes = draw(truth, active=1, samples=6000).codes
    tau, p, energy = theory.statistics(torch.cat(parts), estimate, codes, LAMBDA, D)
    batches = torch.stack([theory.gradients(part, estimate, LAMBDA, D)[1] for part in parts])
    derived = theory.derived_gradient(estimate, truth, tau, p * energy, D)
    deviation = (batches.mean(0) - derived).norm()
    # The squared deviation has the mean below; 3 of its roots are beyond any seed's luck.
    sampling = (batches.var(0).sum() / len(parts)).sqrt()
    assert deviation < 3 * sampling
    printed = theory.expected_gradient(estimate, truth, tau, p * energy, D)
    assert (batches.mean(0) - printed).norm() > 10 * sampling


def test_at_the_truth_shrinkage_leaves_a_gradient_that_eq_32_and_its_bound_lack():
    truth = orthonormal()
    tau, p = (
        torch.full((GROUPS,), 0.6, dtype=torch.float64),
        torch.full((GROUPS,), 0.2, dtype=torch.float64),
    )
    derived = theory.derived_gradient(truth, truth, tau, p, D)
    torch.testing.assert_close(derived, -2 * 0.6 * 0.4 * 0.2 * truth, **EXACT)
    assert not theory.expected_gradient(truth, truth, tau, p, D).any()
    assert not theory.residual_bound(tau, p, 1.0, 0.0, torch.zeros(GROUPS).double(), D).any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0, 1), st.integers(1, 4))
def test_propositions_1_and_2_hold_with_the_norm_of_the_blocks(seed, delta, active):
    truth = orthonormal(seed)
    estimate, drawn = tilt_groups(truth, delta, D, rng(seed)), draw(truth, seed, active, 20)
    own, cross = theory.own_and_cross_terms(estimate, truth, drawn.codes, D)
    b, mu = math.sqrt(D), D * float(block_coherence(truth, D))
    slack = 1e-6  # codes are drawn in float32
    assert own.min() >= theory.prop1_bound(b, delta) - slack
    assert cross.max() <= theory.prop2_bound(active, b, mu, delta) + slack


def test_proposition_2_as_printed_fails_where_two_groups_share_a_span():
    truth = torch.eye(4, 2).repeat(1, 2)
    codes = Codes(torch.tensor([[0]]), torch.tensor([[[1.0, 0.0]]]))
    cross = theory.own_and_cross_terms(truth, truth, codes, D)[1]
    mu = float(block_coherence(truth, D))
    assert mu == pytest.approx(0.5)
    assert cross.tolist() == [[0.0, 1.0]]
    assert theory.prop2_bound(1, 1.0, mu, 0.0) == pytest.approx(0.5)
    assert theory.prop2_bound(1, 1.0, D * mu, 0.0) == pytest.approx(1.0)


def test_own_and_cross_terms_add_up_to_the_correlation():
    truth = orthonormal()
    estimate, drawn = tilt_groups(truth, 0.5, D, rng(2)), draw(truth, active=1)
    own, cross = theory.own_and_cross_terms(estimate, truth, drawn.codes, D)
    total = group_norms(drawn.data @ estimate, D)
    torch.testing.assert_close(total.gather(1, drawn.codes.groups), own, **EXACT)
    others = torch.ones_like(total).scatter(1, drawn.codes.groups, 0.0)
    torch.testing.assert_close(total * others, cross, **EXACT)


def test_bounds_of_a_hand_made_case():
    assert theory.prop1_bound(4.0, 0.25) == 3.0
    assert theory.prop2_bound(3, 5.0, 0.1, 0.1) == pytest.approx(3.0)
    assert theory.lemma1_interval(1, 4.0, 5.0, 0.1, 0.1) == pytest.approx((1.0, 2.6))
    low, high = theory.lemma1_interval(3, 4.0, 5.0, 0.1, 0.25)
    assert low > high


def test_constants_of_a_hand_made_case():
    truth = torch.eye(4)
    estimate = torch.eye(4)
    estimate[:, 0] = torch.tensor([2.0, 0.0, 1.0, 0.0])
    assert theory.distances(estimate, truth, D).tolist() == pytest.approx([math.sqrt(2), 0])
    assert theory.overlaps(estimate, truth, D).tolist() == pytest.approx(
        [math.sqrt(5), math.sqrt(2)]
    )
    assert theory.alphas(estimate, truth).tolist() == [2, 1, 1, 1]
    assert theory.orthonormality_defect(estimate, D).tolist() == pytest.approx([4, 0])


def test_statistics_of_a_hand_made_case():
    truth = torch.eye(6)
    codes = Codes(torch.tensor([[0], [0], [1]]), torch.tensor([[[2.0, 0]], [[0, 4.0]], [[1.0, 0]]]))
    tau, p, energy = theory.statistics(dense_codes(codes, 3) @ truth.T, truth, codes, 1.0, D)
    assert tau[0] == pytest.approx((0.5 + 0.75) / 2)
    assert tau[1:].isnan().all(), "group 1 stays below the threshold, group 2 is never there"
    assert p.tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert energy == pytest.approx((4 + 16 + 1) / 3 / D)


def test_theorem_1_is_an_identity_when_v_is_what_remains():
    truth, estimate = orthonormal(), orthonormal(5)
    gradient = torch.randn(N, M, generator=rng(6)).double()
    rate = torch.rand(M, generator=rng(7)).double() + 0.1
    residual = (gradient - rate * (estimate - truth)).norm(dim=0)
    left, right = theory.theorem1_sides(gradient, estimate, truth, rate, residual)
    torch.testing.assert_close(left, right, **EXACT)
    smaller = theory.theorem1_sides(gradient, estimate, truth, rate, 0.9 * residual)[1]
    assert (smaller > left).all(), "a bound that is too small breaks the inequality"


def test_rho_of_a_hand_worked_example():
    # d = 1, alpha 1 and 2, delta 1: (2 sqrt(2) + 1)^2 / 1 is subtracted from 1.
    expected = 0.5 * 0.2 * (1 - (2 * math.sqrt(2) + 1) ** 2)
    assert theory.theorem2_rho(0.5, 0.2, 1.0, 2.0, 1.0, 1) == pytest.approx(expected)


@given(
    st.floats(0.01, 2), st.floats(0.01, 2), st.floats(0, 3), st.integers(1, 20), st.floats(0.01, 1)
)
def test_the_printed_rho_is_never_positive(first, second, delta, group_size, rate):
    least, most = sorted((first, second))
    assert theory.theorem2_rho(1.0, rate, least, most, delta, group_size) < 0


def test_the_step_limit_is_that_of_the_fastest_group():
    statistics = theory.Statistics(torch.tensor([0.5, torch.nan]), torch.tensor([0.1, 0.1]), 2.0)
    assert theory.step_limit(statistics, 0.5) == pytest.approx(1 / (0.5 * 1.5 * 0.1 * 2 * 0.5))


def test_no_active_group_limits_no_step():
    truth = random_dictionary(N, M, rng(0))
    drawn = sample(truth, D, 2, (4.0, 5.0), 50, rng(1), std=0.0)
    assert theory.largest_step(truth, truth, drawn, 1e3, D) == math.inf


@pytest.mark.parametrize("delta", [0.0, 0.3, math.sqrt(2 * D)])
def test_tilted_groups_are_orthonormal_and_at_the_distance_asked_for(delta):
    truth = orthonormal()
    estimate = tilt_groups(truth, delta, D, rng(2))
    torch.testing.assert_close(
        theory.distances(estimate, truth, D),
        torch.full((GROUPS,), delta, dtype=torch.float64),
        **EXACT,
    )
    assert theory.orthonormality_defect(estimate, D).max() < 1e-12
    expected = torch.full((M,), 1 - delta**2 / (2 * D), dtype=torch.float64)
    torch.testing.assert_close(theory.alphas(estimate, truth), expected, **EXACT)


def test_a_tilt_beyond_orthogonal_spans_is_refused():
    with pytest.raises(ValueError, match="delta"):
        tilt_groups(orthonormal(), 2.1, D, rng(2))


def test_a_tilt_needs_room_beside_the_group():
    with pytest.raises(ValueError, match="twice as many dimensions"):
        tilt_groups(torch.eye(3), 0.1, 2, rng(2))


def test_orthonormalized_groups_keep_their_spans():
    dictionary = random_dictionary(N, M, rng(0)).double()
    result = orthonormalize_groups(dictionary, D)
    assert theory.orthonormality_defect(result, D).max() < 1e-12
    assert invariant_squared_error(result, dictionary, D) == pytest.approx(0, abs=1e-10)


def test_a_step_has_no_limit_where_every_group_is_at_its_threshold():
    seen = theory.Statistics(torch.tensor([0.0, torch.nan]), torch.tensor([0.5, 0.0]), 1.0)
    assert theory.step_limit(seen, 1.0) == math.inf
