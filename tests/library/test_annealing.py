"""Gibbs sampling of events: gains and priors by brute force, frequencies, constraints, chains."""

import math

import numpy as np
import pytest
import torch
from event_problems import LAWS, K, L, N, P, every_law, generator, kernels, random, slots, trials
from scipy.optimize import minimize_scalar
from scipy.stats import chi2, multivariate_normal

from groupsparse import annealing
from groupsparse.annealing import Prior, best_chain, losses, places, sweep
from groupsparse.likelihood import Gaussian
from groupsparse.slots import Slots

ANY = torch.full((K,), -torch.inf, dtype=torch.float64), torch.full((K,), torch.inf).double()


def prior(penalty=None, between=0.6, within=0.4, low=ANY[0], high=ANY[1], neurons=3):
    return Prior(random(K, neurons, seed=8), between, within, low, high, penalty)


def brute_force(these, eta, h, mean, std, low, high):
    """Gain and amplitude at every place, one by one."""
    count, neurons, _ = eta.shape
    gain = np.zeros((count, len(h), these.allowed.shape[-1]))
    best = np.zeros((*gain.shape, neurons))
    seen = torch.ones_like(eta) if these.observed is None else these.observed
    for n, k, t in np.ndindex(gain.shape):
        for c in range(neurons):
            at, size = eta[n, c, t : t + L], float(std[n])
            y, weigh = these.values[n, c, t : t + L], seen[n, c, t : t + L]
            middle = float(mean[n, k, c])

            def loss(x, at=at, y=y, weigh=weigh, middle=middle, k=k, size=size):
                nll = these.law.nll(at + x * h[k], y) - these.law.nll(at, y)
                return float((nll * weigh).sum()) + (x - middle) ** 2 / (2 * size**2)

            ends = max(middle - 6 * size, low), min(middle + 6 * size, high)
            found = minimize_scalar(loss, ends, bounds=ends, options={"xatol": 1e-9})
            bend = these.law.bend(at + found.x * h[k]) * weigh @ h[k].square() + size**-2
            gain[n, k, t] += -found.fun - math.log(size**2 * float(bend)) / 2
            best[n, k, t, c] = found.x
    return gain, best


@every_law
@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("bounds", [(-math.inf, math.inf), (0.0, math.inf)])
def test_what_an_event_gains_is_what_brute_force_finds(name, hidden, bounds, monkeypatch):
    these, h = trials(name, hidden, count=2, neurons=2, times=9, starts=5), kernels()
    eta, mean = 0.5 * random(2, 2, 9, seed=4), random(2, K, 2, seed=5)
    std = torch.tensor([0.5, 1.0], dtype=torch.float64)
    low, high = (torch.full((K,), b, dtype=torch.float64) for b in bounds)
    gain, best = brute_force(these, eta, h, mean, std, *bounds)
    few = places(these, eta, h, mean, std, prior(low=low, high=high))
    monkeypatch.setattr(annealing, "NEWTON", 30)
    found = places(these, eta, h, mean, std, prior(low=low, high=high))
    # The search by brute force is exact to 1e-6 at a bound, the square of it elsewhere.
    np.testing.assert_allclose(found.amplitude.numpy(), best, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.gain.numpy(), gain, rtol=0, atol=1e-5)
    np.testing.assert_allclose(few.gain.numpy(), gain, rtol=0, atol=0.01)
    assert few.curvature.shape == few.amplitude.shape == (2, K, 5, 2)


def test_amplitudes_stay_within_bounds_that_are_far_from_their_mean():
    these, mean = trials("gaussian"), torch.full((N, K, 3), -50.0, dtype=torch.float64)
    std = torch.full((N,), 0.1, dtype=torch.float64)
    low, high = torch.zeros(K).double(), torch.full((K,), 2.0).double()
    for middle in (mean, -mean):
        found = places(
            these, these.values, kernels(), middle, std, prior(low=low, high=high)
        ).amplitude
        assert ((found >= 0) & (found <= 2)).all()


