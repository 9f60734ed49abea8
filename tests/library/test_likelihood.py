"""Laws of observations: against SciPy, their derivatives, bounds, extremes and random draws."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from groupsparse.likelihood import LAWS, Binomial, Gaussian, Poisson, law_of

ETA = torch.linspace(-6, 6, 41, dtype=torch.float64)
COUNTS = torch.arange(0, 8, dtype=torch.float64)
REFERENCE = {
    "gaussian": (Gaussian(0.7), lambda eta, y: stats.norm.logpdf(y, eta, 0.7)),
    "bernoulli": (Binomial(), lambda eta, y: stats.bernoulli.logpmf(y, 1 / (1 + np.exp(-eta)))),
    "binomial": (Binomial(9), lambda eta, y: stats.binom.logpmf(y, 9, 1 / (1 + np.exp(-eta)))),
    "poisson": (Poisson(1e3), lambda eta, y: stats.poisson.logpmf(y, np.exp(eta))),
}
every_law = pytest.mark.parametrize("name", REFERENCE)


def grid(name):
    """All pairs of eta and of values that y can have."""
    y = COUNTS[:2] if name == "bernoulli" else COUNTS
    return ETA.repeat(len(y)), y.repeat_interleave(len(ETA))


@every_law
def test_the_likelihood_is_that_of_scipy(name):
    law, reference = REFERENCE[name]
    eta, y = grid(name)
    # SciPy's own probabilities near 1 cost some digits.
    np.testing.assert_allclose(law.nll(eta, y), -reference(eta.numpy(), y.numpy()), rtol=1e-9)


@every_law
def test_slope_and_bend_are_derivatives(name):
    law = REFERENCE[name][0]
    eta, y = grid(name)
    eta = eta.requires_grad_()
    (slope,) = torch.autograd.grad(law.nll(eta, y).sum(), eta, create_graph=True)
    torch.testing.assert_close(law.slope(eta, y), slope)
    bend = torch.zeros_like(eta)
    if slope.requires_grad:
        (bend,) = torch.autograd.grad(slope.sum(), eta, allow_unused=True)
    torch.testing.assert_close(law.bend(eta.detach()), bend.detach())


@pytest.mark.parametrize("law", [Gaussian(0.7), Binomial(), Binomial(9), Poisson(20.0)])
def test_mean_and_bend_together_are_those_apart(law):
    eta = torch.cat([ETA, torch.tensor([-1e4, -50.0, 3.5, 50.0, 1e4], dtype=torch.float64)]).float()
    mean, bend = law.mean_and_bend(eta)
    torch.testing.assert_close(mean, law.mean(eta))
    # n p - n p^2 moves by the rounding of its terms, which are up to n = 4 times the bound.
    error = 4 * law.curvature * torch.finfo(eta.dtype).eps
    torch.testing.assert_close(bend, law.bend(eta), rtol=1e-6, atol=error)
    assert (bend >= 0).all()


@pytest.mark.parametrize("law", [Gaussian(0.7), Binomial(), Binomial(9), Poisson(20.0)])
def test_nothing_bends_more_than_the_bound_and_nothing_overflows(law):
    eta = torch.tensor([-1e4, -50.0, 0.0, math.log(20.0), 50.0, 1e4])
    assert (law.bend(eta) <= law.curvature * (1 + 1e-6)).all()
    assert float(law.bend(eta).max()) == pytest.approx(law.curvature, rel=1e-6), "it is reached"
    for values in (law.nll(eta, torch.ones(6)), law.slope(eta, torch.ones(6)), law.mean(eta)):
        assert torch.isfinite(values).all()


def test_the_continuation_of_the_poisson_law_is_smooth_and_leaves_the_rest_alone():
    law, exact = Poisson(20.0), Poisson(1e9)
    below = torch.linspace(-5, math.log(20.0), 50, dtype=torch.float64)
    torch.testing.assert_close(law.mean(below), exact.mean(below), rtol=1e-12, atol=0)
    edge = torch.tensor(math.log(20.0), dtype=torch.float64)
    for values in (lambda e: law.nll(e, torch.zeros_like(e)), law.mean, law.bend):
        # Continuous: nothing jumps by more than a step times a slope of 20.
        assert abs(float(values(edge + 1e-7) - values(edge - 1e-7))) < 2e-7 * 20 * 1.01


@every_law
def test_the_link_inverts_the_mean_and_the_border_is_finite(name):
    law = REFERENCE[name][0]
    torch.testing.assert_close(law.link(law.mean(ETA)), ETA)
    assert torch.isfinite(law.link(torch.zeros(1))).all()


@every_law
def test_draws_have_the_mean_and_the_variance_and_are_valid(name):
    law = REFERENCE[name][0]
    count = 20_000
    eta = torch.full((count,), 0.3)
    y = law.draw(eta, torch.Generator().manual_seed(0))
    assert law.valid(y).all()
    variance = 0.49 if name == "gaussian" else float(law.bend(eta)[0])
    # Five standard errors of a mean.
    assert float(y.mean()) == pytest.approx(
        float(law.mean(eta)[0]), abs=5 * (variance / count) ** 0.5
    )
    assert float(y.var()) == pytest.approx(variance, rel=0.1)
    again = law.draw(eta, torch.Generator().manual_seed(0))
    assert torch.equal(y, again)


def test_values_that_a_law_cannot_give_are_invalid():
    y = torch.tensor([-1.0, 0.5, 2.0, torch.nan, torch.inf])
    assert Gaussian().valid(y).tolist() == [True, True, True, False, False]
    assert Binomial(1).valid(y).tolist() == [False] * 5
    assert Binomial(2).valid(y).tolist() == [False, False, True, False, False]
    assert Poisson(9.0).valid(y).tolist() == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gaussian", {"std": 0.0}), ("binomial", {"trials": 0}), ("poisson", {"largest": -1.0}),
        ("poisson", {}), ("binomial", {"width": 2}), ("gamma", {}),
    ],
)  # fmt: skip
def test_what_is_no_law_is_refused(name, options):
    with pytest.raises((ValueError, TypeError)):
        law_of(name, **options)


def test_laws_go_by_their_names():
    made = law_of("gaussian"), law_of("binomial", trials=3), law_of("poisson", largest=4.0)
    assert [type(law) for law in made] == list(LAWS.values())
