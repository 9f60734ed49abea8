"""What is recorded of the theory at a given A: violations, rates, contraction, invariances."""

import math

import pytest
import torch
from theory_problems import EXACT, GROUPS, LAMBDA, D, M, N, alone, draw, orthonormal, rng

from groupsparse.dictionary import block_coherence, blocks, from_blocks, tilt_groups
from groupsparse.generative import Codes, Sample, dense_codes
from groupsparse.theory import gradients, largest_step, lemma1_interval, statistics, theorem2_rho
from theory import quantities


def test_a_violation_of_proposition_2_is_counted():
    # Two of three groups share a span, two samples of four use one of these: the other's term is
    # 1, between the printed bound of 1/2 and d mu_B = 1. The third group has no part in either.
    truth = torch.cat([torch.eye(4, 2).repeat(1, 2), torch.eye(4)[:, 2:]], dim=1)
    codes = Codes(
        torch.tensor([[0], [1], [2], [2]]), torch.tensor([1.0, 0.0]).expand(4, 1, 2).clone()
    )
    drawn = Sample(dense_codes(codes, 3) @ truth.T, codes, 0.0)
    values = quantities.measure(truth, truth, drawn, 0.5, (1.0, 1.0), D)
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
    values = quantities.measure(truth, truth, drawn, 0.5, (1.0, 1.0), D)
    assert values["prop1_least"] == pytest.approx(0.9)
    assert values["prop1_violated"] == 0.25


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("position", [0.02, 0.5, 0.98])
def test_every_lambda_inside_the_interval_recovers_the_support(seed, position):
    truth = orthonormal(seed, n=1500)
    delta, b, active = 0.05, math.sqrt(D), 2
    estimate, drawn = tilt_groups(truth, delta, D, rng(seed)), draw(truth, seed, active)
    mu = D * float(block_coherence(truth, D))
    low, high = lemma1_interval(active, b, b, mu, delta)
    assert low < high, "the assumptions are not met"
    values = quantities.measure(estimate, truth, drawn, low + position * (high - low), (b, b), D)
    assert values["lemma1_inside_rank"] == 1
    assert values["support_exact"] == 1


def test_a_lambda_beyond_every_correlation_recovers_nothing():
    truth = orthonormal()
    values = quantities.measure(truth, truth, draw(truth), 10.0, (math.sqrt(D),) * 2, D)
    assert values["support_recall"] == 0
    assert values["lemma1_inside"] == 0


def test_a_violation_of_theorem_1_is_counted():
    # At A* shrinkage leaves a gradient, the bound on V is 0 and so is the left side: the right
    # side, ||g||^2 / c, is positive for every atom. There is no coherence, so no O-term.
    values = quantities.measure(*alone(0.0), LAMBDA, (math.sqrt(D),) * 2, D)
    assert values["mu_B"] + values["delta"] == pytest.approx(0, abs=1e-7)
    assert values["theorem1_right"] > 0.01
    assert (values["theorem1_violated"], values["theorem1_vacuous"]) == (1, 0)
    assert values["residual_violated"] == 1


def test_theorem_1_holds_where_its_bound_on_v_is_wide():
    # Far away the printed bound on V, which grows with delta squared, outweighs the gradient.
    values = quantities.measure(*alone(0.8), LAMBDA, (math.sqrt(D),) * 2, D)
    assert values["theorem1_right"] < values["theorem1_left"]
    assert values["theorem1_violated"] == 0
    assert values["residual_violated"] == 0


def test_theorem_1_may_hold_and_say_something():
    values = quantities.measure(*alone(0.22), LAMBDA, (math.sqrt(D),) * 2, D)
    assert 0 < values["theorem1_right"] < values["theorem1_left"]
    assert (values["theorem1_violated"], values["theorem1_vacuous"]) == (0, 0)


def test_outside_the_span_of_a_group_eq_32_is_exact_where_it_fails_within():
    values = quantities.measure(*alone(0.3), LAMBDA, (math.sqrt(D),) * 2, D)
    assert values["printed_error"] > 0.9
    # p is float32 on its way: 1/6 to 6e-8.
    assert values["outside_error"] < 1e-6
    assert values["outside_cosine"] == pytest.approx(1)
    assert values["residual_within_span"] == pytest.approx(1)


def test_a_step_leads_to_the_truth_from_afar_and_away_from_atoms_that_shrinkage_makes_grow():
    estimate, truth, drawn = alone(0.3)
    for a, towards in ((estimate, True), (1.02 * truth, False)):
        exact, _ = gradients(drawn.data, a, LAMBDA, D)
        assert (((exact * (a - truth)).sum(0) > 0) == towards).all()


def test_the_order_term_of_theorem_1_may_hide_a_violation(monkeypatch):
    assert quantities.order_term(0.25, 0.25, active=2, groups=4) == 0.125
    arguments = (*alone(0.0), LAMBDA, (math.sqrt(D),) * 2, D)
    monkeypatch.setattr(quantities, "order_term", lambda *_: 1e9)
    values = quantities.measure(*arguments)
    assert (values["theorem1_violated"], values["theorem1_vacuous"]) == (0, 1)


