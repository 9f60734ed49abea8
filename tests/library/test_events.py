"""Events: to codes and back, which of them count, slots, and the signal that they add up to."""

import pytest
import torch
from event_problems import K, L, N, P, T, every_law, kernels, random, slots, trials

import groupsparse as gs
from groupsparse.events import Events, events_of
from groupsparse.slots import Slots, add, windows


def codes(seed=0, share=0.2):
    some = torch.rand(3, 1, K, P, generator=torch.Generator().manual_seed(seed)) < share
    return random(3, 2, K, P, seed=seed) * some


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@every_law
def test_the_cumulant_is_what_of_the_likelihood_depends_on_eta_and_its_derivative_is_the_mean(name):
    law = trials(name).law
    eta = torch.linspace(-5, 5, 41, dtype=torch.float64).requires_grad_()
    cumulant = law.cumulant(eta)
    (slope,) = torch.autograd.grad(cumulant.sum(), eta, create_graph=True)
    torch.testing.assert_close(slope, law.scale * law.mean(eta))
    (bend,) = torch.autograd.grad(slope.sum(), eta)
    torch.testing.assert_close(bend, law.bend(eta.detach()))
    y, zero = torch.full_like(eta, 3.0), torch.zeros_like(eta)
    by_hand = cumulant - law.cumulant(zero) - law.scale * y * eta
    torch.testing.assert_close(law.nll(eta, y) - law.nll(zero, y), by_hand)


@every_law
@pytest.mark.parametrize("hidden", [False, True])
def test_the_loss_of_trials_is_the_likelihood_of_what_was_observed(name, hidden):
    these = trials(name, hidden)
    eta = random(*these.values.shape, seed=3)
    seen = torch.ones_like(eta) if these.observed is None else these.observed
    nll, zero = these.law.nll(eta, these.values), torch.zeros_like(eta)
    by_hand = ((nll - these.law.nll(zero, these.values)) * seen).sum((1, 2))
    torch.testing.assert_close(these.loss(eta) - these.loss(zero), by_hand)
    torch.testing.assert_close(these.slope(eta), these.law.slope(eta, these.values) * seen)
    torch.testing.assert_close(these.bend(eta), these.law.bend(eta) * seen)


def test_codes_and_events_hold_the_same():
    for seed in range(3):
        found = events_of(codes(seed))
        assert torch.equal(found.codes(3, K, P), codes(seed))
        assert same(events_of(found.codes(3, K, P)), found)


def test_events_are_ordered_by_trial_then_time_then_kernel():
    found = events_of(codes(share=0.6))
    keys = list(zip(*(x.tolist() for x in (found.trial, found.time, found.kernel)), strict=True))
    assert keys == sorted(keys)
    mixed = found.take(torch.randperm(found.size, generator=torch.Generator().manual_seed(0)))
    assert not same(mixed, found)
    assert same(mixed.ordered(), found)


def test_two_events_at_one_place_add_up():
    place = torch.zeros(2, dtype=torch.int64)
    both = Events(place, place, place + 1, torch.tensor([[2.0], [0.5]]))
    assert both.codes(1, 1, 3).tolist() == [[[[0.0, 2.5, 0.0]]]]


@pytest.mark.parametrize("spacing", [1, 2, 3, 40])
@pytest.mark.parametrize("most", [None, 0, 1, 3, 100])
def test_the_largest_events_count_that_are_far_enough_from_larger_ones(most, spacing):
    values = codes(share=0.7).mul(2).round()  # ties among them
    size, expected = values.norm(dim=1), []
    for n in range(3):
        for k in range(K):
            kept = []
            for t in range(P):
                before = size[n, k, max(0, t - spacing + 1) : t]
                after = size[n, k, t + 1 : t + spacing]
                if size[n, k, t] > 0.5 and (before < size[n, k, t]).all():
                    kept += [t] if (after <= size[n, k, t]).all() else []
            kept.sort(key=lambda t, n=n, k=k: (-float(size[n, k, t]), t))
            expected += [(n, t, k) for t in kept[:most]]
    found = events_of(values, most, 0.5, spacing)
    parts = (part.tolist() for part in (found.trial, found.time, found.kernel))
    assert list(zip(*parts, strict=True)) == sorted(expected)
    torch.testing.assert_close(found.amplitude, values[found.trial, :, found.kernel, found.time])


