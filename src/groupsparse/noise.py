"""Noise of unit variance: white or coloured, Gaussian or heavy-tailed."""

from __future__ import annotations

import torch
from torch import Tensor

from groupsparse.seeds import as_generator

KINDS = ("gaussian", "student")


def unit_noise(
    samples: int,
    n: int,
    generator: torch.Generator | int,
    kind: str = "gaussian",
    color: float = 0.0,
) -> Tensor:
    r"""Noise (samples, n) whose entries have mean 0 and variance 1.

    .. math:: e_1 = w_1, \quad e_i = \phi e_{i-1} + \sqrt{1 - \phi^2} \, w_i

    along the n entries of a sample, with phi the ``color`` and i.i.d. w. Entries at distance k have
    correlation phi^k; phi = 0 is white noise.

    Parameters
    ----------
    kind : distribution of w. ``gaussian``: N(0, 1); ``student``: Student's t with 3 degrees of
        freedom over sqrt(3), whose variance is 1 and whose fourth moment is infinite
    color : phi, in (-1, 1)

    Raises
    ------
    ValueError for an unknown kind, or a color outside (-1, 1).

    Examples
    --------
    >>> unit_noise(2, 5, generator=0, kind="student", color=0.5).shape
    torch.Size([2, 5])
    """
    if kind not in KINDS:
        raise ValueError(f"noise must be one of {', '.join(KINDS)}, not {kind!r}")
    if not -1 < color < 1:
        raise ValueError(f"color must be in (-1, 1), not {color}")
    generator = as_generator(generator)
    noise = torch.randn(samples, n, generator=generator)
    if kind == "student":
        # t_3 = z / sqrt(u / 3) with u chi-square of 3 degrees of freedom, and Var t_3 = 3.
        noise /= torch.randn(3, samples, n, generator=generator).square().sum(0).sqrt()
    if color:
        # The recursion is the Cholesky factor of the covariance phi^|i - j|.
        lags = (torch.arange(n) - torch.arange(n).unsqueeze(1)).abs()
        covariance = torch.tensor([color**k for k in range(n)], dtype=torch.float64)[lags]
        noise = noise @ torch.linalg.cholesky(covariance).T.to(noise)
    return noise
