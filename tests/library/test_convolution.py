"""Convolution as matrix products: against NumPy, its adjoint, its derivatives, and its norm."""

import numpy as np
import pytest
import torch

from groupsparse.convolution import convolve, correlate, kernel_products, squared_norm

# Times at which kernels begin, kernels, their length, columns: blocks that fit and that do not.
SIZES = [(1, 1, 1, 1), (5, 2, 3, 1), (16, 1, 17, 4), (40, 3, 7, 5), (100, 2, 33, 2), (3, 2, 50, 3)]
every_size = pytest.mark.parametrize(("times", "count", "length", "columns"), SIZES)


def drawn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@every_size
@pytest.mark.parametrize("lead", [(), (2,)])
def test_signals_are_sums_of_convolutions(times, count, length, columns, lead):
    codes, kernels = drawn(*lead, times, count, columns), drawn(*lead, count, length)
    signals = convolve(codes, kernels)
    assert signals.shape == (*lead, times + length - 1, columns)
    for place in np.ndindex(*lead, columns):
        x, h = codes[place[:-1]][..., place[-1]], kernels[place[:-1]]
        direct = sum(np.convolve(x[:, k], h[k]) for k in range(count))
        # Sums of at most count * length products of order one.
        np.testing.assert_allclose(
            signals[place[:-1]][:, place[-1]], direct, atol=1e-13 * count * length
        )


@every_size
@pytest.mark.parametrize("lead", [(), (2,)])
def test_correlation_is_the_adjoint(times, count, length, columns, lead):
    codes, kernels = drawn(*lead, times, count, columns), drawn(*lead, count, length)
    signals = drawn(*lead, times + length - 1, columns)
    there = (convolve(codes, kernels) * signals).sum()
    back = (correlate(signals, kernels) * codes).sum()
    # Linear in the kernels, too.
    third = (kernel_products(codes, signals) * kernels).sum()
    bound = 1e-13 * codes.numel() * length
    assert float(there) == pytest.approx(float(back), abs=bound)
    assert float(there) == pytest.approx(float(third), abs=bound)


@pytest.mark.parametrize("operator", [convolve, correlate])
def test_derivatives_are_those_of_finite_differences(operator):
    first = drawn(8, 2, 3) if operator is convolve else drawn(8, 3)
    inputs = first.requires_grad_(), drawn(2, 4).requires_grad_()
    assert torch.autograd.gradcheck(operator, inputs)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="codes of 2 kernels, and 3 kernels"):
        convolve(drawn(8, 2, 1), drawn(3, 4))
    with pytest.raises(ValueError, match="kernels of 4 times, signals of 3"):
        correlate(drawn(3, 1), drawn(2, 4))


@every_size
def test_the_norm_is_bounded_and_nearly_reached(times, count, length, columns):
    kernels = drawn(count, length)
    matrix = convolve(torch.eye(times * count).double().view(times, count, -1), kernels)
    norm = float(torch.linalg.matrix_norm(matrix, 2)) ** 2
    bound = float(squared_norm(kernels, times + length - 1))
    assert norm <= bound * (1 + 1e-12)
    if times >= 3 * length:  # borders matter little then
        assert norm > 0.9 * bound


def test_kernels_longer_than_the_signals_are_refused():
    with pytest.raises(ValueError, match="kernels of 5 times, signals of 4"):
        squared_norm(torch.ones(1, 5), 4)


def test_columns_do_not_see_each_other():
    codes, kernels = drawn(30, 2, 4), drawn(2, 6)
    alone = convolve(codes[..., 1:2], kernels)
    torch.testing.assert_close(convolve(codes, kernels)[:, 1:2], alone, rtol=0, atol=1e-13)
