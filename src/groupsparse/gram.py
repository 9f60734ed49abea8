"""The Gram matrix A^T A, and the reconstruction loss through it, with derivatives written out."""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def gram(dictionary: Tensor) -> Tensor:
    """A^T A: (..., n, m) -> (..., m, m), differentiable once by one product."""
    return _Gram.apply(dictionary)


def products(data: Tensor, dictionary: Tensor) -> dict[str, Tensor]:
    """``gram`` A^T A and ``correlation`` A^T y, as encoders and :func:`gram_loss` take them."""
    return {"gram": gram(dictionary), "correlation": data @ dictionary}


def gram_loss(
    data: Tensor, codes: Tensor, dictionary: Tensor, gram: Tensor, correlation: Tensor
) -> Tensor:
    r"""1/2 ||y - A x||^2 averaged over samples, without the reconstruction: -> (...).

    .. math:: \tfrac12 \|y\|^2 + x^T (\tfrac12 G x - c), \quad G = A^T A, \quad c = A^T y

    Its derivatives by y, codes, G and c are y/N, (G x - c)/N, x x^T/(2N) and -x/N. They take
    products of m x m matrices alone, where the reconstruction takes three of n x m.

    The rounding is that of ||y||^2: a loss below sqrt(eps) of it would have lost half of its digits
    or more, so there it is that of the reconstruction after all. On a GPU, which would have to
    wait for the host to see this, it is only kept from being negative.

    Parameters
    ----------
    data : (..., N, n)
    codes, correlation : x and c (..., N, m)
    dictionary : A (..., n, m), whose derivatives come through G and c
    gram : G (..., m, m)

    Examples
    --------
    >>> a, y, x = torch.tensor([[0.6], [0.8]]), torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0]])
    >>> gram_loss(y, x, a, gram(a), y @ a)
    tensor(0.5000)
    """
    return _GramLoss.apply(data, codes, dictionary.detach(), gram, correlation)


class _Gram(torch.autograd.Function):
    @staticmethod
    def forward(ctx, dictionary: Tensor) -> Tensor:
        ctx.save_for_backward(dictionary)
        return dictionary.mT @ dictionary

    @staticmethod
    @once_differentiable
    def backward(ctx, slope: Tensor) -> Tensor:
        (dictionary,) = ctx.saved_tensors
        return dictionary @ (slope + slope.mT)


class _GramLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, data, codes, dictionary, gram, correlation) -> Tensor:
        slope = codes @ gram - correlation  # G x - c
        ctx.save_for_backward(data, codes, slope)
        energy = data.square().sum((-2, -1))
        twice = energy + (codes * (slope - correlation)).sum((-2, -1))
        if data.is_cpu:
            lost = twice < torch.finfo(data.dtype).eps ** 0.5 * energy
            if lost.any():
                exact = (data - codes @ dictionary.mT).square().sum((-2, -1))
                twice = torch.where(lost, exact, twice)
        return twice.clamp(min=0) / (2 * data.shape[-2])

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_output: Tensor) -> tuple:
        data, codes, slope = ctx.saved_tensors
        each = (grad_output / codes.shape[-2])[..., None, None]
        by_gram = (codes.mT @ codes) * (each / 2)
        by_data = data * each if ctx.needs_input_grad[0] else None
        return by_data, slope * each, None, by_gram, codes * -each
