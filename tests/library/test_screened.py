"""Searches that look at the best places alone, or at a few neurons, find what the whole one does"""

import math

import pytest
import torch

import groupsparse as gs
from groupsparse.annealing import Prior, places
from groupsparse.detection import renamed
from groupsparse.likelihood import law_of
from groupsparse.populations import most_telling
from groupsparse.slots import Trials, windows, windows_at

TRIALS, TIMES, LENGTH = 24, 60, 8
KERNELS = torch.nn.functional.normalize(
    torch.stack([torch.exp(-torch.arange(8.0) / 3), torch.sin(torch.pi * torch.arange(1, 9) / 9)]),
    dim=-1,
)


def population(neurons: int, law: str = "gaussian") -> tuple[torch.Tensor, gs.Events]:
    """One event of each kernel in a trial; neuron c responds in proportion to c."""
    random = torch.Generator().manual_seed(0)
    trial, kernel = torch.arange(TRIALS).repeat_interleave(2), torch.arange(2).repeat(TRIALS)
    time = torch.randint(0, TIMES - LENGTH + 1, (2 * TRIALS,), generator=random)
    amplitude = torch.linspace(0.5, 5, neurons).repeat(2 * TRIALS, 1)
    events = gs.Events(trial, kernel, time, amplitude).ordered()
    eta = torch.zeros(TRIALS, neurons, TIMES)
    for n, k, t, x in zip(*events, strict=True):
        eta[n, :, t : t + LENGTH] += x.unsqueeze(-1) * KERNELS[k]
    return law_of(law, std=0.5).draw(eta, random), events


def trials_of(y: torch.Tensor) -> Trials:
    shape = len(y), 2, TIMES - LENGTH + 1
    allowed = torch.ones(shape, dtype=torch.bool)
    return Trials(law_of("gaussian", std=0.5), y, None, torch.zeros(*y.shape[:2], 1), allowed)


def guess(neurons: int) -> Prior:
    free = torch.full((2,), torch.inf)
    return Prior(torch.full((2, neurons), 2.0), 1.0, 1.0, -free, free, None)


@pytest.mark.parametrize("reach", [6.0, 0.5])
def test_the_parabola_of_a_gaussian_law_is_exact_and_the_screen_keeps_the_best_places(
    monkeypatch, reach
):
    """The closed form gives the gains, amplitudes and curvatures of Newton steps in windows."""
    monkeypatch.setattr("groupsparse.annealing.REACH", reach)
    y, _ = population(3)
    y, prior = y.double(), Prior(*(v.double() for v in guess(3)[:1]), *guess(3)[1:])
    kernels, seen = KERNELS.double(), (torch.arange(TIMES) % 7 > 0).to(y).expand_as(y)
    trials = trials_of(y)._replace(observed=seen)
    eta, mean = torch.zeros_like(y), prior.mean.expand(TRIALS, -1, -1)
    std = torch.linspace(0.5, 1.5, TRIALS).double()
    look = trials, eta, kernels, mean, std, prior, torch.zeros_like(trials.allowed)
    whole, some = places(*look), places(*look, screen=5)
    with monkeypatch.context() as patch:
        patch.setattr(type(trials.law), "quadratic", False)
        steps = places(*look)
    for name in ("gain", "amplitude", "curvature", "time"):
        there = getattr(steps, name).to(y)
        # Sums of a hundred products of numbers up to 10^3, in float64.
        assert torch.allclose(getattr(whole, name).to(y), there, rtol=0, atol=1e-10), name
    clamped = (whole.amplitude - 2).abs() >= reach * std.view(-1, 1, 1, 1) * (1 - 1e-9)
    assert 0 < clamped.double().mean() < 1, "some amplitudes are at the end of their reach"
    best = whole.gain.topk(5, -1).values
    assert torch.allclose(some.gain.sort(-1, descending=True).values, best, rtol=0, atol=1e-12)


def test_closed_places_gain_nothing_with_a_screen_too():
    y, _ = population(2)
    closed = torch.zeros(TRIALS, 2, TIMES - LENGTH + 1, dtype=torch.bool)
    closed[..., 3:] = True
    prior, eta = guess(2), torch.zeros_like(y)
    mean, std = prior.mean.expand(TRIALS, -1, -1), torch.ones(TRIALS)
    found = places(trials_of(y), eta, KERNELS, mean, std, prior, closed, screen=5)
    assert ((found.gain > -torch.inf) == (found.time < 3)).all()


def test_windows_at_times_are_those_of_events():
    y, events = population(2)
    time = events.time.view(TRIALS, 2)
    expected = windows(y, events, LENGTH).view(TRIALS, 2, 2, LENGTH).transpose(1, 2)
    assert torch.equal(windows_at(y, time, LENGTH), expected)


def test_the_neurons_that_say_most_are_those_that_respond_most():
    y, _ = population(12)
    assert most_telling(trials_of(y), LENGTH, 4).tolist() == [8, 9, 10, 11]
    assert len(most_telling(trials_of(y), LENGTH, 40)) == 12


@pytest.mark.parametrize("options", [{"screen": 6}, {"screen": 6, "search_neurons": 3}])
def test_kernels_and_events_of_a_population_are_found(options):
    y, events = population(12)
    found = gs.deconvolve(
        y, 2, LENGTH, events=2, law_options={"std": 0.5}, baseline=torch.zeros(TRIALS, 12),
        spacing=TIMES, sweeps=20, chains=3, **options,
    )  # fmt: skip
    assert found.events.amplitude.shape == (2 * TRIALS, 12)
    matched = gs.kernel_errors(found.kernels, KERNELS)
    assert matched.errors.max() < 0.06
    scores = gs.event_scores(renamed(found.events, matched.order), events, 0)
    assert scores["hit_rate"] > 0.95


@pytest.mark.parametrize("name", ["screen", "search_neurons"])
def test_numbers_out_of_range_are_refused(name):
    y, _ = population(2)
    with pytest.raises(ValueError, match=name):
        gs.deconvolve(y, 2, LENGTH, events=2, **{name: 0})


@pytest.mark.parametrize("few", [None, 3])
def test_what_an_event_costs_counts_in_the_last_look_as_well(few):
    kernel = torch.tensor([[0.6, 0.8, 0.0, 0.0]])
    y = 0.3 * torch.randn(20, 6, 30, generator=torch.Generator().manual_seed(1))
    y[:10, :, 11:13] += 3 * kernel[0, :2]
    found = gs.deconvolve(
        y, kernel, events=1, law_options={"std": 0.3}, baseline=torch.zeros(20, 6), sweeps=8,
        learn_kernels=False, penalty=math.log(27) + 3, search_neurons=few,
    )  # fmt: skip
    assert found.events.trial.tolist() == list(range(10))
