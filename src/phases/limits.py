"""How many samples recovery needs: three limits in closed form, which no method enters."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc


def counting_samples(
    *, n: float, groups: float, group_size: float, active_groups: float, **_: object
) -> float:
    r"""Samples below which there are fewer equations than unknowns.

    N samples are N n equations. Their unknowns are N k d codes and the spans of the groups, points
    of the Grassmannian Gr(d, n) with d (n - d) parameters each: a basis of a span is not
    determined, and does not count. So N n >= N k d + Gamma d (n - d), which is

    .. math:: N \ge \frac{\Gamma d (n - d)}{n - k d}

    For d = 1 and large n this is the bound m n / (n - k) of F. Krzakala, M. Mézard, L. Zdeborová,
    "Phase diagram and approximate message passing for blind calibration and dictionary learning",
    ISIT 2013 (arXiv 1301.5898). It counts the supports as known and leaves noise out, so it is a
    necessary condition for exact recovery from data alone. A start near the truth knows more.
    Infinite where the active groups fill the space.

    Examples
    --------
    >>> round(counting_samples(n=100, groups=20, group_size=4, active_groups=2), 1)
    83.5
    """
    free = n - active_groups * group_size
    return groups * group_size * (n - group_size) / free if free > 0 else np.inf


def activity_samples(
    *, groups: float, group_size: float, active_groups: float, **_: object
) -> float:
    r"""Samples with which every group is active at least d times, with probability 1/2.

    d samples are the least that span a group of d dimensions. A group is active in a sample with
    probability k / Gamma. With groups taken as independent, N solves

    .. math:: P[\mathrm{Bin}(N, k / \Gamma) \ge d]^\Gamma = \tfrac12

    and the binomial tail is an incomplete beta function, which is defined for any real N and d.

    Examples
    --------
    >>> round(activity_samples(groups=20, group_size=4, active_groups=2))
    93
    """
    p, d = min(1.0, active_groups / groups), group_size
    if p == 1:
        return float(d)

    def excess(samples: float) -> float:
        return groups * np.log(betainc(d, samples - d + 1, p)) - np.log(0.5)

    return brentq(excess, d, 1e3 * d * groups / p)


def oracle_samples(
    *,
    n: float,
    groups: float,
    group_size: float,
    snr_db: float | None,
    overlap: float = 0.5,
    **_: object,
) -> float:
    r"""Samples with which least squares on the true codes finds a group to an overlap.

    Entries of its error have variance v = sigma^2 / ((N - m - 1) E[x^2]), the mean of an inverse
    Wishart matrix, and sigma^2 n 10^{SNR/10} = m E[x^2]. An orthonormal group plus such errors has
    the expected overlap 1 / (1 + v (n - d)) with itself, to first order in d / n. So

    .. math:: N = m + 1 + \frac{m (n - d)}{n\, 10^{SNR / 10}} \frac{o}{1 - o}

    Without noise m + 1 samples are enough. Below this limit the noise hides the groups even from
    a method that knows the codes.

    Examples
    --------
    >>> round(oracle_samples(n=100, groups=20, group_size=4, snr_db=0.0))
    158
    """
    atoms = groups * group_size
    noise = 0.0 if snr_db is None else 10 ** (-snr_db / 10)
    return atoms + 1 + atoms * (n - group_size) / n * noise * overlap / (1 - overlap)


LIMITS: dict[str, Callable[..., float]] = {
    "counting": counting_samples,
    "activity": activity_samples,
    "oracle": oracle_samples,
}


def shares(model: dict) -> dict[str, float]:
    """Samples of a problem over those of every limit: below 1 it is beyond the limit."""
    return {name: model["samples"] / limit(**model) for name, limit in LIMITS.items()}
