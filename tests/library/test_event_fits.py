"""Newton steps for kernels, amplitudes and baselines: derivatives, optima, bounds."""

import numpy as np
import pytest
import torch
from event_problems import K, L, N, T, every_law, kernels, random, slots, trials
from scipy.optimize import minimize

from groupsparse import event_fits
from groupsparse.annealing import Prior, losses
from groupsparse.event_fits import fit_amplitudes, fit_baseline, fit_kernels
from groupsparse.event_learning import with_baseline
from groupsparse.slots import Slots, in_parts

hidden_or_not = pytest.mark.parametrize("hidden", [False, True])
ANY = torch.full((K,), -torch.inf, dtype=torch.float64), torch.full((K,), torch.inf).double()
NONE = torch.zeros(()).double()


def captured(monkeypatch):
    """What the fits hand to the Newton iteration: loss, direction, projection."""
    kept = {}

    def keep(x, loss, direction, project, steps):
        kept.update(loss=loss, direction=direction, project=project)
        return x

    monkeypatch.setattr(event_fits, "_newton", keep)
    return kept


def newton_step(loss, x):
    """-H^-1 g by autograd, H lifted as the module says; over all of x."""
    flat = x.detach().flatten()
    of_flat = lambda v: loss(v.view(x.shape)).sum()  # noqa: E731
    slope = torch.autograd.functional.jacobian(of_flat, flat)
    bend = torch.autograd.functional.hessian(of_flat, flat)
    return slope, bend, -torch.linalg.solve(event_fits._lifted(bend), slope).view(x.shape)


@every_law
@hidden_or_not
def test_steps_of_kernels_have_the_derivatives_of_autograd(name, hidden, monkeypatch):
    """Events of the same and of different kernels overlap, in several neurons."""
    kept, events, h = captured(monkeypatch), slots().events(), kernels()
    fit_kernels(trials(name, hidden), events, h, smooth=0.3)
    assert torch.equal(kept["project"](-h), -h)
    *_, wanted = newton_step(kept["loss"], h)
    torch.testing.assert_close(kept["direction"](h), wanted, rtol=1e-8, atol=1e-10)


@every_law
@hidden_or_not
def test_the_curvature_by_the_kernels_is_that_of_autograd(name, hidden):
    these, made, h = trials(name, hidden), slots(), kernels()
    bend = event_fits._kernel_bend(these.bend(made.signal(these, h)), made.events(), h)
    wanted = torch.autograd.functional.hessian(lambda v: these.loss(made.signal(these, v)).sum(), h)
    torch.testing.assert_close(bend, wanted, rtol=0, atol=1e-11)


@every_law
@hidden_or_not
def test_steps_of_amplitudes_have_the_derivatives_of_autograd(name, hidden, monkeypatch):
    kept, made, h = captured(monkeypatch), slots(), kernels()
    these, mean, precision = trials(name, hidden), random(N, 4, 3), random(3).square()
    fit_amplitudes(these, made, h, mean, precision, *ANY)
    step = kept["direction"](made.amplitude)
    for n in range(N):
        part, own = these.take(slice(n, n + 1)), made.take(slice(n, n + 1))

        def loss(x, part=part, own=own, n=n):
            off = (x - mean[n : n + 1]) * own.active.unsqueeze(-1)
            prior = (precision * off.square()).sum() / 2
            return (
                part.loss(own._replace(amplitude=x * own.active.unsqueeze(-1)).signal(part, h))
                + prior
            )

        slope, bend, _ = newton_step(loss, own.amplitude)
        # Neurons are apart. Lifting differs by them: EPSILON of the curvature.
        active = own.active.unsqueeze(-1).expand_as(own.amplitude).flatten()
        wanted = -torch.linalg.solve(bend[active][:, active], slope[active])
        error = (step[n].flatten()[active] - wanted).abs()
        assert (error <= 1e-4 * (1 + wanted.abs())).all()
        assert not step[n][~made.active[n]].any(), "empty slots stay"
    # But for what times without events add, which no amplitude changes.
    none = made._replace(amplitude=torch.zeros_like(made.amplitude))
    found = kept["loss"](made.amplitude) - kept["loss"](none.amplitude)
    by_hand = these.loss(made.signal(these, h)) - these.loss(none.signal(these, h))
    off = made.amplitude.square() - 2 * mean * made.amplitude
    off = precision * off * made.active.unsqueeze(-1)
    torch.testing.assert_close(found, by_hand + off.sum((1, 2)) / 2)


