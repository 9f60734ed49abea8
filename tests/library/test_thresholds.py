"""A matched threshold has the false-activation rate of the group threshold."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

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
