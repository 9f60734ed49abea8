"""Deconvolution: kernels and events of made-up recordings are found again, whatever is asked."""

import math

import numpy as np
import pytest
import torch
from event_problems import generator

import groupsparse as gs
from groupsparse import deconvolution
from groupsparse.detection import event_scores, kernel_errors, renamed
from groupsparse.event_learning import Fit, shifted, start_kernels
from groupsparse.likelihood import law_of
from groupsparse.slots import Slots, Trials

# Name, options, baseline and size of events: each stands out in a single neuron.
LAWS = {
    "gaussian": ("gaussian", {"std": 1.0}, 0.0, 8.0),
    "binomial": ("binomial", {"trials": 10}, -2.0, 6.0),
    "poisson": ("poisson", {"largest": 50.0}, 0.0, 5.0),
}
every_law = pytest.mark.parametrize("name", LAWS)
ONE = [[2.0, 4.0, 5.0, 3.0, 3.0, 2.0, 1.0, 1.0]]
TWO = [ONE[0], [1.0, -4.0, 3.0, -3.0, 3.0, -4.0, 2.0, 1.0]]
N, T, L = 40, 40, 8
P = T - L + 1
QUICK = {"sweeps": 20, "starts": 4, "chains": 2}
FEW = {"sweeps": 6, "starts": 1, "chains": 1}  # where it does not matter how well it searches


def unit(kernels):
    return torch.nn.functional.normalize(torch.tensor(kernels, dtype=torch.float64), dim=-1)


