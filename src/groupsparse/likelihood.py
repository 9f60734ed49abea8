"""Laws of observations y given a signal eta: negative log-likelihood and its derivatives.

Each law is an exponential family in eta, so its negative log-likelihood is convex with

.. math:: -\\log p(y | \\eta) = A(\\eta) - s y \\eta + \\text{const}(y), \\qquad
          A'(\\eta) = s \\mu(\\eta), \\qquad A''(\\eta) \\le \\text{curvature},

where mu is the mean of y, A the cumulant and s the ``scale``. All act entry by entry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import softplus

from groupsparse.arrays import check_count


class Law(Protocol):
    """What an encoder needs to know of the law of its data; see :data:`LAWS`."""

    @property
    def curvature(self) -> float:
        """Upper bound on the second derivative of :meth:`nll` by eta."""

    @property
    def scale(self) -> float:
        """s, the factor of y eta."""

    @property
    def quadratic(self) -> bool:
        """Whether :meth:`nll` is a parabola in eta, so that a Newton step is exact."""

    def cumulant(self, eta: Tensor) -> Tensor:
        """A(eta): all of :meth:`nll` that depends on eta, but for -s y eta."""

    def nll(self, eta: Tensor, y: Tensor) -> Tensor:
        """-log p(y | eta) of every entry, in nats, constants included."""

    def slope(self, eta: Tensor, y: Tensor) -> Tensor:
        """Derivative of :meth:`nll` by eta."""

    def bend(self, eta: Tensor) -> Tensor:
        """Second derivative of :meth:`nll` by eta; it does not depend on y."""

    def mean(self, eta: Tensor) -> Tensor:
        """Mean of y given eta."""

    def mean_and_bend(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        """:meth:`mean` and :meth:`bend`, for what they have in common once."""

    def link(self, mean: Tensor) -> Tensor:
        """The eta at which y has this mean; means at the border of their range are moved inside."""

    def draw(self, eta: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Random y given eta."""

    def valid(self, y: Tensor) -> Tensor:
        """Whether each entry is a value that y can have."""


