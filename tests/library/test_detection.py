"""Scores of kernels and events: matching, signs, lags, and as many pairs as there can be."""

import itertools
import math

import numpy as np
import pytest
import torch
from event_problems import generator, random

from groupsparse.detection import event_scores, kernel_errors, match_events, renamed
from groupsparse.events import Events


def at(*places):
    """Events at (trial, kernel, time)."""
    parts = torch.tensor(places, dtype=torch.int64).reshape(-1, 3).T
    return Events(*parts, torch.arange(1.0, len(places) + 1).unsqueeze(-1))


def crowded(seed, count=5):
    """Unordered events of two trials and two kernels, some at the same place."""
    draw = generator(seed)
    limits = torch.tensor([2, 2, 9])
    places = (torch.rand(count, 3, generator=draw) * limits).long()
    return at(*places.tolist())


def test_the_order_the_sign_and_the_size_of_learnt_kernels_do_not_matter():
    truth = random(3, 8)
    order = torch.tensor([2, 0, 1])
    factors = torch.tensor([[-2.0], [0.1], [5.0]], dtype=torch.float64)
    found = kernel_errors(factors * truth[order], truth)
    # The root of rounding of 1 - c^2, which is a few epsilon.
    assert found.errors.max() < (8 * torch.finfo(torch.float64).eps) ** 0.5
    assert torch.equal(found.order, order.argsort())
    assert not found.lags.any()


def test_the_error_is_the_sine_of_the_angle():
    for angle in (0.0, 0.1, 1.0, math.pi / 2):
        learnt = [[math.cos(angle), math.sin(angle)]]
        error = kernel_errors(learnt, [[1.0, 0.0]]).errors
        assert float(error) == pytest.approx(abs(math.sin(angle)), abs=1e-7)


@pytest.mark.parametrize("lags", [0, 1, 3, 50])
def test_the_matching_has_the_largest_sum_over_permutations_and_lags(lags):
    for seed in range(5):
        learnt, truth = random(4, 7, seed=seed), random(3, 7, seed=seed + 50)
        unit = [x / x.norm(dim=-1, keepdim=True) for x in (learnt, truth)]
        best = np.zeros((3, 4))
        lag_of = np.zeros((3, 4), dtype=int)
        for i, j in np.ndindex(3, 4):
            for lag in range(-min(lags, 6), min(lags, 6) + 1):
                both = [(unit[1][i, t], unit[0][j, t + lag]) for t in range(7) if 0 <= t + lag < 7]
                square = float(sum(a * b for a, b in both)) ** 2
                if square > best[i, j]:
                    best[i, j], lag_of[i, j] = square, lag
        orders = list(itertools.permutations(range(4), 3))
        totals = [sum(best[i, o] for i, o in enumerate(order)) for order in orders]
        wanted = list(orders[int(np.argmax(totals))])
        found = kernel_errors(learnt, truth, lags)
        assert found.order.tolist() == wanted
        chosen = best[np.arange(3), wanted]
        np.testing.assert_allclose(found.errors.numpy(), np.sqrt(1 - chosen), atol=1e-12)
        assert found.lags.tolist() == lag_of[np.arange(3), wanted].tolist()


@pytest.mark.parametrize("lag", [-2, 0, 2])
def test_a_learnt_kernel_that_is_late_by_some_times_has_that_lag(lag):
    truth = torch.zeros(1, 9)
    truth[0, 3:6] = torch.tensor([1.0, 3.0, 2.0])
    found = kernel_errors(truth.roll(lag, 1), truth, lags=2)
    assert found.lags.tolist() == [lag]
    assert float(found.errors) < 1e-6
    assert lag == 0 or float(kernel_errors(truth.roll(lag, 1), truth, lags=1).errors) > 0.1


def test_a_kernel_of_zeros_is_as_wrong_as_can_be():
    assert kernel_errors(torch.zeros(1, 4), torch.ones(1, 4)).errors.tolist() == [1.0]


