"""The autoencoders of the paper in plain autograd, written from its equations alone.

The library is timed against it and tested against it. The two share no code.
"""

import torch
from torch import Tensor


def group_soft(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    """Group-sparse ReLU (1 - threshold / ||v_g||)_+ v_g (eq. 7): (N, m) -> (N, m)."""
    groups = v.view(len(v), -1, group_size)
    norms = groups.norm(dim=2, keepdim=True).clamp_min(1e-12)
    return (torch.relu(1 - threshold / norms) * groups).view_as(v)


def soft(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    """Soft threshold sign(v) (|v| - threshold)_+: (N, m) -> (N, m)."""
    return v.sign() * torch.relu(v.abs() - threshold)


def relu(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    """One-sided ReLU (v - threshold)_+: (N, m) -> (N, m)."""
    return torch.relu(v - threshold)


ACTIVATIONS = {"group_soft": group_soft, "soft": soft, "relu": relu}


def reconstruction_loss(data: Tensor, reconstruction: Tensor) -> Tensor:
    """1/2 ||y - yhat||^2, averaged over samples (eq. 13): (N, n) -> ()."""
    return 0.5 * (data - reconstruction).pow(2).sum() / len(data)


def shallow_loss(
    data: Tensor, dictionary: Tensor, activation: str, lambda_: float, group_size: int
) -> Tensor:
    """Loss of x = sigma_lambda(A^T y), yhat = A x (eqs. 11-13): (N, n), (n, m) -> ()."""
    codes = ACTIVATIONS[activation](data @ dictionary, lambda_, group_size)
    return reconstruction_loss(data, codes @ dictionary.T)


def unfolded_loss(
    data: Tensor,
    dictionary: Tensor,
    activation: str,
    lambda_: float,
    group_size: int,
    layers: int,
) -> Tensor:
    """Loss of ``layers`` steps of FISTA from x = 0, A and A^T applied in each: () as above.

    The step 1 / ||A||_2^2 is that of the current dictionary and is not differentiated.
    """
    step = 1 / torch.linalg.svdvals(dictionary.detach())[0] ** 2
    codes = point = data.new_zeros(len(data), dictionary.shape[1])
    t = 1.0
    for _ in range(layers):
        gradient = (point @ dictionary.T - data) @ dictionary
        new = ACTIVATIONS[activation](point - step * gradient, step * lambda_, group_size)
        t_new = (1 + (1 + 4 * t * t) ** 0.5) / 2
        point = new + (t - 1) / t_new * (new - codes)
        codes, t = new, t_new
    return reconstruction_loss(data, codes @ dictionary.T)