@hidden_or_not
def test_with_traces_one_step_of_the_kernels_is_least_squares(hidden):
    these, events = trials("gaussian", hidden), slots().events()
    design = np.zeros((N, 3, T, K, L))
    for n, k, t, x in zip(*events, strict=True):
        for lag in range(L):
            design[n, :, t + lag, k, lag] += x.numpy()
    seen = np.ones(design.shape[:3]) if these.observed is None else these.observed.numpy()
    rows = seen.reshape(-1) > 0
    rest = (these.values - these.baseline).numpy().reshape(-1)[rows]
    wanted = np.linalg.lstsq(design.reshape(-1, K * L)[rows], rest, rcond=None)[0]
    found = fit_kernels(these, events, kernels())
    error = np.abs(found.numpy().flatten() - wanted)
    # Lifting by EPSILON moves by at most EPSILON times the condition, below 100 here.
    assert error.max() <= 100 * event_fits.EPSILON * np.abs(wanted).max()


@hidden_or_not
def test_with_traces_one_step_of_the_amplitudes_is_ridge_regression(hidden):
    these, made, h = trials("gaussian", hidden), slots(), kernels()
    mean, precision = torch.tensor(0.5).double(), torch.tensor(2.0).double()
    found = fit_amplitudes(these, made, h, mean, precision, *ANY, steps=1).amplitude
    for n in range(N):
        here = [s for s in range(4) if made.active[n, s]]
        design = np.zeros((T, len(here)))
        for i, s in enumerate(here):
            t = int(made.time[n, s])
            design[t : t + L, i] = h[made.kernel[n, s]].numpy()
        for c in range(3):
            seen = np.ones(T) if these.observed is None else these.observed[n, c].numpy()
            weight = these.law.scale * seen
            rest = (these.values - these.baseline)[n, c].numpy() - 0.5 * design.sum(1)
            gram = design.T @ (weight[:, None] * design) + 2 * np.eye(len(here))
            wanted = 0.5 + np.linalg.solve(gram, design.T @ (weight * rest))
            error = np.abs(found[n, here, c].numpy() - wanted)
            assert (error < 1e-4).all()
        assert not found[n][~made.active[n]].any()


def bounded(loss, x, low, high):
    """The optimum within bounds by L-BFGS-B."""

    def both(v):
        point = torch.from_numpy(v.copy()).view(x.shape).requires_grad_()
        value = loss(point).sum()
        (slope,) = torch.autograd.grad(value, point)
        return value.item(), slope.flatten().numpy()

    low, high = (np.broadcast_to(b, x.shape).ravel() for b in (low, high))
    start = np.clip(x.numpy().ravel(), low, high)
    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-9}
    bounds = list(zip(low, high, strict=True))
    return minimize(both, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).fun


@every_law
@hidden_or_not
@pytest.mark.parametrize("bounds", [(0.0, np.inf), (-np.inf, 0.0), (0.1, 0.4)])
def test_many_steps_reach_the_best_amplitudes_within_their_bounds(name, hidden, bounds):
    these, made, h = trials(name, hidden), slots(), kernels(3).abs()
    mean, precision = torch.tensor(0.2).double(), torch.tensor(1.0).double()
    low, high = (torch.full((K,), b, dtype=torch.float64) for b in bounds)
    here = made.active.unsqueeze(-1)

    def loss(x):
        fit = these.loss(made._replace(amplitude=x * here).signal(these, h))
        return fit + ((x - mean).square() * here).sum((1, 2)) / 2

    found = fit_amplitudes(these, made, h, mean, precision, low, high, steps=40).amplitude
    inside = (found >= bounds[0]) & (found <= bounds[1])
    assert (inside | ~here).all()
    least = bounded(loss, made.amplitude, *bounds)
    assert float(loss(found).sum()) <= least + 1e-8 * abs(least)


@every_law
@hidden_or_not
def test_many_steps_reach_the_best_kernels_that_are_smooth_and_nonnegative(name, hidden):
    these, events, smooth = trials(name, hidden), slots(positive=True).events(), 0.7
    made = Slots.of(events, N)

    def loss(h):
        return these.loss(made.signal(these, h)).sum() + smooth * h.diff().square().sum() / 2

    positive = torch.tensor([True, False])
    start = -kernels().abs()  # outside of the bounds
    found = fit_kernels(these, events, start, smooth, positive, steps=40)
    assert (found[0] >= 0).all()
    least = bounded(loss, start, np.array([[0.0], [-np.inf]]), np.inf)
    assert float(loss(found)) <= least + 1e-8 * abs(least)
    rough = fit_kernels(these, events, start, 0.0, positive, steps=40)
    assert found.diff().square().sum() < rough.diff().square().sum()
    free = fit_kernels(these, events, start, smooth, steps=40)
    assert float(loss(free)) <= float(loss(found))


