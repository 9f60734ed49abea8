r"""Signals as sums of kernels convolved with codes, as a few large matrix products.

.. math:: \eta_c(t) = \sum_k \sum_{l=0}^{L-1} h_k(l) \, x_{k,c}(t - l), \qquad 0 \le t < T

Layout: time first, columns last. Codes are (..., P, K, C) with P = T - L + 1 times at which a
kernel can begin, kernels (..., K, L), signals (..., T, C). The C columns are whatever shares the
kernels: trials, neurons or both. Leading dimensions are independent problems. A block of
consecutive times is one product with a band matrix, whose operand is a view: nothing is unfolded.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def convolve(codes: Tensor, kernels: Tensor) -> Tensor:
    """The signals H x: codes (..., P, K, C), kernels (..., K, L) -> (..., P + L - 1, C).

    Differentiable once, in both. ValueError for another number of kernels in the codes.

    Examples
    --------
    >>> codes = torch.zeros(4, 1, 1)
    >>> codes[1] = 2.0
    >>> convolve(codes, torch.tensor([[3.0, 1.0]])).flatten()
    tensor([0., 6., 2., 0., 0.])
    """
    if codes.shape[-2] != kernels.shape[-2]:
        raise ValueError(f"codes of {codes.shape[-2]} kernels, and {kernels.shape[-2]} kernels")
    return _Convolve.apply(codes, kernels)


def correlate(signals: Tensor, kernels: Tensor) -> Tensor:
    """The adjoint H^T r: signals (..., T, C), kernels (..., K, L) -> (..., T - L + 1, K, C).

    Differentiable once, in both. ValueError if the kernels are longer than the signals.

    Examples
    --------
    >>> correlate(torch.tensor([[0.0], [6.0], [2.0]]), torch.tensor([[3.0, 1.0]])).flatten()
    tensor([ 6., 20.])
    """
    _check_length(kernels, signals.shape[-2])
    return _Correlate.apply(signals, kernels)


def kernel_products(codes: Tensor, signals: Tensor) -> Tensor:
    r"""Derivative of <signals, H x> by the kernels: (..., P, K, C), (..., T, C) -> (..., K, L).

    .. math:: G_{k}(l) = \sum_{t, c} x_{k,c}(t) \, r_c(t + l)

    Examples
    --------
    >>> codes = torch.tensor([1.0, 0.0]).view(2, 1, 1)
    >>> kernel_products(codes, torch.tensor([[5.0], [6.0], [7.0]]))
    tensor([[5., 6.]])
    """
    *lead, times, count, columns = codes.shape
    length = signals.shape[-2] - times + 1
    block, blocks = _blocks(times)
    first = _padded(codes, 0, block * blocks - times)
    first = first.reshape(*lead, blocks, block * count, columns)
    windows = _windows(signals.unsqueeze(-2), 0, block, blocks, length)
    band = (first @ windows.mT).sum(-3).view(*lead, block, count, block + length - 1)
    # Entry (b, k, b + l) of the band is the product at lag l.
    shape, strides = (*lead, block, count, length), list(band.stride())
    strides[-3] += strides[-1]
    return band.as_strided(shape, strides, band.storage_offset()).sum(-3)


def squared_norm(kernels: Tensor, length: int) -> Tensor:
    r"""Upper bound on ||H||^2 for signals of ``length`` times: kernels (..., K, L) -> (...).

    .. math:: ||H||^2 \le \max_\omega \sum_k |\hat h_k(\omega)|^2

    over the frequencies of the discrete Fourier transform of that length. Codes leave the last
    L - 1 times free, so the convolution is a circular one of this period and the bound is exact
    for it. ValueError if the kernels are longer than the signals.
    """
    _check_length(kernels, length)
    spectrum = torch.fft.rfft(kernels, n=length)
    return spectrum.abs().square().sum(-2).amax(-1)


def _check_length(kernels: Tensor, length: int) -> None:
    if kernels.shape[-1] > length:
        raise ValueError(f"kernels of {kernels.shape[-1]} times, signals of {length}")


def _blocks(times: int) -> tuple[int, int]:
    """Times of a block and how many blocks there are."""
    # A share (block - 1) / (block + L - 1) of the band is zero; shorter blocks make small products.
    block = min(times, 16)
    return block, -(-times // block)


def _padded(x: Tensor, before: int, after: int) -> Tensor:
    """Zeros before and after the times (third axis from the end)."""
    if not before and not after:
        return x
    return torch.nn.functional.pad(x, (0, 0, 0, 0, before, after))


def _windows(x: Tensor, before: int, block: int, blocks: int, length: int) -> Tensor:
    """Overlapping windows of x (..., times, K, C): (..., blocks, (block + L - 1) K, C), a view."""
    size = block + length - 1
    after = (blocks - 1) * block + size - before - x.shape[-3]
    x = _padded(x, before, max(after, 0)).contiguous()
    *lead, _, count, columns = x.shape
    strides = x.stride()
    shape = (*lead, blocks, size * count, columns)
    return x.as_strided(shape, (*strides[:-3], block * strides[-3], columns, 1), x.storage_offset())


def _bands(kernels: Tensor, block: int) -> Tensor:
    """Every kernel shifted by 0..block-1: (..., K, L) -> (..., block, K, block + L - 1)."""
    *lead, count, length = kernels.shape
    bands = kernels.new_zeros(*lead, block, count, block + length - 1)
    strides = list(bands.stride())
    strides[-3] += strides[-1]
    bands.as_strided((*lead, block, count, length), strides).copy_(kernels.unsqueeze(-3))
    return bands


def _convolved(codes: Tensor, kernels: Tensor) -> Tensor:
    *lead, times, _, columns = codes.shape
    length = kernels.shape[-1]
    block, blocks = _blocks(times + length - 1)
    windows = _windows(codes, length - 1, block, blocks, length)
    # Row b of the band: kernels reversed, so that time b of a block sees codes up to b.
    matrix = _bands(kernels.flip(-1), block).transpose(-1, -2).flatten(-2)
    out = (matrix.unsqueeze(-3) @ windows).reshape(*lead, blocks * block, columns)
    return out[..., : times + length - 1, :]


def _correlated(signals: Tensor, kernels: Tensor) -> Tensor:
    *lead, samples, columns = signals.shape
    count, length = kernels.shape[-2:]
    times = samples - length + 1
    block, blocks = _blocks(times)
    windows = _windows(signals.unsqueeze(-2), 0, block, blocks, length)
    matrix = _bands(kernels, block).flatten(-3, -2)
    out = (matrix.unsqueeze(-3) @ windows).reshape(*lead, blocks * block, count, columns)
    return out[..., :times, :, :]


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx, codes: Tensor, kernels: Tensor) -> Tensor:
        ctx.save_for_backward(codes, kernels)
        return _convolved(codes, kernels)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope: Tensor) -> tuple:
        codes, kernels = ctx.saved_tensors
        needed = ctx.needs_input_grad
        return (
            _correlated(slope, kernels) if needed[0] else None,
            kernel_products(codes, slope) if needed[1] else None,
        )


class _Correlate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, signals: Tensor, kernels: Tensor) -> Tensor:
        ctx.save_for_backward(signals, kernels)
        return _correlated(signals, kernels)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope: Tensor) -> tuple:
        signals, kernels = ctx.saved_tensors
        needed = ctx.needs_input_grad
        return (
            _convolved(slope, kernels) if needed[0] else None,
            kernel_products(slope, signals) if needed[1] else None,
        )