@dataclass(frozen=True)
class Gaussian:
    """y = eta + noise of standard deviation ``std``: traces.

    Examples
    --------
    >>> Gaussian().slope(torch.tensor(1.0), torch.tensor(3.0))
    tensor(-2.)
    """

    std: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.std < math.inf:
            raise ValueError(f"std must be a finite number above 0, not {self.std!r}")

    @property
    def curvature(self) -> float:
        return self.scale

    @property
    def scale(self) -> float:
        return self.std**-2

    @property
    def quadratic(self) -> bool:
        return True

    def cumulant(self, eta: Tensor) -> Tensor:
        return eta.square() * (self.scale / 2)

    def nll(self, eta: Tensor, y: Tensor) -> Tensor:
        return ((y - eta) / self.std).square() / 2 + math.log(self.std * math.sqrt(2 * math.pi))

    def slope(self, eta: Tensor, y: Tensor) -> Tensor:
        return (eta - y) * self.std**-2

    def bend(self, eta: Tensor) -> Tensor:
        return torch.full_like(eta, self.curvature)

    def mean(self, eta: Tensor) -> Tensor:
        return eta

    def mean_and_bend(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        return eta, self.bend(eta)

    def link(self, mean: Tensor) -> Tensor:
        return mean

    def draw(self, eta: Tensor, generator: torch.Generator | None = None) -> Tensor:
        noise = torch.randn(eta.shape, generator=generator, dtype=eta.dtype)
        return eta + self.std * noise.to(eta)

    def valid(self, y: Tensor) -> Tensor:
        return torch.isfinite(y)


@dataclass(frozen=True)
class Binomial:
    """y are counts of successes in ``trials`` draws, each with probability sigmoid(eta).

    So are spikes in a bin of so many ms. With one trial it is the Bernoulli law.

    Examples
    --------
    >>> Binomial(trials=25).mean(torch.tensor(0.0))
    tensor(12.5000)
    """

    trials: int = 1

    def __post_init__(self) -> None:
        check_count(self.trials, "trials", least=1)

    @property
    def curvature(self) -> float:
        return self.trials / 4

    @property
    def scale(self) -> float:
        return 1.0

    @property
    def quadratic(self) -> bool:
        return False

    def cumulant(self, eta: Tensor) -> Tensor:
        return self.trials * softplus(eta)

    def nll(self, eta: Tensor, y: Tensor) -> Tensor:
        n = torch.as_tensor(float(self.trials), dtype=eta.dtype, device=eta.device)
        ways = torch.lgamma(n + 1) - torch.lgamma(y + 1) - torch.lgamma(n - y + 1)
        return self.cumulant(eta) - y * eta - ways

    def slope(self, eta: Tensor, y: Tensor) -> Tensor:
        return self.mean(eta) - y

    def bend(self, eta: Tensor) -> Tensor:
        p = torch.sigmoid(eta)
        return self.trials * p * (1 - p)

    def mean(self, eta: Tensor) -> Tensor:
        return self.trials * torch.sigmoid(eta)

    def mean_and_bend(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        p = torch.sigmoid(eta)
        mean = self.trials * p
        return mean, torch.addcmul(mean, mean, p, value=-1)

    def link(self, mean: Tensor) -> Tensor:
        share = mean / self.trials
        least = torch.finfo(share.dtype).eps
        return torch.logit(share, eps=least)

    def draw(self, eta: Tensor, generator: torch.Generator | None = None) -> Tensor:
        p = torch.sigmoid(eta).cpu()
        n = torch.full_like(p, self.trials)
        return torch.binomial(n, p, generator=generator).to(eta)

    def valid(self, y: Tensor) -> Tensor:
        return (y >= 0) & (y <= self.trials) & (y == y.round())


@dataclass(frozen=True)
class Poisson:
    """y are counts of mean exp(eta).

    Their curvature has no bound. So from ``largest``, a mean above all that is to be expected, on,
    exp(eta) is continued by its Taylor polynomial of degree two. The law stays convex and twice
    differentiable, and nothing overflows. Where means are smaller, nothing changes.

    Examples
    --------
    >>> Poisson(largest=10.0).mean(torch.tensor([0.0, 100.0]))
    tensor([  1.0000, 986.9742])
    """

    largest: float

    def __post_init__(self) -> None:
        if not 0 < self.largest < math.inf:
            raise ValueError(f"largest must be a finite number above 0, not {self.largest!r}")

    @property
    def curvature(self) -> float:
        return self.largest

    @property
    def scale(self) -> float:
        return 1.0

    @property
    def quadratic(self) -> bool:
        return False

    def cumulant(self, eta: Tensor) -> Tensor:
        below, beyond = self._parts(eta)
        return below.exp() * (1 + beyond + beyond.square() / 2)

    def nll(self, eta: Tensor, y: Tensor) -> Tensor:
        return self.cumulant(eta) - y * eta + torch.lgamma(y + 1)

    def slope(self, eta: Tensor, y: Tensor) -> Tensor:
        return self.mean(eta) - y

    def bend(self, eta: Tensor) -> Tensor:
        return self._parts(eta)[0].exp()

    def mean(self, eta: Tensor) -> Tensor:
        below, beyond = self._parts(eta)
        return below.exp() * (1 + beyond)

    def mean_and_bend(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        below, beyond = self._parts(eta)
        bend = below.exp()
        return torch.addcmul(bend, bend, beyond), bend

    def link(self, mean: Tensor) -> Tensor:
        return mean.clamp_min(torch.finfo(mean.dtype).eps).log()

    def draw(self, eta: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return torch.poisson(self.mean(eta).cpu(), generator=generator).to(eta)

    def valid(self, y: Tensor) -> Tensor:
        return torch.isfinite(y) & (y >= 0) & (y == y.round())

    def _parts(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        """eta up to log(largest), and what is above."""
        below = eta.clamp_max(math.log(self.largest))
        return below, eta - below


LAWS: dict[str, type] = {"gaussian": Gaussian, "binomial": Binomial, "poisson": Poisson}


def law_of(name: str, **options: float) -> Law:
    """The law of a name in :data:`LAWS`. ValueError for an unknown one or for its options.

    Examples
    --------
    >>> law_of("binomial", trials=5)
    Binomial(trials=5)
    """
    if name not in LAWS:
        raise ValueError(f"unknown law {name!r}; known are {', '.join(LAWS)}")
    try:
        return LAWS[name](**options)
    except TypeError as error:
        raise ValueError(f"law {name}: {error}") from None
