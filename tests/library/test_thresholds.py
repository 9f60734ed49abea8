"""A matched threshold has the false-activation rate of the group threshold."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import groupsparse as gs
from groupsparse.thresholds import matched_threshold


@pytest.mark.parametrize("one_sided", [False, True])
def test_noise_entries_are_active_as_seldom_as_noise_groups(one_sided):
    draws, d, std, lambda_ = 2_000_000, 3, 0.7, 1.9
    noise = std * torch.randn(draws, d, generator=torch.Generator().manual_seed(3))
    threshold = matched_threshold(lambda_, d, std, one_sided)
    groups = float((noise.norm(dim=1) > lambda_).double().mean())
    entries = noise[:, 0] if one_sided else noise[:, 0].abs()
    share = float((entries > threshold).double().mean())
    # Both are means of `draws` indicators: 5 standard errors of their difference.
    assert abs(share - groups) < 5 * (2 * groups * (1 - groups) / draws) ** 0.5
    assert groups > 0.01


@given(st.floats(0.1, 10), st.integers(1, 20), st.floats(0.01, 10))
def test_the_threshold_lies_between_zero_and_that_of_the_group(lambda_, d, std):
    two_sided = matched_threshold(lambda_, d, std)
    assert 0 <= matched_threshold(lambda_, d, std, one_sided=True) <= two_sided <= lambda_


def test_groups_of_one_entry_have_the_same_threshold():
    # brentq's default tolerance is 2e-12 absolute.
    assert matched_threshold(2.0, 1, 0.5) == pytest.approx(2.0, abs=1e-10)


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("place", [0, 2])
def test_a_threshold_or_spread_that_is_not_positive_and_finite_is_refused(place, value):
    arguments = [1.0, 2, 1.0]
    arguments[place] = value
    with pytest.raises(ValueError, match="positive"):
        matched_threshold(*arguments)


@pytest.mark.parametrize("ratio", [20.0, 36.0, 38.0, 39.0, 60.0, 1000.0])
def test_thresholds_follow_the_tail_where_its_probability_is_no_number(ratio):
    # P(||z|| > t) = exp(-t^2 / 2) for two entries: what t says in logarithms.
    t = matched_threshold(ratio, 2, 1.0)
    assert norm.logsf(t) + math.log(2) == pytest.approx(-(ratio**2) / 2, rel=1e-9)
    assert matched_threshold(ratio, 1, 1.0) == pytest.approx(ratio, rel=1e-9)


@pytest.mark.parametrize("d", [3, 8, 51, 400])
def test_thresholds_have_no_jump(d):
    ratios = torch.arange(30.0, 60.0, 0.05).tolist()
    found = torch.tensor([matched_threshold(r, d, 1.0) for r in ratios]).double()
    steps = found.diff()
    assert (steps > 0).all()
    assert (steps.diff().abs() < 1e-3).all()  # smooth: neighbours differ far less than a step, 0.05


def test_no_samples_have_no_largest_penalty():
    with pytest.raises(ValueError, match="there are no samples"):
        gs.lambda_max(torch.zeros(0, 4), torch.eye(4), "group_soft", 2)
