"""One rule for the lambda of networks and penalties that are compared: equal false activations."""

from torch import Tensor

from evidence.names import ONE_SIDED
from groupsparse.thresholds import noise_threshold
from groupsparse.topk import acts_on_groups


def threshold(data: Tensor, rate: float, group_size: int, prox: str) -> float:
    r"""Lambda at which a group that is not in a sample is active by chance with a given rate.

    .. math:: P(||s z||_2 > \lambda) = \text{rate}, \quad z \sim N(0, I_d), \quad
        s^2 = \operatorname{mean} ||y||^2 / n

    s is the standard deviation of a^T y for a unit atom that is inactive in y: data (N, n) are all
    it needs. An activation of single entries gets rate / d for each, so that of the d entries of a
    group as many are active by chance as of the groups:

    .. math:: P(|s z_1| > \lambda) = \text{rate} / d

    A one-sided one has P(s z_1 > lambda) on the left, and lambda 0 where that is above 1/2.

    Raises
    ------
    ValueError for a rate outside (0, 1) and for data of zeros.

    Examples
    --------
    >>> import torch
    >>> data = torch.ones(10, 5)
    >>> [round(threshold(data, 0.05, 3, prox), 2) for prox in ("group_soft", "soft", "relu")]
    [2.8, 2.39, 2.13]
    """
    std = float(data.square().mean().sqrt())
    if acts_on_groups(prox):
        return noise_threshold(rate, group_size, std)
    share = rate / group_size * (2 if prox in ONE_SIDED else 1)
    return noise_threshold(share, 1, std) if share < 1 else 0.0
