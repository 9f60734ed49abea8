"""Encoders: from data y (..., N, n) and a dictionary A (..., n, m) to codes x (..., N, m).

Leading batch dimensions are independent problems. Samples are rows, so A^T y reads ``Y @ A``.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from groupsparse.dictionary import squared_spectral_norm
from groupsparse.prox import Prox


def shallow(
    data: Tensor, dictionary: Tensor, prox: Prox, lambda_: float, group_size: int
) -> Tensor:
    r"""One-layer encoder x = sigma_lambda(A^T y) (eq. 11): (..., N, n) -> (..., N, m)."""
    return prox(data @ dictionary, lambda_, group_size)


def unfolded(
    data: Tensor,
    dictionary: Tensor,
    prox: Prox,
    lambda_: float,
    group_size: int,
    layers: int,
    momentum: bool = True,
) -> Tensor:
    r"""``layers`` steps of (F)ISTA on 1/2 ||y - A x||^2 + lambda * Omega(x), from x = 0.

    .. math:: x^{t+1} = \sigma_{\alpha\lambda}(w^t + \alpha A^T (y - A w^t)), \alpha = 1/||A||_2^2

    with w^t = x^t for ISTA (``momentum=False``) and Nesterov's extrapolation of x^t and x^{t-1}
    for FISTA (Beck & Teboulle 2009). The Gram matrix is formed once, so a layer costs one product
    with an m x m matrix. The step is read off the current dictionary and not differentiated.

    Returns codes of shape (..., N, m). FloatingPointError if the dictionary is zero or not finite.
    """
    with torch.no_grad():
        energy = dictionary.square().sum((-2, -1))
        if not ((energy > 0) & torch.isfinite(energy)).all():
            raise FloatingPointError("the dictionary is zero or not finite")
        step = (1 / squared_spectral_norm(dictionary))[..., None, None]
    correlation = step * (data @ dictionary)
    eye = torch.eye(dictionary.shape[-1], dtype=dictionary.dtype, device=dictionary.device)
    update = eye - step * (dictionary.mT @ dictionary)
    weights = _momentum(layers) if momentum else [0.0] * (layers - 1)
    return _Layers.apply(correlation, update, prox, step * lambda_, group_size, weights)


def _momentum(layers: int) -> list[float]:
    """Weights (t_k - 1) / t_{k+1} of the extrapolations between layers, the first one zero."""
    weights, t = [], 1.0
    for _ in range(layers - 1):
        t_next = (1 + (1 + 4 * t * t) ** 0.5) / 2
        weights.append((t - 1) / t_next)
        t = t_next
    return weights


class _Layers(torch.autograd.Function):
    """x^1 = prox(c), x^{t+1} = prox(c + w^t U) with w^t = x^t + beta_t (x^t - x^{t-1}).

    Written out because a layer is one small product: autograd's bookkeeping would cost as much.
    """

    @staticmethod
    def forward(ctx, correlation, update, prox, threshold, group_size, weights) -> Tensor:
        needs_gradient = ctx.needs_input_grad[0] or ctx.needs_input_grad[1]
        points, activations = [], []
        inputs, previous = correlation, None
        for beta in (*weights, None):
            with torch.set_grad_enabled(needs_gradient):
                inputs = inputs.detach().requires_grad_(needs_gradient)
                outputs = prox(inputs, threshold, group_size)
            activations.append((inputs, outputs))
            codes = outputs.detach()
            if beta is None:
                break
            point = torch.lerp(previous, codes, 1 + beta) if beta else codes
            points.append(point)
            previous, inputs = codes, _plus_product(correlation, point, update)
        if needs_gradient:
            ctx.activations, ctx.weights = activations, weights
            ctx.save_for_backward(update, *points)
        return codes.clone() if needs_gradient else codes

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple:
        update, *points = ctx.saved_tensors
        activations, before = list(ctx.activations), None  # before: gradient of the codes x^{t-1}
        correlation_grad, update_grad = None, torch.zeros_like(update)
        for t in range(len(points), -1, -1):
            inputs, outputs = activations.pop()
            (slope,) = torch.autograd.grad(outputs, inputs, gradient, retain_graph=True)
            correlation_grad = slope if correlation_grad is None else correlation_grad + slope
            if t == 0:
                break
            update_grad += points[t - 1].mT @ slope
            beta = ctx.weights[t - 1]
            point_grad = slope @ update.mT
            gradient = (1 + beta) * point_grad
            if before is not None:
                gradient += before
            before = -beta * point_grad if beta else None
        return correlation_grad, update_grad, None, None, None, None


def _plus_product(c: Tensor, w: Tensor, u: Tensor) -> Tensor:
    if c.ndim == 2:
        return torch.addmm(c, w, u)
    return torch.baddbmm(c, w, u) if c.ndim == 3 == u.ndim else c + w @ u