@pytest.mark.parametrize("between", [0.0, 0.6])
def test_an_amplitude_given_the_others_is_that_of_the_joint_normal(between):
    these, made = prior(between=between), slots()
    for but in range(4):
        mean, std = these.given(made, but)
        for n in range(N):
            others = [s for s in range(4) if made.active[n, s] and s != but]
            cov = 0.4**2 * np.eye(len(others) + 1) + between**2
            weights = cov[0, 1:] @ np.linalg.inv(cov[1:, 1:])
            variance = cov[0, 0] - weights @ cov[1:, 0]
            off = (made.amplitude - these.mean[made.kernel])[n, others].numpy()
            wanted = these.mean.numpy() + weights @ off
            np.testing.assert_allclose(mean[n].numpy(), wanted, rtol=0, atol=1e-12)
            assert float(std[n]) == pytest.approx(variance**0.5, abs=1e-12)


@pytest.mark.parametrize("penalty", [None, 1.7])
@pytest.mark.parametrize("between", [0.0, 0.6])
def test_the_loss_of_amplitudes_is_the_density_of_the_joint_normal(between, penalty):
    these, made = prior(penalty, between), slots()
    found = these.loss(made)
    for n in range(N):
        here = [s for s in range(4) if made.active[n, s]]
        wanted = len(here) * (penalty or 0)
        for c in range(3 if here else 0):
            cov = 0.4**2 * np.eye(len(here)) + between**2
            mean = these.mean[made.kernel[n, here], c].numpy()
            density = multivariate_normal(mean, cov).logpdf(made.amplitude[n, here, c].numpy())
            wanted -= density + len(here) * math.log(2 * math.pi) / 2
        assert float(found[n]) == pytest.approx(wanted, abs=1e-10)


def test_the_loss_of_one_event_in_traces_is_its_probability_with_the_amplitude_integrated_out():
    these, h, own = trials("gaussian", hidden=True), kernels(), prior(penalty=2.0)
    made = Slots.of(slots(empty=False).events().take(slice(0, N * 4, 4)), N)
    eta = these.baseline.expand_as(these.values)
    mean, std = own.given(made, 0)
    found, rows = places(these, eta, h, mean, std, own), torch.arange(N)
    place = rows, made.kernel[:, 0], made.time[:, 0]
    made = made._replace(amplitude=found.amplitude[place].unsqueeze(1))
    gain = these.loss(eta) - losses(these, made, h, own)
    torch.testing.assert_close(gain, found.gain[place] - 2.0, rtol=0, atol=1e-10)


@every_law
@pytest.mark.parametrize("penalty", [None, 0.0, 1e3])
def test_at_temperature_zero_the_best_place_is_taken(name, penalty):
    these, h, own = trials(name), kernels(), prior(penalty)
    these = these._replace(allowed=torch.rand(N, K, P, generator=generator(3)) < 0.5)
    eta = these.baseline.expand_as(these.values)
    start = Slots.empty(N, 1, 3, h)
    found = places(these, eta, h, *own.given(start, 0), own)
    gain = found.gain.masked_fill(~these.allowed, -torch.inf).flatten(1)
    made = sweep(these, start, h, own, 0.0, 1, generator(0))
    best, place = gain.max(1)
    wanted = torch.ones(N, dtype=torch.bool) if penalty is None else best > penalty
    assert torch.equal(made.active[:, 0], wanted)
    at = (made.kernel * P + made.time)[:, 0]
    assert torch.equal(at[wanted], place[wanted])
    values = found.amplitude.flatten(1, 2)[torch.arange(N), place]
    torch.testing.assert_close(made.amplitude[wanted, 0], values[wanted])
    assert not made.amplitude[~wanted].any()
    assert not start.active.any(), "the slots that were given are left alone"


@every_law
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_places_are_drawn_as_often_as_their_odds_say(name, temperature):
    draws = 20_000
    one = trials(name, hidden=True, count=1, neurons=2, times=8, starts=4)
    these, h, own = one.take(torch.zeros(draws).long()), kernels(), prior(1.0, neurons=2)
    made = sweep(these, Slots.empty(draws, 1, 2, h), h, own, temperature, 1, generator(1))
    mean, std = own.given(Slots.empty(1, 1, 2, h), 0)
    found = places(one, one.baseline.expand_as(one.values), h, mean, std, own)
    odds = torch.cat([found.gain.flatten() - 1.0, torch.zeros(1).double()]) / temperature
    expected = draws * odds.softmax(0)
    at = torch.where(made.active, made.kernel * 4 + made.time, 8).flatten()
    counts = torch.bincount(at, minlength=9)
    assert expected.min() > 5, "the distribution of chi-square holds"
    assert float(((counts - expected).square() / expected).sum()) < chi2.ppf(1 - 1e-6, 8)
    # Amplitudes are normal around the best, with the curvature there, and never hotter than 1.
    here = at < 8
    x, w = (part.flatten(1, 2)[0, at[here]] for part in (found.amplitude, found.curvature))
    z = (made.amplitude[here, 0] - x) * w.sqrt()
    count = z.numel()
    assert abs(float(z.mean())) < 5 / count**0.5
    assert abs(float(z.var()) - 1) < 5 * (2 / count) ** 0.5