def test_the_sampling_error_is_the_spread_over_draws():
    truth = orthonormal(n=400)
    estimate, norm = tilt_groups(truth, 0.1, D, rng(2)), (math.sqrt(D),) * 2
    draws = [draw(truth, seed=seed, samples=600) for seed in range(20)]
    stated = [
        quantities.measure(estimate, truth, d, LAMBDA, norm, D)["monte_carlo_error"] for d in draws
    ]
    means = torch.stack([gradients(d.data, estimate, LAMBDA, D)[1] for d in draws])
    spread = float((means.var(0).sum() / means.square().sum((1, 2)).mean()).sqrt())
    # Root mean squares over 20 draws of about ten dominant directions: a standard error of 10 %.
    ratio = (sum(e * e for e in stated) / len(stated)) ** 0.5 / spread
    assert 0.7 < ratio < 1.4


def test_constants_of_a_diagonal_dictionary():
    truth, estimate = torch.eye(4), torch.diag(torch.tensor([1.0, 2, 3, 4]))
    codes = Codes(torch.tensor([[0], [1]]), torch.ones(2, 1, 2))
    drawn = Sample(dense_codes(codes, 2) @ truth.T, codes, 0.0)
    values = quantities.measure(estimate, truth, drawn, 0.5, (1.0, 2.0), D)
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
    tau, p, energy = statistics(drawn.data, estimate, drawn.codes, LAMBDA, D)
    rate = tau * (2 - tau) * p * energy
    assert rate.min() < 0.9 * rate.max(), "groups as frequent as each other test nothing"
    values = quantities.measure(estimate, truth, drawn, LAMBDA, (norm, norm), D)
    assert values["rate_min"] == pytest.approx(float(rate.min()))
    limit = 1 / (float(rate.max()) * values["alpha_max"])
    assert values["step_limit"] == pytest.approx(limit)
    assert values["neighbourhood"] == pytest.approx(math.log(N) ** 3 / GROUPS**2)
    rhos = quantities.rhos(0.1, values, D)
    least, most = values["alpha_min"], values["alpha_max"]
    assert least < 0.99 * most
    assert rhos["rho_without_v"] == pytest.approx(0.1 * float(rate.min()) * least)
    expected = theorem2_rho(0.1, float(rate.min()), least, most, values["delta"], D)
    assert rhos["rho_printed"] == pytest.approx(expected)


def test_the_largest_step_is_that_of_all_measurements():
    truth = orthonormal()
    estimate, drawn = tilt_groups(truth, 0.3, D, rng(2)), draw(truth)
    measured = quantities.measure(estimate, truth, drawn, LAMBDA, (math.sqrt(D), math.sqrt(D)), D)
    assert largest_step(estimate, truth, drawn, LAMBDA, D) == measured["step_limit"]


def test_measures_depend_on_the_span_of_both_dictionaries_alone():
    truth = orthonormal()
    estimate, drawn = tilt_groups(truth, 0.3, D, rng(2)), draw(truth)
    basis = torch.linalg.qr(torch.cat([truth, estimate], -1)).Q
    inside = drawn._replace(data=drawn.data @ basis)
    amplitude = (math.sqrt(D), math.sqrt(D))
    whole = quantities.measure(estimate, truth, drawn, LAMBDA, amplitude, D)
    small = quantities.measure(basis.T @ estimate, basis.T @ truth, inside, LAMBDA, amplitude, D)
    del whole["neighbourhood"], small["neighbourhood"]  # it has n
    # A mean of samples has about 1e3 terms; the defect of orthonormality is rounding itself.
    assert small == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_contraction_of_a_geometric_sequence_is_its_rate():
    errors = 0.8 ** torch.arange(11, dtype=torch.float64).unsqueeze(1)
    torch.testing.assert_close(
        quantities.contraction(errors, [0, 1, 4, 10]),
        torch.full((3, 1), 0.2, dtype=torch.float64),
        **EXACT,
    )


def test_errors_are_blind_to_growth_and_to_rotation_as_they_say():
    truth = orthonormal().unsqueeze(0)
    grown = quantities.errors(1.5 * truth, truth, D)
    assert float(grown["raw"]) == pytest.approx(0.25 * M)
    assert float(grown["unit"]) == pytest.approx(0, abs=1e-12)
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).double()
    turned = quantities.errors(from_blocks(blocks(truth, D) @ turn), truth, D)
    assert float(turned["unit"]) == pytest.approx(2 * M)
    assert float(turned["span"]) == pytest.approx(0, abs=1e-12)


def test_no_measure_depends_on_the_order_of_the_groups():
    truth = orthonormal()
    estimate, drawn = tilt_groups(truth, 0.4, D, rng(2)), draw(truth)
    order = torch.randperm(GROUPS, generator=rng(4))
    moved = Codes(order.argsort()[drawn.codes.groups], drawn.codes.values)
    shuffled = [from_blocks(blocks(a, D)[order]) for a in (estimate, truth)]
    arguments = (LAMBDA, (math.sqrt(D),) * 2, D)
    before = quantities.measure(estimate, truth, drawn, *arguments)
    after = quantities.measure(*shuffled, Sample(drawn.data, moved, 0.0), *arguments)
    assert after == pytest.approx(before, rel=1e-9, abs=1e-9)
