"""What is given to methods, and what they return."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

from groupsparse.events import Events
from groupsparse.likelihood import Law, law_of


class Task(NamedTuple):
    """A recording, what is told of it, and what is known of the truth (None: nothing).

    ``y`` (N, C, T) with NaN where hidden; ``baseline`` (N, C) or None; ``count`` kernels of
    ``length``; ``most`` events in a trial, ``exact`` if every trial has as many; ``spacing``.
    """

    y: Tensor
    baseline: Tensor | None
    law: str
    law_options: dict
    count: int
    length: int
    most: int
    exact: bool
    spacing: int
    events: Events | None
    kernels: Tensor | None
    seed: int

    @property
    def penalty(self) -> float | None:
        """Nats that an event costs: those of a uniform prior over its places."""
        places = self.count * (self.y.shape[-1] - self.length + 1)
        return None if self.exact else math.log(places)

    @property
    def model(self) -> Law:
        return law_of(self.law, **self.law_options)

    @property
    def base(self) -> Tensor:
        """The baseline (N, C), as given or that of the mean of every trial and neuron."""
        return self.model.link(self.y.nanmean(-1)) if self.baseline is None else self.baseline

    @property
    def each(self) -> int:
        """Events of a kernel in a trial, if all have as many."""
        return math.ceil(self.most / self.count)

    def rest(self) -> Tensor:
        """y minus the mean that the baseline gives, 0 where unobserved."""
        return (self.y - self.model.mean(self.base).unsqueeze(-1)).nan_to_num(0.0)

    def windows(self, values: Tensor) -> Tensor:
        """All windows of values (N, C, T) as long as a kernel: (N, C, P, L)."""
        return values.unfold(-1, self.length, 1)


class Fit(NamedTuple):
    """Kernels (K, L), events, and the mean of y that they give (N, C, T)."""

    kernels: Tensor
    events: Events
    rate: Tensor
