"""What deconvolve takes and refuses: dtypes, odd shapes, and errors of one line."""

import numpy as np
import pytest
import torch
from event_problems import generator, random

import groupsparse as gs
from groupsparse import amplitudes, deconvolution, event_learning
from groupsparse.likelihood import Gaussian
from groupsparse.slots import Trials

QUICK = {"events": 2, "sweeps": 4, "starts": 1, "chains": 1}
POISSON = {"law": "poisson", "law_options": {"largest": 20.0}}
Y = random(5, 2, 20)
H = random(2, 6, seed=1)


def unit_norm(h):
    return h / h.norm(dim=-1, keepdim=True)


def known(*places):
    parts = torch.tensor(places, dtype=torch.int64).reshape(-1, 3).T
    return gs.Events(*parts, torch.ones(len(places), 1))


def sound(found, y, count, length):
    """All that is returned is finite, of the right shape, and no event is out of place."""
    starts = y.shape[-1] - length + 1
    assert found.kernels.shape == (count, length)
    assert found.rate.shape == y.shape
    assert found.baseline.shape == y.shape[:2]
    for part in (found.kernels, found.events.amplitude, found.baseline, found.rate):
        assert torch.isfinite(part).all()
    assert np.isfinite(found.loss)
    limits = len(y), count, starts
    for part, limit in zip(found.events[:3], limits, strict=True):
        assert ((part >= 0) & (part < limit)).all()
    torch.testing.assert_close(found.kernels.norm(dim=-1), torch.ones(count).to(found.kernels))
    return found


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("events", [2, known((0, 0, 3), (4, 1, 2))])
def test_results_have_the_precision_of_the_trials_but_at_least_32_bits(dtype, events):
    found = gs.deconvolve(Y.to(dtype), H, **QUICK | {"events": events}, fit_baseline=True)
    wanted = max(dtype, torch.float32, key=lambda d: d.itemsize)
    for part in (found.kernels, found.events.amplitude, found.baseline, found.rate):
        assert part.dtype == wanted
    assert found.events.time.dtype == torch.int64


def test_arrays_of_numpy_and_lists_are_taken_as_tensors_are():
    support = torch.rand(5, 2, 15, generator=generator(0)) < 0.7
    baseline = random(5, 2, seed=4)
    one = gs.deconvolve(Y, H, support=support, signs=[1, 0], baseline=baseline, **QUICK)
    for convert in (np.asarray, torch.Tensor.tolist):
        other = gs.deconvolve(
            convert(Y), convert(H), np.int64(6), support=convert(support),
            signs=convert(torch.tensor([1, 0])), baseline=convert(baseline),
            **QUICK | {"events": np.int64(2)},
        )  # fmt: skip
        assert torch.equal(one.kernels, other.kernels)
        assert torch.equal(one.rate, other.rate)
    drawn = gs.deconvolve(Y, np.int64(2), 6, **QUICK)
    assert torch.equal(drawn.kernels, gs.deconvolve(Y, 2, 6, **QUICK).kernels)


def test_where_nothing_was_observed_there_is_no_event_whatever_the_support_says():
    y = Y.clone()
    y[1], y[2, :, 6:] = torch.nan, torch.nan
    found = gs.deconvolve(y, H, support=torch.ones(5, 2, 15), **QUICK).events
    assert 1 not in found.trial
    assert (found.time[found.trial == 2] < 6).all()


def blank_trials(offset):
    baseline = offset * torch.arange(5.0).double().view(5, 1, 1).expand(5, 2, 1)
    y = Y + baseline
    return Trials(Gaussian(), y, None, baseline, torch.ones(5, 2, 15, dtype=torch.bool))


def test_a_search_begins_alike_whatever_the_baseline():
    bounds = torch.zeros(2).double(), torch.full((2,), torch.inf).double()
    one, other = (
        amplitudes.first_prior(blank_trials(offset), unit_norm(H), *bounds, 1.0)
        for offset in (0.0, 1024.0)
    )
    torch.testing.assert_close(one[0].mean, other[0].mean)
    assert one[0].within == pytest.approx(other[0].within)
    assert one[1] == pytest.approx(other[1])


def test_first_kernels_have_the_sign_of_their_events():
    up, down = torch.full((2,), torch.inf), torch.zeros(2)
    free, positive = torch.zeros(2, dtype=torch.bool), torch.ones(2, dtype=torch.bool)

    def start(high, nonnegative):
        trials = blank_trials(0.0)
        return event_learning.start_kernels(trials, 6, high, nonnegative, generator(0))

    assert torch.equal(start(down, free), -start(up, free))
    assert (start(up, positive) >= 0).all()