@pytest.mark.parametrize("temperature", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("spacing", [1, 4])
def test_events_keep_their_distance_and_lie_where_they_may(temperature, spacing):
    these, h = trials("poisson", count=30), kernels()
    these = these._replace(allowed=torch.rand(30, K, P, generator=generator(3)) < 0.4)
    these.allowed[0] = False
    these.allowed[1] = False
    these.allowed[1, 0, 3:5] = True  # fewer places than events
    low, high = torch.tensor([0.0, -math.inf]).double(), torch.tensor([math.inf, 0.0]).double()
    own, made = prior(low=low, high=high), Slots.faint(these, 5, generator(0))
    for seed in range(3):
        made = sweep(these, made, h, own, temperature, spacing, generator(seed))
        found = made.events()
        assert these.allowed[found.trial, found.kernel, found.time].all()
        assert (found.amplitude[found.kernel == 0] >= 0).all()
        assert (found.amplitude[found.kernel == 1] <= 0).all()
        assert made.active[0].sum() == 0
        assert made.active[1].sum() == (2 if spacing == 1 else 1)
        if spacing == 1:
            assert made.active[2:].all(), "without a penalty every slot has an event"
        for n, k in np.ndindex(30, K):
            times = found.time[(found.trial == n) & (found.kernel == k)]
            assert (times.diff() >= spacing).all()


@every_law
@pytest.mark.parametrize("entries", [1, 3 * P * L * 3])
def test_parts_of_trials_change_nothing(name, entries, monkeypatch):
    these, h, own = trials(name, hidden=True), kernels(), prior()
    whole = sweep(these, slots(), h, own, 0.0, 1, generator(0))
    monkeypatch.setattr(annealing, "ENTRIES", entries)
    parts = sweep(these, slots(), h, own, 0.0, 1, generator(0))
    for one, other in zip(whole[:3], parts[:3], strict=True):
        assert torch.equal(one, other)
    torch.testing.assert_close(whole.amplitude, parts.amplitude, rtol=0, atol=1e-12)


@every_law
@pytest.mark.parametrize("temperatures", [[], [5.0], [1.0, 0.0]])
def test_the_best_of_several_chains_is_no_worse_than_what_was_there(name, temperatures):
    these, h, own = trials(name, hidden=True), kernels(), prior(1.0)
    there = sweep(these, slots(), h, own, 0.0, 1, generator(5))
    best = best_chain(these, there, h, own, temperatures, 1, 3, generator(0))
    gap = losses(these, best, h, own) - losses(these, there, h, own)
    assert (gap <= 1e-12).all()
    if temperatures == [1.0, 0.0]:
        poor = slots()._replace(amplitude=50 * slots().amplitude)
        better = best_chain(these, poor, h, own, temperatures, 1, 3, generator(0))
        gap = losses(these, better, h, own) - losses(these, poor, h, own)
        assert (gap[poor.active.any(1)] < -1).all()


def test_the_unit_of_traces_does_not_change_which_number_of_events_is_best():
    these, made, own = trials("gaussian"), slots(), prior(1.0)
    fewer = made._replace(active=made.active.clone(), amplitude=made.amplitude.clone())
    fewer.active[:, 0], fewer.amplitude[:, 0] = False, 0
    unit = 1024.0
    other = these._replace(
        law=Gaussian(LAWS["gaussian"][1]["std"] * unit), values=these.values * unit,
        baseline=these.baseline * unit,
    )  # fmt: skip
    scaled = own._replace(mean=own.mean * unit, between=0.6 * unit, within=0.4 * unit)
    gaps = []
    for data, distribution, factor in ((these, own, 1.0), (other, scaled, unit)):
        both = [s._replace(amplitude=s.amplitude * factor) for s in (made, fewer)]
        one, two = (losses(data, s, kernels(), distribution) for s in both)
        gaps.append(one - two)
    torch.testing.assert_close(*gaps, rtol=0, atol=1e-9)
