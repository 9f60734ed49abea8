"""Thresholds chosen without labels or known truth."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count, require_finite
from groupsparse.groups import Size, group_norms
from groupsparse.prox import Prox
from groupsparse.pursuit import noise_quantile
from groupsparse.shapes import require_samples
from groupsparse.topk import activation_of

LOWEST, TERMS = -650.0, 20  # log of a probability that scipy still gives; terms of its expansion


@torch.no_grad()
def lambda_max(
    data: Array,
    dictionary: Array,
    prox: str | Prox,
    group_size: Size,
    step: float | Tensor = 1.0,
) -> Tensor:
    r"""Smallest lambda at which all codes are zero, (...) for data (..., N, n), A (..., n, m).

    For the group soft threshold it is :math:`\max_g ||A_g^T y||_2` over all samples; for any other
    activation it is found by bisection, as the codes of the first layer from x = 0,
    :math:`\sigma_{\alpha\lambda}(\alpha A^T y)`.

    Parameters
    ----------
    prox : name of an activation, or a callable
    step : alpha, which only matters for activations that are not positively homogeneous

    Returns
    -------
    Tensor (...); infinite for a callable whose codes no lambda makes zero

    Raises
    ------
    ValueError for shapes that do not fit, and for data that are not finite.

    Examples
    --------
    >>> float(lambda_max([[3.0, 4.0, 1.0]], torch.eye(3), "soft", group_size=1))
    4.0
    """
    dictionary = as_tensor(dictionary, "dictionary")
    data = as_tensor(data, like=dictionary)
    if data.ndim < 2 or dictionary.ndim < 2 or data.shape[-1] != dictionary.shape[-2]:
        raise ValueError(
            f"data {tuple(data.shape)} and dictionary {tuple(dictionary.shape)} must have shapes "
            "(..., N, n) and (..., n, m)"
        )
    require_samples(data)
    require_finite(data)
    prox = activation_of(prox)
    step = torch.as_tensor(step)[..., None, None]
    products = data @ dictionary
    high = group_norms(products, group_size).amax((-2, -1))
    low = torch.zeros_like(high)

    def silent(lambda_: Tensor) -> Tensor:
        codes = prox(step * products, step * lambda_[..., None, None], group_size)
        return ~codes.flatten(-2).any(-1)

    for _ in range(60):  # an activation may be weaker than a threshold on the norm
        if silent(high).all():
            break
        high = torch.where(silent(high), high, 2 * high)
    else:
        high = torch.where(silent(high), high, torch.inf)
    for _ in range(40):
        middle = (low + high) / 2
        zero = silent(middle)
        low, high = torch.where(zero, low, middle), torch.where(zero, middle, high)
    return high


def silence(
    codes: Tensor,
    data: Tensor,
    dictionary: Tensor,
    prox: Prox,
    group_size: Size,
    step: float | Tensor = 1.0,
) -> str | None:
    """What to say if all ``codes`` (..., N, m) of a replicate are zero, with its lambda_max."""
    silent = ~codes.flatten(-2).any(-1)
    if not silent.any() or not data.any():
        return None
    limit = lambda_max(
        data.to(codes), dictionary.to(codes.device), prox, group_size,
        step.to(codes.device) if isinstance(step, Tensor) else step,
    )  # fmt: skip
    values = ", ".join(f"{v:.6g}" for v in limit.expand(silent.shape)[silent].tolist())
    which = f" of {int(silent.sum())} of {silent.numel()} replicates" if silent.ndim else ""
    return (
        f"all codes{which} are zero, because lambda_ is too large: codes become nonzero below "
        f"{values}"
    )


def noise_threshold(rate: float, group_size: int, std: float = 1.0) -> float:
    r"""Threshold that white noise alone exceeds on a group with probability ``rate``.

    .. math:: P(||\sigma z||_2 > t) = \text{rate}, \quad z \sim N(0, I_d)

    The norm of noise on d orthonormal atoms follows a chi law. With a rate of 0.05 / G, noise makes
    one of G groups active in about a sample of twenty.

    Parameters
    ----------
    rate : probability, in (0, 1)
    group_size : d
    std : standard deviation of an entry of the noise, above 0

    Examples
    --------
    >>> round(noise_threshold(0.05 / 20, group_size=4, std=0.5), 3)
    2.026
    """
    check_count(group_size, "group_size", least=1)
    if not (0 < rate < 1 and 0 < std < math.inf):
        raise ValueError(f"rate must be in (0, 1) and std positive, not {rate} and {std}")
    return std * noise_quantile(rate, group_size) ** 0.5


def matched_threshold(
    group_threshold: float, group_size: int, projection_std: float, one_sided: bool = False
) -> float:
    r"""Element-wise threshold with the false-activation rate of a group threshold on noise.

    .. math:: P(|s z| > t) = P(||s z_g||_2 > \lambda), \quad z \sim N(0, 1), z_g \sim N(0, I_d)

    s is the standard deviation of a^T y for a unit atom a that is inactive in y. The element-wise
    and the group network then have the same rate of false activations. This choice is not the
    paper's, which states no threshold for its sparse network.

    Parameters
    ----------
    group_threshold : lambda of the group soft threshold, positive
    projection_std : s, for data (N, n) about ``sqrt(mean ||y||^2 / n)``
    one_sided : P(s z > t) on the left, for the one-sided ReLU

    Returns
    -------
    t in [0, lambda]: a norm is never smaller than one of its entries.
    """
    # Imported here: they take longer to import than everything else that training needs.
    from scipy.optimize import brentq
    from scipy.stats import norm

    if not (0 < group_threshold < math.inf and 0 < projection_std < math.inf):
        raise ValueError(
            "group_threshold and projection_std must be positive and finite, not "
            f"{group_threshold} and {projection_std}"
        )
    level = _log_tail((group_threshold / projection_std) ** 2, group_size)
    if one_sided and level > norm.logsf(0):
        return 0.0
    # In logarithms, where probabilities of 1e-300 and less stay distinct.
    shift = 0.0 if one_sided else float(-norm.logsf(0))

    def excess(t: float) -> float:
        return norm.logsf(t / projection_std) + shift - level

    # At group size 1 the root is the end of the interval, on either side of it by rounding.
    return group_threshold if excess(group_threshold) >= 0 else brentq(excess, 0, group_threshold)


def _log_tail(square: float, d: int) -> float:
    """log P(chi^2_d > square), also where the probability itself would be 0."""
    from scipy.special import gammaln
    from scipy.stats import chi2

    level = float(chi2.logsf(square, d))
    if level > LOWEST:
        return level
    # Gamma(a, z) = z^(a - 1) e^-z (1 + (a - 1) / z + (a - 1)(a - 2) / z^2 + ...), z far above a.
    a, z = d / 2, square / 2
    ratios = (a - torch.arange(1, math.ceil(a) + TERMS, dtype=torch.float64)) / z
    series = 1 + float(ratios.cumprod(0).sum())
    return (a - 1) * math.log(z) - z - float(gammaln(a)) + math.log(series)
