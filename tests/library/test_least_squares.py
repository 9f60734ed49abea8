"""Sums over samples are those of their definition, however they are computed."""

import pytest
import torch

from groupsparse import least_squares
from groupsparse.least_squares import Statistics
from groupsparse.normal_equations import Products
from groupsparse.pursuit import Selection

SAMPLES, GROUPS, N = 60, 5, 30


@pytest.mark.parametrize("at_once", [1, 10**6])
@pytest.mark.parametrize("d", [1, 2, 4])
def test_quartic_sums_are_of_the_products_of_active_codes(monkeypatch, d, at_once):
    monkeypatch.setattr(least_squares, "PRODUCTS", at_once)
    generator = torch.Generator().manual_seed(d)
    codes = torch.randn(SAMPLES, GROUPS * d, generator=generator, dtype=torch.float64)
    support = torch.rand(SAMPLES, GROUPS, generator=generator) < 0.3
    codes *= support.repeat_interleave(d, 1)
    data = torch.randn(SAMPLES, N, generator=generator)
    sums = Statistics.zeros(N, GROUPS * d, d, data.device, True)
    sums.add_codes(data, codes, support)
    basis = least_squares._symmetric(d).to(codes)
    for g, x in enumerate(codes.split(d, 1)):
        s = torch.stack([(x @ b * x).sum(1) for b in basis], 1)
        # Sums of 60 terms in another order: below 60 * 2^-53 of their absolute sum, about 1e2.
        torch.testing.assert_close(sums.quartic[g], s.T @ s, rtol=0, atol=1e-11)


def test_blocks_of_samples_share_the_products_of_atoms(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(SAMPLES, N, generator=generator)
    basis = torch.linalg.qr(torch.randn(N, GROUPS * 2, generator=generator)).Q
    found, grams = [], []
    of = Products.of.__func__

    def watched(cls, *arguments):
        found.append(of(cls, *arguments))
        grams.append(found[-1].gram)
        return found[-1]

    monkeypatch.setattr(least_squares, "ROWS", 16)
    monkeypatch.setattr(Products, "of", classmethod(watched))
    Statistics.zeros(N, GROUPS * 2, 2, data.device, False).add(data, basis, 2, Selection(2))
    assert len(grams) == 4
    assert len({gram.data_ptr() for gram in grams}) == 1
    torch.testing.assert_close(grams[0], basis.T @ basis, rtol=0, atol=0)