def test_signs_are_bounds_of_amplitudes():
    inf = torch.inf
    low, high = deconvolution._bounds([1, 0, -1], 3, Y)
    assert low.tolist() == [0, -inf, -inf]
    assert high.tolist() == [inf, inf, 0]


def test_what_is_given_is_left_alone():
    y, h, events = Y.clone(), H.clone(), known((0, 0, 3), (4, 1, 2))
    y[0, 0, 0] = torch.nan
    before = y.clone()
    gs.deconvolve(y, h, fit_baseline=True, **QUICK)
    gs.deconvolve(y, h, **QUICK | {"events": events})
    torch.testing.assert_close(y, before, equal_nan=True)
    assert torch.equal(h, H)
    assert events.amplitude.tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize("options", [{}, {"penalty": 3.0}, {"fit_baseline": True}, {"spacing": 30}])
@pytest.mark.parametrize(
    ("y", "count", "length"),
    [
        (Y, 2, 6),
        (Y[:1], 2, 6),
        (Y[:1, :1, :6], 1, 6),
        (Y[..., :6], 2, 6),
        (Y[..., :7], 3, 6),
        (Y, 2, 1),
        (Y[:, :, :2], 1, 1),
        (Y.where(torch.arange(5).view(-1, 1, 1) != 2, torch.nan), 2, 6),
        (Y.where(torch.arange(20) < 7, torch.nan), 2, 6),
    ],
)
def test_odd_shapes_are_no_trouble(y, count, length, options):
    found = sound(gs.deconvolve(y, count, length, **QUICK, **options), y, count, length)
    numbers = torch.bincount(found.events.trial, minlength=len(y))
    assert numbers.max() <= 2
    if not options and length > 1:
        places = count * (y.shape[-1] - length + 1)
        seen = (~y.isnan()).any(-1).any(-1)
        assert numbers.tolist() == [min(2, places) if some else 0 for some in seen]


@pytest.mark.parametrize("events", [[], [(0, 0, 0)], [(1, 1, 14), (1, 1, 14), (3, 0, 0)]])
@pytest.mark.parametrize("options", [{}, POISSON, {"fit_baseline": True, "signs": [0, -1]}])
def test_few_known_events_or_none_or_two_at_one_place_are_no_trouble(events, options):
    y = Y.abs().round()
    found = gs.deconvolve(y, 2, 6, events=known(*events), **options)
    sound(found, y, 2, 6)
    assert found.events.size == len(events)


@pytest.mark.parametrize("value", [0.0, 3.0])
@pytest.mark.parametrize(
    "options", [{}, POISSON, {"law": "binomial", "law_options": {"trials": 3}}]
)
def test_trials_in_which_nothing_happens_are_no_trouble(value, options):
    y = torch.full((4, 1, 20), value, dtype=torch.float64)
    sound(gs.deconvolve(y, H, **QUICK, **options), y, 2, 6)
    found = gs.deconvolve(y, H, penalty=10.0, **QUICK, **options)
    assert found.events.size == 0
    sound(gs.deconvolve(y, H, **QUICK | {"events": known((0, 0, 3))}, **options), y, 2, 6)


def test_known_events_may_come_in_any_order_and_as_arrays():
    events = known((4, 1, 2), (0, 0, 9), (0, 1, 3))
    one = gs.deconvolve(Y, H, events=events)
    assert one.events.time.tolist() == [3, 9, 2]
    as_arrays = gs.Events(*(part.numpy() for part in events))
    other = gs.deconvolve(Y, H, events=as_arrays)
    assert torch.equal(one.events.amplitude, other.events.amplitude)


def test_a_kernel_without_events_stays_as_it_was():
    found = gs.deconvolve(Y, H, events=known((0, 0, 3), (4, 0, 2)))
    torch.testing.assert_close(found.kernels[1], H[1] / H[1].norm())


