"""Trials with a fixed number of slots for events, and the signal that they add up to."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import max_pool1d

from groupsparse.events import Events
from groupsparse.likelihood import Law

ENTRIES = 2**20  # of values that are worked on at a time: they stay in the cache


class Trials(NamedTuple):
    """What was observed: ``values`` (N, C, T), ``baseline`` (N, C, 1), and where.

    ``observed`` (N, C, T) is 0 or 1, or None if all was. ``allowed`` (N, K, P) says where events
    can be.
    """

    law: Law
    values: Tensor
    observed: Tensor | None
    baseline: Tensor
    allowed: Tensor

    def take(self, rows: Tensor | slice) -> Trials:
        """Some of the trials, or the same ones several times."""
        parts = [None if x is None else x[rows] for x in self[1:]]
        return Trials(self.law, *parts)

    def of_neurons(self, which: Tensor) -> Trials:
        """The same of some neurons."""
        parts = [None if x is None else x[:, which] for x in self[1:4]]
        return Trials(self.law, *parts, self.allowed)

    def loss(self, eta: Tensor) -> Tensor:
        """Negative log-likelihood of every trial, (N,), but for what depends on values alone."""
        nll = self.law.cumulant(eta) - self.law.scale * self.values * eta
        return (nll if self.observed is None else nll * self.observed).sum((1, 2))

    def slope(self, eta: Tensor) -> Tensor:
        """Derivative of :meth:`loss` by eta."""
        slope = self.law.slope(eta, self.values)
        return slope if self.observed is None else slope * self.observed

    def bend(self, eta: Tensor) -> Tensor:
        """Second derivative of :meth:`loss` by eta."""
        bend = self.law.bend(eta)
        return bend if self.observed is None else bend * self.observed

    def slope_and_bend(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        """:meth:`slope` and :meth:`bend`, for what they have in common once."""
        mean, bend = self.law.mean_and_bend(eta)
        slope = self.law.scale * (mean - self.values)
        return (
            (slope, bend)
            if self.observed is None
            else (slope * self.observed, bend * self.observed)
        )


class Slots(NamedTuple):
    """Up to S events in every trial: ``kernel``, ``time`` and ``active`` (N, S), and ``amplitude``
    (N, S, C), which is 0 where a slot is empty.
    """

    kernel: Tensor
    time: Tensor
    active: Tensor
    amplitude: Tensor

    @classmethod
    def empty(cls, trials: int, slots: int, neurons: int, like: Tensor) -> Slots:
        whole = torch.zeros(trials, slots, dtype=torch.int64, device=like.device)
        return cls(whole, whole.clone(), whole.bool(), like.new_zeros(trials, slots, neurons))

    @classmethod
    def faint(cls, trials: Trials, slots: int, generator: torch.Generator) -> Slots:
        """Events of amplitude 0 at random places that are allowed.

        A search that begins with them finds the amplitude that the events of a trial share from
        below. From empty slots its first events are too large: they stand for two.
        """
        count, _, starts = trials.allowed.shape
        weights = trials.allowed.flatten(1).float() + 1e-9
        place = torch.multinomial(weights.cpu(), slots, replacement=True, generator=generator)
        place = place.to(weights.device)
        made = cls.empty(count, slots, trials.values.shape[1], trials.values)
        return made._replace(kernel=place // starts, time=place % starts, active=~made.active)

    @classmethod
    def of(cls, events: Events, trials: int) -> Slots:
        """Events in slots, as many as the fullest trial needs."""
        counts = torch.bincount(events.trial, minlength=trials)
        slots = int(counts.max()) if events.size else 0
        made = cls.empty(trials, slots, events.amplitude.shape[-1], events.amplitude)
        first = counts.cumsum(0) - counts
        slot = torch.arange(events.size, device=counts.device) - first[events.trial]
        where = events.trial, slot
        filled = events.kernel, events.time, True, events.amplitude
        for whole, part in zip(made, filled, strict=True):
            whole[where] = torch.as_tensor(part, device=whole.device)
        return made

    def events(self) -> Events:
        """What is in the slots."""
        trial, slot = self.active.nonzero(as_tuple=True)
        parts = (part[trial, slot] for part in (self.kernel, self.time, self.amplitude))
        return Events(trial, *parts).ordered()

    def take(self, rows: Tensor | slice) -> Slots:
        return Slots(*(x[rows] for x in self))

    def signal(self, trials: Trials, kernels: Tensor) -> Tensor:
        """eta (N, C, T): baseline and all events."""
        eta = trials.baseline.expand_as(trials.values).clone()
        for slot in range(self.kernel.shape[1]):
            add(eta, kernels, self.kernel[:, slot], self.time[:, slot], self.amplitude[:, slot])
        return eta

    def taken(self, but: int, kernels: int, starts: int, spacing: int) -> Tensor:
        """Where slot ``but`` cannot be, (N, K, P): nearer than ``spacing`` to its own kind."""
        here = self.active.clone()
        here[:, but] = False
        trial, slot = here.nonzero(as_tuple=True)
        marks = self.amplitude.new_zeros(len(here), kernels, starts)
        marks[trial, self.kernel[trial, slot], self.time[trial, slot]] = 1
        return max_pool1d(marks, 2 * spacing - 1, 1, spacing - 1) > 0


def in_parts(trials: Trials, slots: Slots) -> list[tuple[Trials, Slots]]:
    """Trials, with their slots, that are worked on at a time."""
    size = max(1, ENTRIES // max(1, trials.values[:1].numel()))
    parts = [slice(start, start + size) for start in range(0, len(trials.values), size)]
    return [(trials.take(rows), slots.take(rows)) for rows in parts]


def add(eta: Tensor, kernels: Tensor, kernel: Tensor, time: Tensor, amplitude: Tensor) -> None:
    """Add an event of every trial to eta (N, C, T): kernel and time (N,), amplitude (N, C)."""
    shapes = kernels[kernel].unsqueeze(1) * amplitude.unsqueeze(-1)  # (N, C, L)
    eta.scatter_add_(2, _times(time, kernels.shape[-1]).unsqueeze(1).expand_as(shapes), shapes)


def windows(x: Tensor, events: Events, length: int) -> Tensor:
    """x (N, C, T) at the times of every event: (E, C, L)."""
    neurons = torch.arange(x.shape[1], device=x.device).unsqueeze(-1)
    return x[events.trial[:, None, None], neurons, _times(events.time, length).unsqueeze(1)]


def windows_at(x: Tensor, time: Tensor, length: int) -> Tensor:
    """x (..., N, C, T) at some times of each trial, (N, M): (..., N, C, M, L)."""
    index = _times(time, length).flatten(1).unsqueeze(1).expand(*x.shape[:-1], -1)
    return x.gather(-1, index).unflatten(-1, (-1, length))


def _times(first: Tensor, length: int) -> Tensor:
    return first.unsqueeze(-1) + torch.arange(length, device=first.device)
