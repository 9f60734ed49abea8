"""Encoders: from data y (..., N, n) and a dictionary A (..., n, m) to codes x (..., N, m).

Leading batch dimensions are independent problems. Samples are rows, so A^T y reads ``Y @ A``.
"""

import torch
from torch import Tensor

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
    codes = prox(correlation, step * lambda_, group_size)
    # t_1 = 1 makes the first extrapolation vanish, so the loop starts at t_2.
    point, t = codes, (1 + 5**0.5) / 2
    for _ in range(layers - 1):
        previous, codes = codes, prox(correlation + point @ update, step * lambda_, group_size)
        point = codes
        if momentum:
            t_next = (1 + (1 + 4 * t * t) ** 0.5) / 2
            point = codes + ((t - 1) / t_next) * (codes - previous)
            t = t_next
    return codes
