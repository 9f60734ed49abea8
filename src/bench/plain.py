"""The network in plain autograd, written from its equations with conv1d and conv_transpose1d.

The library is timed against it and tested against it. The two share no code.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import conv1d, conv_transpose1d, relu, softplus


def group_soft(x: Tensor, threshold: Tensor) -> Tensor:
    """Codes (N, C, K, P), shrunk together over the neurons C."""
    norms = x.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return relu(1 - threshold / norms) * x


def loss(
    y: Tensor, baseline: Tensor, kernels: Tensor, trials: int, lambda_: float,
    group_lambda: float, layers: int,
) -> Tensor:  # fmt: skip
    """Mean -log p(y | eta) of counts y (N, C, T) of so many ``trials`` a bin: () as the library.

    ``baseline`` is (N, C), kernels are (K, L). The step is not differentiated.
    """
    count, neurons, times = y.shape
    filters = kernels.unsqueeze(1)
    signals, base = y.reshape(-1, 1, times), baseline.reshape(-1, 1, 1)
    with torch.no_grad():
        norm = torch.fft.rfft(kernels, n=times).abs().square().sum(0).max()
        step = 1 / (trials / 4 * norm)
    starts = times - kernels.shape[1] + 1
    codes = point = y.new_zeros(count * neurons, len(kernels), starts)
    t = 1.0
    for _ in range(layers):
        eta = base + conv_transpose1d(point, filters)
        point = point - step * conv1d(trials * torch.sigmoid(eta) - signals, filters)
        new = relu(point.abs() - step * lambda_) * point.sign()
        if group_lambda:
            shared = new.view(count, neurons, len(kernels), starts)
            new = group_soft(shared, step * group_lambda).view_as(new)
        after = (1 + math.sqrt(1 + 4 * t * t)) / 2
        point = new + (t - 1) / after * (new - codes)
        codes, t = new, after
    eta = base + conv_transpose1d(codes, filters)
    ways = torch.lgamma(torch.tensor(trials + 1.0).to(y))
    ways = ways - torch.lgamma(signals + 1) - torch.lgamma(trials - signals + 1)
    return (trials * softplus(eta) - signals * eta - ways).mean()