def made_up(name, kernels=ONE, number=2, neurons=1, seed=0, size=None, count=N):
    """Trials, their events and what is known of their law; ``number`` of events of each trial."""
    kind, options, base, usual = LAWS[name]
    law, draw, h = law_of(kind, **options), generator(seed), unit(kernels)
    numbers = torch.as_tensor(number).expand(count)
    trial = torch.arange(count).repeat_interleave(numbers)
    times = [torch.randperm(P // 3, generator=draw)[:n] * 3 for n in numbers.tolist()]
    kernel = torch.randint(len(h), trial.shape, generator=draw)
    spread = 1 + 0.2 * torch.randn(len(trial), neurons, generator=draw, dtype=torch.float64)
    events = gs.Events(trial, kernel, torch.cat(times), (size or usual) * spread).ordered()
    codes = events.codes(count, len(h), P).permute(3, 2, 0, 1).flatten(2)
    eta = base + gs.convolve(codes, h).unflatten(-1, (count, neurons)).permute(1, 2, 0)
    baseline = torch.full((count, neurons), base, dtype=torch.float64)
    known = {"law": kind, "law_options": options, "baseline": baseline}
    return law.draw(eta, draw), events, known


def scores(found, kernels, events):
    """Largest error of a kernel, hit rate and false discovery, up to a shift by one."""
    errors = kernel_errors(found.kernels, unit(kernels), lags=1)
    return float(errors.errors.max()), *event_scores(
        renamed(found.events, errors.order), events, tolerance=1
    ).values()


@every_law
def test_kernels_and_events_are_found_together(name):
    y, events, known = made_up(name)
    best = scores(gs.deconvolve(y, 1, L, events=events, **known), ONE, events)[0]
    error, hits, false = scores(gs.deconvolve(y, 1, L, events=2, **known, **QUICK), ONE, events)
    assert best < 0.1
    assert error < 2 * best
    assert hits > 0.9
    assert false < 0.1


def test_several_kernels_are_told_apart():
    y, events, known = made_up("gaussian", TWO)
    error, hits, false = scores(gs.deconvolve(y, 2, L, events=2, **known, **QUICK), TWO, events)
    assert error < 0.15
    assert hits > 0.9
    assert false < 0.1


@every_law
@pytest.mark.parametrize("signs", [[1, 1], [-1, 1], [0, 0]])
def test_known_times_need_no_search_and_any_start(name, signs, monkeypatch):
    monkeypatch.setattr(deconvolution, "learn", None)
    y, events, known = made_up(name, TWO, neurons=2, seed=1)
    found = gs.deconvolve(y, 2, L, events=events, signs=signs, **known)
    for mine, theirs in zip(found.events[:3], events[:3], strict=True):
        assert torch.equal(mine, theirs)
    assert kernel_errors(found.kernels, unit(TWO)).errors.max() < 0.12
    if signs != [0, 0]:  # a kernel whose amplitudes are negative is upside down
        cosines = (found.kernels * unit(TWO)).sum(-1)
        assert (cosines.sign() == torch.tensor(signs)).all()
        assert (found.events.amplitude * torch.tensor(signs)[events.kernel, None] >= 0).all()


@every_law
def test_events_that_neurons_share_are_found_where_single_neurons_do_not_show_them(name):
    y, events, known = made_up(name, number=1, neurons=8, size=LAWS[name][3] / 4)
    options = {"learn_kernels": False, "events": 1, **QUICK}
    together = gs.deconvolve(y, ONE, **known | options)
    alone = [
        gs.deconvolve(
            y[:, c : c + 1], ONE, **known | options | {"baseline": known["baseline"][:, c : c + 1]}
        )
        for c in (0, 5)
    ]
    assert event_scores(together.events, events, 1)["hit_rate"] > 0.85
    assert max(event_scores(a.events, events, 1)["hit_rate"] for a in alone) < 0.7
    assert together.events.amplitude.shape == (N, 8)


@every_law
def test_a_penalty_finds_how_many_events_a_trial_has(name):
    count = 3 * N
    y, events, known = made_up(name, number=torch.arange(count) % 4, count=count)
    options = {"learn_kernels": False, "events": 5, "penalty": math.log(P), **QUICK}
    found = gs.deconvolve(y, ONE, **known, **options).events
    numbers = torch.bincount(found.trial, minlength=count)
    right = (numbers == torch.arange(count) % 4).double().mean()
    # With amplitudes that vary by a fifth, one may pass for two: 0.94 of trials, spread 0.02.
    assert right >= 0.88
    assert event_scores(found, events, 1)["hit_rate"] > 0.9
    none = gs.deconvolve(y, ONE, **known, **options | {"penalty": 1e6})
    assert none.events.size == 0
    assert torch.isfinite(none.rate).all()


@every_law
def test_what_is_missing_is_not_needed_and_no_event_lies_where_nothing_was_seen(name):
    y, events, known = made_up(name)
    y = y.masked_fill(torch.rand(y.shape, generator=generator(3)) < 0.1, torch.nan)
    y[::4, :, 25:] = torch.nan  # short trials
    y[3] = torch.nan
    found = gs.deconvolve(y, 1, L, events=2, **known, **QUICK)
    seen = ~((events.trial % 4 == 0) & (events.time > 25 - L // 2)) & (events.trial != 3)
    error, hits, _ = scores(found, ONE, events.take(seen))
    assert error < 0.2
    assert hits > 0.85
    assert (found.events.time[found.events.trial % 4 == 0] < 25).all()
    assert 3 not in found.events.trial
    assert np.isfinite(found.loss)


@every_law
def test_short_trials_are_as_if_they_had_been_given_alone(name):
    y, events, known = made_up(name)
    events = events.take(events.time <= 30 - L)
    whole = y.clone()
    whole[..., 30:] = torch.nan
    long = gs.deconvolve(whole, ONE, events=events, **known)
    short = gs.deconvolve(y[..., :30], ONE, events=events, **known)
    torch.testing.assert_close(long.kernels, short.kernels, rtol=0, atol=1e-9)
    torch.testing.assert_close(long.events.amplitude, short.events.amplitude, rtol=0, atol=1e-7)
    assert long.loss == pytest.approx(short.loss)


@every_law
def test_the_rate_and_the_loss_are_those_of_kernels_events_and_baseline(name):
    y, _, known = made_up(name, TWO, neurons=2)
    y[0, 0, :9] = torch.nan
    found = gs.deconvolve(y, 2, L, events=2, fit_baseline=True, **known, **FEW)
    codes = found.events.codes(N, 2, P).permute(3, 2, 0, 1).flatten(2)
    eta = gs.convolve(codes, found.kernels).unflatten(-1, (N, 2)).permute(1, 2, 0)
    eta = eta + found.baseline.unsqueeze(-1)
    law = law_of(known["law"], **known["law_options"])
    torch.testing.assert_close(found.rate, law.mean(eta), rtol=0, atol=1e-10)
    seen = ~y.isnan()
    assert found.loss == pytest.approx(float(law.nll(eta[seen], y[seen]).sum()))
    torch.testing.assert_close(found.kernels.norm(dim=-1), torch.ones(2).double())
    assert not torch.equal(found.baseline, known["baseline"])


@every_law
def test_a_baseline_that_is_fitted_mends_a_wrong_one(name):
    y, events, known = made_up(name)
    wrong = known | {"baseline": known["baseline"] + 0.7}
    found = gs.deconvolve(y, ONE, events=events, fit_baseline=True, **wrong)
    kept = gs.deconvolve(y, ONE, events=events, **wrong)
    assert torch.equal(kept.baseline, wrong["baseline"])
    off = float((found.baseline - known["baseline"]).mean())
    # Five standard errors of N trials of T entries, and what the amplitudes take from it.
    bend = float(law_of(known["law"], **known["law_options"]).bend(known["baseline"]).mean())
    assert abs(off) < 5 / (bend * N * T) ** 0.5 + 0.1
    assert found.loss < kept.loss


@every_law
def test_a_baseline_that_is_not_given_is_fitted(name):
    y, events, known = made_up(name)
    del known["baseline"]
    found = gs.deconvolve(y, ONE, events=events, **known)
    fitted = gs.deconvolve(y, ONE, events=events, fit_baseline=True, **known)
    mean = gs.deconvolve(y, ONE, events=events, fit_baseline=False, **known)
    assert torch.equal(found.baseline, fitted.baseline)
    assert found.loss < mean.loss, "the mean has the events in it"


def test_the_same_seed_gives_the_same_bits_and_a_generator_is_taken_as_well():
    y, _, known = made_up("poisson", TWO)
    runs = [
        gs.deconvolve(y, 2, L, events=2, seed=seed, **known, **FEW)
        for seed in (3, 3, generator(3), 4)
    ]
    for other in runs[1:3]:
        assert torch.equal(runs[0].kernels, other.kernels)
        assert torch.equal(runs[0].events.amplitude, other.events.amplitude)
        assert torch.equal(runs[0].rate, other.rate)
    assert not torch.equal(runs[0].kernels, runs[3].kernels)


def test_the_unit_of_traces_does_not_matter():
    y, _, known = made_up("gaussian", TWO, number=torch.arange(N) % 3)
    options = {"events": 3, "penalty": 4.0, **FEW}
    one = gs.deconvolve(y, 2, L, **known, **options)
    unit = 2.0**20
    other = gs.deconvolve(
        y * unit, 2, L, law_options={"std": unit}, baseline=known["baseline"] * unit, **options
    )
    assert torch.equal(one.events.time, other.events.time)
    torch.testing.assert_close(one.kernels, other.kernels, rtol=0, atol=1e-6)


def test_an_offset_of_every_trial_does_not_matter_if_the_baseline_has_it():
    y, events, known = made_up("gaussian")
    offset = 1e4 * torch.arange(N, dtype=torch.float64).view(N, 1)
    known["baseline"] = known["baseline"] + offset
    y = (y + offset.unsqueeze(-1)).masked_fill(torch.arange(T) == 7, torch.nan)
    found = gs.deconvolve(y, 1, L, events=2, **known, **QUICK)
    assert scores(found, ONE, events)[0] < 0.15


def test_kernels_that_are_not_to_be_learnt_are_kept():
    y, _, known = made_up("gaussian")
    found = gs.deconvolve(y, ONE, events=2, learn_kernels=False, **known, **QUICK)
    assert torch.equal(found.kernels, unit(ONE))


@pytest.mark.parametrize("by", [-2, -1, 1, 2])
def test_a_window_that_begins_too_early_or_too_late_is_moved(by):
    h = unit([[*ONE[0], *reversed(ONE[0])]])  # 16 times: shifts reach 2
    law, starts, draw = law_of("gaussian", std=0.1), T - 16 + 1, generator(0)
    made = Slots(
        torch.zeros(N, 1).long(), torch.randint(3, starts - 3, (N, 1), generator=draw),
        torch.ones(N, 1).bool(), torch.full((N, 1, 1), 3.0).double(),
    )  # fmt: skip
    blank = torch.zeros(N, 1, T).double()
    trials = Trials(law, blank, None, blank[..., :1], torch.ones(N, 1, starts).bool())
    trials = trials._replace(values=made.signal(trials, h))
    cut = torch.zeros_like(h)
    cut[:, max(0, -by) : 16 - max(0, by)] = h[:, max(0, by) : 16 + min(0, by)]
    late = made._replace(time=made.time + by)
    options = Fit(False, 0.0, torch.zeros(1).bool(), False)
    kernels, found = shifted(trials, late, cut, options)
    assert torch.equal(found.time, made.time)
    assert float(kernel_errors(kernels, h).errors) < 1e-4
    kept = shifted(trials, made, h, options)
    assert torch.equal(kept[1].time, made.time)


@pytest.mark.parametrize("name", ["gaussian", "poisson"])
def test_events_lie_within_the_support_and_keep_their_distance_also_at_the_end(name):
    y, _, known = made_up(name, number=4)
    support = torch.zeros(N, 1, P, dtype=torch.bool)
    support[..., 1::2] = True  # the truth is at multiples of 3
    for seed in range(3):
        found = gs.deconvolve(
            y, 1, L, events=4, support=support, spacing=4, seed=seed, **known, **FEW
        ).events
        assert (found.time % 2 == 1).all()
        for n in range(N):
            assert (found.time[found.trial == n].diff() >= 4).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_nonnegative_kernels_are_so_whatever_they_start_from(sign):
    y, events, known = made_up("gaussian")
    known["baseline"] = sign * known["baseline"]
    for options in ({"starts": 1, "sweeps": 4}, {}):
        found = gs.deconvolve(
            sign * y, 1, L, events=2, nonnegative=True, signs=[sign], **known, **QUICK | options
        )
        assert (found.kernels >= 0).all()
        assert (sign * found.events.amplitude >= 0).all()
    assert scores(found, ONE, events)[0] < 0.15


def test_smooth_kernels_are_smoother():
    y, events, known = made_up("gaussian", size=2.0)
    rough = gs.deconvolve(y, 1, L, events=events, **known).kernels
    smooth = gs.deconvolve(y, 1, L, events=events, smooth=1e3, **known).kernels
    assert smooth.diff().square().sum() < rough.diff().square().sum()


def test_recordings_of_more_windows_than_multinomial_takes_can_be_started():
    y = torch.zeros(1, 1, 2**24 + 30)
    y[..., 5_000:5_004] = 1.0
    baseline, bound = torch.zeros(1, 1, 1), torch.zeros(1, dtype=torch.bool)
    trials = Trials(law_of("gaussian"), y, None, baseline, None)
    found = start_kernels(trials, 8, torch.tensor([math.inf]), bound, generator(0))
    assert found.shape == (1, 8)
    assert float(found.norm()) == pytest.approx(1.0)


def test_windows_are_drawn_in_proportion_to_their_energy():
    # Two windows with anything in them, of which one has 9 times the energy of the other.
    y = torch.zeros(1, 1, 20)
    y[0, 0, 4], y[0, 0, 14] = 1.0, -3.0
    none, bound = torch.zeros(1, 1, 1), torch.zeros(1, dtype=torch.bool)
    trials = Trials(law_of("gaussian"), y, None, none, None)
    draw = generator(0)
    drawn = [start_kernels(trials, 1, torch.ones(1), bound, draw).item() for _ in range(1000)]
    # Three standard deviations of a binomial share.
    assert drawn.count(-1.0) / 1000 == pytest.approx(0.9, abs=3 * math.sqrt(0.09 / 1000))
