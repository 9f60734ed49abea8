"""The theory module: gradients against autograd, bounds under their assumptions, constants."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from groupsparse import theory
from groupsparse.autoencoder import Autoencoder, reconstruction_loss
from groupsparse.dictionary import (
    block_coherence,
    blocks,
    from_blocks,
    orthonormalize_groups,
    tilt_groups,
)
from groupsparse.generative import Codes, Sample, dense_codes, random_dictionary, sample
from groupsparse.prox import group_norms, split_groups
from groupsparse.recovery import invariant_squared_error

N, D, GROUPS, LAMBDA = 60, 2, 6, 0.5
M = D * GROUPS
EXACT = {"rtol": 1e-10, "atol": 1e-12}  # float64 rounding of sums of about 1e3 terms


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def orthonormal(seed: int = 0, n: int = N, groups: int = GROUPS) -> torch.Tensor:
    return orthonormalize_groups(random_dictionary(n, groups * D, rng(seed)).double(), D)


def draw(truth: torch.Tensor, seed: int = 1, active: int = 2, samples: int = 200) -> Sample:
    """Noiseless samples in float64, codes of norm sqrt(d) as assumption 3 asks."""
    norm = math.sqrt(D)
    drawn = sample(truth.float(), D, active, (norm, norm), samples, rng(seed), std=0.0)
    codes = Codes(drawn.codes.groups, drawn.codes.values.double())
    return Sample(dense_codes(codes, truth.shape[1] // D) @ truth.T, codes, 0.0)


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


def one_group_at_a_time(truth: torch.Tensor) -> Sample:
    """Every group alone, at equally spaced angles: second moments are exactly those of E."""
    groups = truth.shape[1] // D
    angles = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)
    circle = math.sqrt(D) * torch.stack([angles.cos(), angles.sin()], -1)
    support = torch.arange(groups).repeat_interleave(8).unsqueeze(1)
    codes = Codes(support, circle.repeat(groups, 1).unsqueeze(1))
    return Sample(dense_codes(codes, groups) @ truth.T, codes, 0.0)


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


def test_a_violation_of_proposition_2_is_counted():
    # Two of three groups share a span, two samples of four use one of these: the other's term is
    # 1, between the printed bound of 1/2 and d mu_B = 1. The third group has no part in either.
    truth = torch.cat([torch.eye(4, 2).repeat(1, 2), torch.eye(4)[:, 2:]], dim=1)
    codes = Codes(
        torch.tensor([[0], [1], [2], [2]]), torch.tensor([1.0, 0.0]).expand(4, 1, 2).clone()
    )
    drawn = Sample(dense_codes(codes, 3) @ truth.T, codes, 0.0)
    values = theory.measure(truth, truth, drawn, 0.5, (1.0, 1.0), D)
    assert values["prop2_bound"] == pytest.approx(0.5)
    assert values["prop2_largest"] == pytest.approx(1.0)
    assert values["prop2_violated"] == pytest.approx(2 / 12), "terms of 4 samples and 3 groups"
    assert values["prop2_violated_rank"] == 0


def test_a_violation_of_proposition_1_is_counted():
    # At delta = 0 the bound is B_min: a code shorter than the stated B_min violates it.
    truth = torch.eye(4)
    codes = Codes(torch.tensor([[0], [1], [1], [0]]), torch.eye(2)[[0, 1, 0, 1]].unsqueeze(1))
    codes.values[0] *= 0.9
    drawn = Sample(dense_codes(codes, 2) @ truth.T, codes, 0.0)
    values = theory.measure(truth, truth, drawn, 0.5, (1.0, 1.0), D)
    assert values["prop1_least"] == pytest.approx(0.9)
    assert values["prop1_violated"] == 0.25


def test_own_and_cross_terms_add_up_to_the_correlation():
    truth = orthonormal()
    estimate, drawn = tilt_groups(truth, 0.5, D, rng(2)), draw(truth, active=1)
    own, cross = theory.own_and_cross_terms(estimate, truth, drawn.codes, D)
    total = group_norms(drawn.data @ estimate, D)
    torch.testing.assert_close(total.gather(1, drawn.codes.groups), own, **EXACT)
    others = torch.ones_like(total).scatter(1, drawn.codes.groups, 0.0)
    torch.testing.assert_close(total * others, cross, **EXACT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("position", [0.02, 0.5, 0.98])
def test_every_lambda_inside_the_interval_recovers_the_support(seed, position):
    truth = orthonormal(seed, n=1500)
    delta, b, active = 0.05, math.sqrt(D), 2
    estimate, drawn = tilt_groups(truth, delta, D, rng(seed)), draw(truth, seed, active)
    mu = D * float(block_coherence(truth, D))
    low, high = theory.lemma1_interval(active, b, b, mu, delta)
    assert low < high, "the assumptions are not met"
    values = theory.measure(estimate, truth, drawn, low + position * (high - low), (b, b), D)
    assert values["lemma1_inside_rank"] == 1
    assert values["support_exact"] == 1


def test_a_lambda_beyond_every_correlation_recovers_nothing():
    truth = orthonormal()
    values = theory.measure(truth, truth, draw(truth), 10.0, (math.sqrt(D),) * 2, D)
    assert values["support_recall"] == 0
    assert values["lemma1_inside"] == 0


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


def alone(delta: float):
    """Every group by itself, all orthogonal, tilted by delta into directions of its own."""
    basis = torch.linalg.qr(torch.randn(N, 2 * M, generator=rng(0)).double()).Q
    truth, away = basis[:, :M], basis[:, M:]
    cosine = 1 - delta**2 / (2 * D)
    estimate = cosine * truth + math.sqrt(1 - cosine**2) * away
    return estimate, truth, one_group_at_a_time(truth)


def test_a_violation_of_theorem_1_is_counted():
    # At A* shrinkage leaves a gradient, the bound on V is 0 and so is the left side: the right
    # side, ||g||^2 / c, is positive for every atom. There is no coherence, so no O-term.
    values = theory.measure(*alone(0.0), LAMBDA, (math.sqrt(D),) * 2, D)
    assert values["theorem1_unknown"] == pytest.approx(0, abs=1e-15)
    assert values["theorem1_right"] > 0.01
    assert (values["theorem1_violated"], values["theorem1_vacuous"]) == (1, 0)
    assert values["residual_violated"] == 1


def test_theorem_1_holds_where_its_bound_on_v_is_wide():
    # Far away the printed bound on V, which grows with delta squared, outweighs the gradient.
    values = theory.measure(*alone(0.8), LAMBDA, (math.sqrt(D),) * 2, D)
    assert values["theorem1_right"] < values["theorem1_left"]
    assert values["theorem1_violated"] == 0
    assert values["residual_violated"] == 0


def test_theorem_1_may_hold_and_say_something():
    values = theory.measure(*alone(0.22), LAMBDA, (math.sqrt(D),) * 2, D)
    assert 0 < values["theorem1_right"] < values["theorem1_left"]
    assert (values["theorem1_violated"], values["theorem1_vacuous"]) == (0, 0)


def test_outside_the_span_of_a_group_eq_32_is_exact_where_it_fails_within():
    values = theory.measure(*alone(0.3), LAMBDA, (math.sqrt(D),) * 2, D)
    assert values["printed_error"] > 0.9
    # p is float32 on its way: 1/6 to 6e-8.
    assert values["outside_error"] < 1e-6
    assert values["outside_cosine"] == pytest.approx(1)
    assert values["residual_within_span"] == pytest.approx(1)


def test_a_step_leads_to_the_truth_from_afar_and_away_from_atoms_that_shrinkage_makes_grow():
    arguments = (LAMBDA, (math.sqrt(D),) * 2, D)
    estimate, truth, drawn = alone(0.3)
    assert theory.measure(estimate, truth, drawn, *arguments)["towards_truth"] == 1
    assert theory.measure(1.02 * truth, truth, drawn, *arguments)["towards_truth"] == 0


def test_the_sampling_error_is_the_spread_over_draws():
    truth = orthonormal(n=400)
    estimate, norm = tilt_groups(truth, 0.1, D, rng(2)), (math.sqrt(D),) * 2
    draws = [draw(truth, seed=seed, samples=600) for seed in range(20)]
    stated = [
        theory.measure(estimate, truth, d, LAMBDA, norm, D)["monte_carlo_error"] for d in draws
    ]
    means = torch.stack([theory.gradients(d.data, estimate, LAMBDA, D)[1] for d in draws])
    spread = float((means.var(0).sum() / means.square().sum((1, 2)).mean()).sqrt())
    # Root mean squares over 20 draws of about ten dominant directions: a standard error of 10 %.
    ratio = (sum(e * e for e in stated) / len(stated)) ** 0.5 / spread
    assert 0.7 < ratio < 1.4


def test_constants_of_a_diagonal_dictionary():
    truth, estimate = torch.eye(4), torch.diag(torch.tensor([1.0, 2, 3, 4]))
    codes = Codes(torch.tensor([[0], [1]]), torch.ones(2, 1, 2))
    drawn = Sample(dense_codes(codes, 2) @ truth.T, codes, 0.0)
    values = theory.measure(estimate, truth, drawn, 0.5, (1.0, 2.0), D)
    expected = {
        "alpha_min": 1, "alpha_mean": 2.5, "alpha_max": 4, "delta": math.sqrt(13), "delta_unit": 0,
        "zeta": 5, "orthonormality_defect": 17, "mu": 0, "mu_B": 0, "aligned_squared_error": 2 * (
            2 - 2 * 3 / math.sqrt(10) + 2 - 2 * 7 / math.sqrt(50)
        ),
    }  # fmt: skip
    assert {k: values[k] for k in expected} == pytest.approx(expected, abs=1e-6)  # float32


def test_rates_are_those_of_the_groups():
    truth = orthonormal(n=N)
    estimate, norm = tilt_groups(truth, 0.3, D, rng(2)), math.sqrt(D)
    estimate = estimate * (1 + 0.1 * torch.rand(M, generator=rng(3)))
    drawn = draw(truth, active=2, samples=40)
    tau, p, energy = theory.statistics(drawn.data, estimate, drawn.codes, LAMBDA, D)
    rate = tau * (2 - tau) * p * energy
    assert rate.min() < 0.9 * rate.max(), "groups as frequent as each other test nothing"
    values = theory.measure(estimate, truth, drawn, LAMBDA, (norm, norm), D)
    assert values["rate_min"] == pytest.approx(float(rate.min()))
    limit = 1 / (float(rate.max()) * values["alpha_max"])
    assert values["step_limit"] == pytest.approx(limit)
    reach = (values["mu_B"] + values["delta"]) ** 2
    assert values["theorem1_unknown"] == pytest.approx(reach * 2**5 / GROUPS**3)
    assert values["neighbourhood"] == pytest.approx(math.log(N) ** 3 / GROUPS**2)
    rhos = theory.rhos(0.1, values, D)
    least, most = values["alpha_min"], values["alpha_max"]
    assert least < 0.99 * most
    assert rhos["rho_without_v"] == pytest.approx(0.1 * float(rate.min()) * least)
    expected = theory.theorem2_rho(0.1, float(rate.min()), least, most, values["delta"], D)
    assert rhos["rho_printed"] == pytest.approx(expected)


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


def test_the_largest_step_is_that_of_all_measurements():
    truth = orthonormal()
    estimate, drawn = tilt_groups(truth, 0.3, D, rng(2)), draw(truth)
    measured = theory.measure(estimate, truth, drawn, LAMBDA, (math.sqrt(D), math.sqrt(D)), D)
    assert theory.largest_step(estimate, truth, drawn, LAMBDA, D) == measured["step_limit"]


def test_measures_depend_on_the_span_of_both_dictionaries_alone():
    truth = orthonormal()
    estimate, drawn = tilt_groups(truth, 0.3, D, rng(2)), draw(truth)
    basis = torch.linalg.qr(torch.cat([truth, estimate], -1)).Q
    inside = drawn._replace(data=drawn.data @ basis)
    amplitude = (math.sqrt(D), math.sqrt(D))
    whole = theory.measure(estimate, truth, drawn, LAMBDA, amplitude, D)
    small = theory.measure(basis.T @ estimate, basis.T @ truth, inside, LAMBDA, amplitude, D)
    del whole["neighbourhood"], small["neighbourhood"]  # it has n
    # A mean of samples has about 1e3 terms; the defect of orthonormality is rounding itself.
    assert small == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_contraction_of_a_geometric_sequence_is_its_rate():
    errors = 0.8 ** torch.arange(11, dtype=torch.float64).unsqueeze(1)
    torch.testing.assert_close(
        theory.contraction(errors, [0, 1, 4, 10]),
        torch.full((3, 1), 0.2, dtype=torch.float64),
        **EXACT,
    )


def test_errors_are_blind_to_growth_and_to_rotation_as_they_say():
    truth = orthonormal().unsqueeze(0)
    grown = theory.errors(1.5 * truth, truth, D)
    assert float(grown["raw"]) == pytest.approx(0.25 * M)
    assert float(grown["unit"]) == pytest.approx(0, abs=1e-12)
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).double()
    turned = theory.errors(from_blocks(blocks(truth, D) @ turn), truth, D)
    assert float(turned["unit"]) == pytest.approx(2 * M)
    assert float(turned["span"]) == pytest.approx(0, abs=1e-12)


def test_no_measure_depends_on_the_order_of_the_groups():
    truth = orthonormal()
    estimate, drawn = tilt_groups(truth, 0.4, D, rng(2)), draw(truth)
    order = torch.randperm(GROUPS, generator=rng(4))
    moved = Codes(order.argsort()[drawn.codes.groups], drawn.codes.values)
    shuffled = [from_blocks(blocks(a, D)[order]) for a in (estimate, truth)]
    arguments = (LAMBDA, (math.sqrt(D),) * 2, D)
    before = theory.measure(estimate, truth, drawn, *arguments)
    after = theory.measure(*shuffled, Sample(drawn.data, moved, 0.0), *arguments)
    assert after == pytest.approx(before, rel=1e-9, abs=1e-9)


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


def test_orthonormalized_groups_keep_their_spans():
    dictionary = random_dictionary(N, M, rng(0)).double()
    result = orthonormalize_groups(dictionary, D)
    assert theory.orthonormality_defect(result, D).max() < 1e-12
    assert invariant_squared_error(result, dictionary, D) == pytest.approx(0, abs=1e-10)
