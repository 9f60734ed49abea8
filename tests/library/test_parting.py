"""Pairs of groups that mix two true ones are taken apart, and no others."""

import pytest
import torch

import groupsparse as gs
from groupsparse.dictionary import blocks, from_blocks
from groupsparse.discovery import _State
from groupsparse.pairwise import overlaps
from groupsparse.parting import parted


def planes(count, n, d, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(count, n, d, generator=draw)).Q


def mixed(spans):
    """Two spans that each hold a part of both, together the same space."""
    first, second = spans
    k = (first.shape[-1] + 1) // 2
    one = torch.cat([first[:, :k], second[:, k:]], 1)
    other = torch.cat([second[:, :k], first[:, k:]], 1)
    if first.shape[-1] == 1:
        one, other = first + second, first - second
    return torch.linalg.qr(torch.stack([one, other])).Q


@pytest.mark.parametrize("d", [1, 2, 4])
def test_two_groups_are_told_apart_by_their_samples(d):
    truth = planes(2, 40, d)
    draw = torch.Generator().manual_seed(1)
    codes = torch.randn(120, d, generator=draw) * 3
    of = torch.arange(120) % 2
    rest = torch.einsum("ink,ik->in", truth[of], codes) + 0.1 * torch.randn(120, 40, generator=draw)
    found = parted(rest, mixed(truth), torch.Generator().manual_seed(2))
    assert overlaps(truth, found).amax(1).min() > 0.95
    assert overlaps(truth, mixed(truth)).amax(1).min() < 0.8  # what they were


def problem(correlation=0.0):
    truth = gs.orthonormalize_groups(gs.random_dictionary(60, 40, generator=0), 2)
    options = {"correlation": correlation} if correlation else {}
    drawn = gs.sample(
        truth, 2, 2, (4.0, 5.0), samples=1500, generator=1, snr_db=10.0, **options
    )  # fmt: skip
    return truth, drawn.data


def test_a_state_takes_its_entangled_pairs_apart():
    truth, data = problem()
    spans = blocks(truth, 2).clone()
    spans[[3, 7]] = mixed(spans[[3, 7]])
    state = _State.of(data, from_blocks(spans), 2, None)
    assert state.entangled(0.5).nonzero().tolist() == [[3, 7], [7, 3]]
    found = state.parted(None, torch.Generator().manual_seed(0))
    assert gs.invariant_squared_error(found.dictionary, truth, 2) < 0.5
    assert gs.invariant_squared_error(state.dictionary, truth, 2) > 1.5


def test_a_state_without_such_pairs_stays_as_it_is():
    truth, data = problem()
    state = _State.of(data, truth, 2, None)
    assert state.parted(None, torch.Generator().manual_seed(0)) is state


def test_groups_that_truly_fire_together_are_left_alone():
    truth, data = problem(correlation=0.9)
    state = _State.of(data, truth, 2, None)
    assert state.entangled(0.5).any()
    assert state.parted(None, torch.Generator().manual_seed(0)) is state