@every_law
@hidden_or_not
def test_many_steps_reach_the_baseline_at_which_the_slope_is_zero(name, hidden):
    these = trials(name, hidden)
    added = 0.3 * random(N, 3, T, seed=5)
    fitted = fit_baseline(these, added, steps=60)
    slope = fitted.slope(fitted.baseline + added).sum(-1)
    some = these.values.sum(-1) > 0 if name != "gaussian" else torch.ones_like(slope).bool()
    assert some.sum() > 8
    assert slope[some].abs().max() < 1e-6 * T


@every_law
def test_a_neuron_that_is_silent_keeps_a_finite_baseline(name):
    these = trials(name)
    these.values[0] = 0
    these = these._replace(observed=torch.ones_like(these.values))
    these.observed[1] = 0
    fitted = fit_baseline(these, torch.zeros_like(these.values), steps=100)
    assert torch.isfinite(fitted.baseline).all()
    assert torch.equal(fitted.baseline[1], these.baseline[1]), "nothing was observed"


@every_law
def test_a_step_never_makes_a_trial_worse(name):
    these, far, h = trials(name), slots(), kernels()
    far = far._replace(amplitude=30 * far.amplitude)
    found = fit_amplitudes(these, far, h, NONE, NONE, *ANY, steps=1)
    assert (these.loss(found.signal(these, h)) <= these.loss(far.signal(these, h))).all()
    assert torch.isfinite(found.amplitude).all()
    fitted = fit_kernels(these, far.events(), h)
    assert these.loss(far.signal(these, fitted)).sum() <= these.loss(far.signal(these, h)).sum()


def test_what_starts_outside_of_its_bounds_is_inside_even_without_a_step():
    these, made, h = trials("gaussian"), slots(), -kernels().abs()
    positive = torch.tensor([True, False])
    found = fit_kernels(these, made.events(), h, nonnegative=positive, steps=0)
    assert torch.equal(found, h * torch.tensor([[0.0], [1.0]]))
    low, high = torch.full((K,), -0.125).double(), torch.full((K,), 0.25).double()
    found = fit_amplitudes(these, made, h, NONE, NONE, low, high, steps=0).amplitude
    assert torch.equal(found, made.amplitude.clamp(-0.125, 0.25))


def test_a_kernel_without_events_and_trials_without_events_change_nothing():
    these, made, h = trials("gaussian"), slots(), kernels()
    only = made._replace(kernel=torch.zeros_like(made.kernel)).events()
    found = fit_kernels(these, only, h)
    assert torch.equal(found[1], h[1])
    assert not torch.equal(found[0], h[0])
    assert torch.equal(fit_kernels(these, only.take(only.trial < 0), h), h)
    empty = Slots.empty(N, 0, 3, h)
    assert fit_amplitudes(these, empty, h, NONE, NONE, *ANY).amplitude.shape == (N, 0, 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_fits_keep_the_precision_they_are_given(dtype):
    these, made = trials("poisson", hidden=True), slots()
    cast = [x.to(dtype) for x in these[1:4]]
    these = type(these)(these.law, *cast, these.allowed)
    made, h = made._replace(amplitude=made.amplitude.to(dtype)), kernels().to(dtype)
    bounds = (b.to(dtype) for b in ANY)
    fitted = fit_amplitudes(these, made, h, NONE.to(dtype), NONE.to(dtype), *bounds)
    assert fitted.amplitude.dtype == dtype
    assert fit_kernels(these, made.events(), h).dtype == dtype
    assert fit_baseline(these, torch.zeros_like(these.values)).baseline.dtype == dtype


@every_law
@hidden_or_not
def test_trials_in_parts_are_fitted_as_all_at_once(name, hidden, monkeypatch):
    """Losses, kernels, amplitudes and baselines: sums over trials in another order, in float64."""
    these, made, h = trials(name, hidden), slots(), kernels()
    prior = Prior(torch.ones(K, made.amplitude.shape[-1]).double(), 1.0, 0.5, *ANY, None)
    found = []
    for entries in (2**20, 1):
        monkeypatch.setattr("groupsparse.slots.ENTRIES", entries)
        monkeypatch.setattr(event_fits, "ENTRIES", entries)
        assert (len(in_parts(these, made)) == 1) == (entries > 1)
        found.append(
            (
                losses(these, made, h, prior),
                fit_kernels(these, made.events(), h, smooth=0.3),
                fit_amplitudes(these, made, h, NONE + 1, NONE + 1, *ANY).amplitude,
                with_baseline(these, made, h).baseline,
            )
        )
    for whole, parts in zip(*found, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-9, atol=1e-10)