ONE = known((0, 0, 0))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"law": "gamma"}, "unknown law 'gamma'"),
        ({"law": "poisson"}, "law poisson: .*largest"),
        ({"law_options": {"std": -1.0}}, "std must be a finite number above 0"),
        ({"kernels": 0, "length": 5}, "kernels must be a whole number of at least 1, not 0"),
        ({"kernels": 2}, "give the length of the kernels, or kernels to start with"),
        ({"kernels": 2, "length": 0}, "length must be a whole number of at least 1"),
        ({"kernels": 2, "length": 2.5}, "length must be a whole number of at least 1"),
        ({"kernels": H[0]}, r"kernels must be finite, of shape \(K, L\), not \(6,\)"),
        ({"kernels": H[:0]}, r"kernels must be finite, of shape \(K, L\), not \(0, 6\)"),
        ({"kernels": H.where(H > 0, torch.nan)}, "kernels must be finite"),
        ({"kernels": H * torch.tensor([[1.0], [0.0]])}, "kernels must not be zero"),
        ({"length": 5}, "length is 5, but kernels of 6 times are given"),
        ({"nonnegative": True}, "kernels to start with must be nonnegative"),
        ({"kernels": 2, "length": 6, "learn_kernels": False}, "neither given nor learnt"),
        ({"y": Y[0]}, "y must be trials x neurons x at least 6 times"),
        ({"y": Y[..., :5]}, r"at least 6 times, not \(5, 2, 5\)"),
        ({"y": Y[:0]}, "y must be trials x neurons"),
        ({"y": Y.where(Y > 0, torch.inf)}, r"y\[0, .* is inf: the law Gaussian"),
        (POISSON, r"y\[0, .*: the law Poisson.* cannot give it"),
        ({"baseline": torch.zeros(5)}, r"baseline must be finite, of shape \(5, 2\)"),
        ({"baseline": torch.full((5, 2), torch.nan)}, "baseline must be finite"),
        ({"signs": [1]}, "signs must be 2 of -1, 0 and 1"),
        ({"signs": 1}, "signs must be 2 of -1, 0 and 1"),
        ({"signs": torch.tensor([1, 2])}, r"signs must be 2 of -1, 0 and 1, not \[1, 2\]"),
        ({"smooth": -1.0}, "smooth must be finite and at least 0"),
        ({"penalty": float("inf")}, "penalty must be a finite number, not inf"),
        ({"penalty": "log"}, "penalty must be a finite number, not 'log'"),
        ({"support": torch.ones(5, 2, 14)}, r"support must be 0 or 1, of shape \(5, 2, 15\)"),
        ({"support": torch.full((5, 2, 15), 0.5)}, "support must be 0 or 1"),
        ({"events": 0}, "events must be a whole number of at least 1, not 0"),
        ({"events": 2.0}, "events must be a whole number, or gs.Events, not a float"),
        ({"events": tuple(ONE)}, "events must be a whole number, or gs.Events, not a tuple"),
        ({"events": known((5, 0, 0))}, "the trial of an event must be from 0 to 4"),
        ({"events": known((0, 2, 0))}, "the kernel of an event must be from 0 to 1"),
        ({"events": known((0, 0, 15))}, "the time of an event must be from 0 to 14"),
        ({"events": known((0, 0, -1))}, "the time of an event must be from 0 to 14"),
        ({"events": ONE._replace(time=torch.tensor([0.5]))}, "must be whole numbers"),
        ({"events": ONE._replace(time=torch.tensor([0, 1]))}, "must be of one length"),
        ({"events": ONE._replace(time=torch.tensor(0))}, "must be of one length"),
        ({"spacing": 0}, "spacing must be a whole number of at least 1"),
        ({"sweeps": 3}, "sweeps must be a whole number of at least 4"),
        ({"chains": 0}, "chains must be a whole number of at least 1"),
        ({"kernels": 2, "length": 6, "starts": 0}, "starts must be a whole number of at least 1"),
        ({"y": torch.zeros(2, 1, 20), "kernels": 1, "length": 6}, "y differs too little from its"),
        ({"y": Y[:1, :, :6], "kernels": 2, "length": 6}, "too little .* to start 2 kernels"),
        ({"y": Y * torch.nan, "kernels": 2, "length": 6}, "too little .* to start 2 kernels"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(changes, words):
    arguments = {"y": Y, "kernels": H, **QUICK, **changes}
    with pytest.raises(ValueError, match=words) as caught:
        gs.deconvolve(arguments.pop("y"), arguments.pop("kernels"), **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("changes", [{"y": Y.long()}, {"kernels": H.long()}])
def test_whole_numbers_are_refused_with_what_to_do(changes):
    with pytest.raises(TypeError, match="must be floating point, not int64: convert it"):
        gs.deconvolve(**{"y": Y, "kernels": H, **QUICK, **changes})


def test_a_baseline_comes_back_in_memory_of_its_own():
    baseline = random(5, 2, seed=4)
    before = baseline.clone()
    gs.deconvolve(Y, H, baseline=baseline, fit_baseline=False, **QUICK).baseline.zero_()
    assert torch.equal(baseline, before)