@pytest.mark.parametrize(
    ("learnt", "truth", "lags", "words"),
    [
        (torch.ones(3), torch.ones(1, 3), 0, "must have shapes"),
        (torch.ones(1, 4), torch.ones(1, 3), 0, "must have shapes"),
        (torch.ones(1, 3), torch.ones(2, 3), 0, "1 learnt kernels cannot be matched to 2"),
        (torch.ones(1, 3), torch.ones(1, 3), -1, "lags must be a whole number"),
    ],
)
def test_kernels_that_cannot_be_compared_are_refused(learnt, truth, lags, words):
    with pytest.raises(ValueError, match=words):
        kernel_errors(learnt, truth, lags)


def most_pairs(found, truth, tolerance):
    """Largest number of pairs, by trying all."""
    fits = [
        [
            all(found[part][i] == truth[part][j] for part in range(2))
            and abs(int(found.time[i] - truth.time[j])) <= tolerance
            for j in range(truth.size)
        ]
        for i in range(found.size)
    ]

    def most(i, used):
        if i == found.size:
            return 0
        free = [j for j in range(truth.size) if fits[i][j] and j not in used]
        return max([most(i + 1, used), *(1 + most(i + 1, used | {j}) for j in free)])

    return most(0, frozenset())


@pytest.mark.parametrize("tolerance", [0, 1, 3])
def test_pairs_are_one_to_one_near_of_one_kind_and_as_many_as_there_can_be(tolerance):
    for seed in range(60):
        found, truth = crowded(seed, seed % 8), crowded(seed + 1000, 6)
        mine, theirs = match_events(found, truth, tolerance)
        assert len(mine.unique()) == len(theirs.unique()) == len(mine) == len(theirs)
        one, other = found.take(mine), truth.take(theirs)
        assert torch.equal(one.trial, other.trial)
        assert torch.equal(one.kernel, other.kernel)
        assert ((one.time - other.time).abs() <= tolerance).all()
        assert len(mine) == most_pairs(found, truth, tolerance)


def test_scores_are_shares_of_what_is_true_and_of_what_is_found():
    truth = at((0, 0, 3), (0, 0, 8), (1, 1, 3), (1, 0, 3))
    found = at((0, 0, 4), (0, 0, 4), (1, 1, 3), (2, 0, 3), (1, 1, 8))
    assert event_scores(found, truth, 1) == pytest.approx({"hit_rate": 0.5, "false_discovery": 0.6})
    assert event_scores(found, truth, 0)["hit_rate"] == 0.25
    assert event_scores(truth, truth, 0) == {"hit_rate": 1.0, "false_discovery": 0.0}
    nothing = event_scores(at(), truth, 1)
    assert nothing["hit_rate"] == 0.0
    assert math.isnan(nothing["false_discovery"])
    assert math.isnan(event_scores(found, at(), 1)["hit_rate"])
    assert event_scores(found, at(), 1)["false_discovery"] == 1.0
    assert all(math.isnan(v) for v in event_scores(at(), at(), 1).values())


def test_a_tolerance_is_a_whole_number():
    for tolerance in (-1, 0.5):
        with pytest.raises(ValueError, match="tolerance must be a whole number"):
            match_events(at(), at(), tolerance)


def test_renamed_events_have_the_names_of_the_true_kernels():
    found = at((1, 0, 4), (0, 2, 5), (0, 1, 1), (0, 4, 0))
    made = renamed(found, torch.tensor([2, 0]))  # true 0 is learnt 2, true 1 is learnt 0
    assert made.trial.tolist() == [0, 1]
    assert made.kernel.tolist() == [0, 1]
    assert made.time.tolist() == [5, 4]
    assert made.amplitude.flatten().tolist() == [2.0, 1.0]
    assert renamed(at(), torch.tensor([1, 0])).size == 0


def test_kernels_and_events_are_matched_together():
    truth, kernels = crowded(0, 9).ordered(), random(2, 6)
    swapped = truth._replace(kernel=1 - truth.kernel)
    order = kernel_errors(kernels.flip(0), kernels).order
    assert event_scores(renamed(swapped, order), truth, 0)["hit_rate"] == 1.0
    assert event_scores(swapped, truth, 0)["hit_rate"] < 1.0