def test_of_equal_events_that_are_too_close_the_first_counts():
    assert events_of([[[[3.0, 3.0, 3.0, 0.0, 3.0]]]], spacing=2).time.tolist() == [0, 4]
    assert events_of([[[[3.0, 3.0, 0.0, 3.0]]]], most=2).time.tolist() == [0, 1]


def test_an_event_is_as_large_as_its_norm_over_neurons():
    both = torch.tensor([[[[3.0, 0.0, 4.5]], [[4.0, 0.0, 0.0]]]])  # 5 and 4.5
    found = events_of(both, most=1)
    assert found.time.tolist() == [0]
    assert found.amplitude.tolist() == [[3.0, 4.0]]
    assert events_of(both, least=5.0).size == 0, "it has to exceed the least"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((torch.zeros(3, 4),), r"shape \(N, C, K, P\)"),
        ((codes(), None, -1.0), "least must be at least 0"),
        ((codes(), None, float("nan")), "least must be at least 0"),
        ((codes(), -1), "most must be a whole number"),
        ((codes(), None, 0.0, 0), "spacing must be a whole number of at least 1"),
    ],
)
def test_what_are_no_events_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        events_of(*arguments)


def test_slots_and_events_hold_the_same():
    events = events_of(codes())
    made = Slots.of(events, 5)  # two trials more, without events
    assert made.active.sum(1).tolist() == torch.bincount(events.trial, minlength=5).tolist()
    assert made.kernel.shape[1] == int(made.active.sum(1).max()), "as many as are needed"
    assert same(made.events(), events)
    none = Slots.of(events.take(events.trial > 9), 5)
    assert none.kernel.shape == (5, 0)
    assert none.events().size == 0
    assert none.amplitude.dtype == events.amplitude.dtype


def test_the_signal_of_slots_is_that_of_the_convolution():
    these, made = trials("gaussian"), slots()
    parts = made.events().codes(N, K, P)  # (N, C, K, P)
    eta = gs.convolve(parts.permute(3, 2, 0, 1).flatten(2), kernels())
    wanted = these.baseline + eta.unflatten(-1, (N, -1)).permute(1, 2, 0)
    torch.testing.assert_close(made.signal(these, kernels()), wanted, rtol=0, atol=1e-13)


def test_an_event_that_is_added_and_taken_away_again_leaves_nothing():
    these, made = trials("gaussian"), slots()
    eta = made.signal(these, kernels())
    for slot in range(made.kernel.shape[1]):
        kernel, time, _, amplitude = (part[:, slot] for part in made)
        add(eta, kernels(), kernel, time, -amplitude)
    torch.testing.assert_close(eta, these.baseline.expand_as(eta), rtol=0, atol=1e-13)


def test_windows_are_the_times_of_an_event():
    x, events = random(N, 2, T), slots().events()
    found = windows(x, events, L)
    for e in range(events.size):
        n, t = int(events.trial[e]), int(events.time[e])
        assert torch.equal(found[e], x[n, :, t : t + L])


@pytest.mark.parametrize("spacing", [1, 2, 5, 50])
def test_places_are_taken_that_are_too_near_to_another_event_of_the_kernel(spacing):
    made = slots()
    made.time[0, 0], made.time[1, 0] = 0, P - 1  # at the borders
    for but in range(made.kernel.shape[1]):
        taken = made.taken(but, K, P, spacing)
        for n in range(N):
            others = [s for s in range(4) if s != but and made.active[n, s]]
            for k in range(K):
                times = [int(made.time[n, s]) for s in others if made.kernel[n, s] == k]
                wanted = [any(abs(t - other) < spacing for other in times) for t in range(P)]
                assert taken[n, k].tolist() == wanted


def test_faint_events_lie_where_they_may_and_add_nothing():
    these = trials("gaussian", count=50)
    these = these._replace(allowed=torch.rand(50, K, P, generator=torch.Generator()) < 0.2)
    these.allowed[:, 0, 0] = True
    made = Slots.faint(these, 6, torch.Generator().manual_seed(0))
    rows = torch.arange(50).unsqueeze(1)
    assert these.allowed[rows, made.kernel, made.time].all()
    assert made.active.all()
    torch.testing.assert_close(made.signal(these, kernels()), these.baseline.expand(-1, -1, T))
    assert len(made.time.unique()) > 10
