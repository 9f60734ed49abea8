"""Lambdas of activations that are compared: as many entries as groups are active by chance."""

import pytest
import torch

from evidence.thresholds import threshold
from groupsparse.prox import PROX

RATE, D, SAMPLES, ATOMS = 0.06, 3, 20_000, 30


@pytest.mark.parametrize("prox", ["group_soft", "soft", "relu"])
def test_noise_activates_as_many_entries_as_groups(prox):
    random = torch.Generator().manual_seed(0)
    data = 0.7 * torch.randn(SAMPLES, 64, generator=random)
    atoms = torch.linalg.qr(torch.randn(64, ATOMS, generator=random)).Q
    codes = PROX[prox](data @ atoms, threshold(data, RATE, D, prox), D)
    active = codes.unflatten(-1, (-1, D)) != 0
    count = (active.any(-1) if prox == "group_soft" else active.sum(-1)).sum(-1).double().mean()
    # RATE for each group, in 10 groups; five standard errors of a sum of counts that are rare.
    expected = RATE * ATOMS / D
    assert float(count) == pytest.approx(expected, abs=5 * (expected / SAMPLES) ** 0.5)


def test_groups_of_one_atom_have_one_threshold():
    data = torch.randn(100, 20, generator=torch.Generator().manual_seed(0))
    assert threshold(data, 0.1, 1, "soft") == pytest.approx(threshold(data, 0.1, 1, "group_soft"))
    assert threshold(data, 0.7, 1, "relu") == 0, "half of the noise is negative whatever lambda is"
