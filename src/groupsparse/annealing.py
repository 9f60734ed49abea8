r"""Search for events by annealed Gibbs sampling, one slot after the other.

A slot is emptied and filled again from its distribution given all others. With the amplitudes
integrated out (Laplace's approximation), kernel k at time t has the log-odds

.. math:: \sum_c \max_x \left[ \ell(\eta) - \ell(\eta + x h_k(\cdot - t)) - \frac{(x - m)^2}{2 s^2}
          - \frac12 \log (s^2 w) \right] - \text{penalty}

against an empty slot, where l is the negative log-likelihood and w the curvature by x at the last
Newton step to the maximum. They are divided by a temperature. At 1 this samples from the posterior,
up to the approximation, which does not heed bounds of x. At 0 it takes the best place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.convolution import correlate
from groupsparse.slots import Slots, Trials, add, windows, windows_at

NEWTON = 3  # steps to the amplitude of a place
REACH = 6.0  # standard deviations of the prior that an amplitude may be away from its mean
ENTRIES = 2**19  # of windows that are worked on at a time: they stay in the cache


class Prior(NamedTuple):
    r"""Normal amplitudes: x = mean_{kc} + u + e, where all events of a trial and neuron share u.

    ``mean`` is (K, C). ``between`` and ``within``, the standard deviations of u and e, are numbers.
    ``low`` and ``high`` (K,) bound the amplitudes of a kernel. An event costs ``penalty`` nats; if
    it is None every slot has one.
    """

    mean: Tensor
    between: float
    within: float
    low: Tensor
    high: Tensor
    penalty: float | None

    def given(self, slots: Slots, but: int) -> tuple[Tensor, Tensor]:
        """Mean (N, K, C) and standard deviation (N,) of slot ``but``, given the others."""
        others = slots.active.clone()
        others[:, but] = False
        count = others.sum(1).to(self.mean)
        off = (slots.amplitude - self.mean[slots.kernel]) * others.unsqueeze(-1)
        off = off.sum(1) / count.clamp_min(1).unsqueeze(-1)
        ratio = count * self.between**2 / (self.within**2 + count * self.between**2)
        mean = self.mean + (ratio.unsqueeze(-1) * off).unsqueeze(1)
        return mean, self.variance(count).sqrt()

    def variance(self, others: Tensor) -> Tensor:
        """Of an amplitude, given those of so many other events of its trial and neuron."""
        share = self.within**2 / (self.within**2 + others * self.between**2)
        return self.within**2 + share * self.between**2

    def loss(self, slots: Slots) -> Tensor:
        """-log density of the amplitudes of every trial, and what its events cost: (N,).

        Without the 2 pi, which cancel in :func:`losses`.
        """
        here = slots.active.unsqueeze(-1)
        off = (slots.amplitude - self.mean[slots.kernel]) * here
        count = slots.active.sum(1).to(off)
        together = off.sum(1).square() * self.between**2
        whole = self.within**2 + count.unsqueeze(-1) * self.between**2
        square = off.square().sum(1) / self.within**2 - together / whole / self.within**2
        logs = (count.unsqueeze(-1) - 1) * 2 * math.log(self.within) + whole.log()
        density = (square + torch.where(count.unsqueeze(-1) > 0, logs, 0)).sum(1) / 2
        return density + count * (self.penalty or 0.0)


class Places(NamedTuple):
    """What an event gains at M times of every kernel, (N, K, M) in nats; its amplitude and the
    curvature there, (N, K, M, C); and these times, (N, K, M).
    """

    gain: Tensor
    amplitude: Tensor
    curvature: Tensor
    time: Tensor


def places(
    trials: Trials, eta: Tensor, kernels: Tensor, mean: Tensor, std: Tensor, prior: Prior,
    closed: Tensor | None = None, screen: int | None = None,
) -> Places:  # fmt: skip
    """An event at every place, on top of eta (N, C, T), with amplitudes of mean (N, K, C).

    With a ``screen`` only so many times of every kernel are looked at: the best by a parabola.
    Where it is ``closed`` (N, K, P) an event gains -inf.
    """
    length, law = kernels.shape[-1], trials.law
    closed = torch.zeros_like(trials.allowed) if closed is None else closed
    starts = closed.shape[-1]
    if screen is None or screen >= starts:
        time = torch.arange(starts, device=eta.device).expand(closed.shape)
    else:
        rough = roughly(trials, eta, kernels, mean, std, prior).masked_fill(closed, -torch.inf)
        time = rough.topk(screen, -1).indices

    def looks(x: Tensor, k: int) -> Tensor:
        """(N, C, M, L); at all times it is a view."""
        every = time.shape[-1] == starts
        return x.unfold(-1, length, 1) if every else windows_at(x, time[:, k], length)

    base = law.cumulant(eta) if trials.observed is None else law.cumulant(eta) * trials.observed
    precision = std.pow(-2)[:, None, None]
    found = []
    for k, kernel in enumerate(kernels):
        below, y = looks(eta, k), looks(trials.values, k)
        seen = None if trials.observed is None else looks(trials.observed, k)
        before = looks(base, k).sum(-1)
        squares, middle = kernel.square(), mean[:, k].unsqueeze(-1)  # (N, C, 1)
        # Where entries are hidden the kernel is cut.
        weigh = (lambda v: v) if seen is None else (lambda v, seen=seen: v * seen)
        linear = law.scale * (weigh(y) @ kernel)
        reach = REACH / precision.sqrt()
        # A mean may be far outside of the bounds, where its reach does not touch them.
        low, high, x = (
            torch.clamp(v, prior.low[k], prior.high[k])
            for v in (middle - reach, middle + reach, middle)
        )
        x = x.expand(before.shape)
        for _ in range(NEWTON):
            here = below + x.unsqueeze(-1) * kernel
            slope = law.scale * (weigh(law.mean(here)) @ kernel) - linear + precision * (x - middle)
            bend = weigh(law.bend(here)) @ squares + precision
            x = torch.minimum(torch.maximum(x - slope / bend, low), high)
        here = below + x.unsqueeze(-1) * kernel
        gain = before - weigh(law.cumulant(here)).sum(-1) + x * linear
        gain = gain - (precision * (x - middle).square() + (bend / precision).log()) / 2
        found.append((gain.sum(1), x.mT, bend.mT))
    gain, amplitude, curvature = (torch.stack(parts, 1) for parts in zip(*found, strict=True))
    return Places(gain.masked_fill(closed.gather(2, time), -torch.inf), amplitude, curvature, time)


def roughly(
    trials: Trials, eta: Tensor, kernels: Tensor, mean: Tensor, std: Tensor, prior: Prior
) -> Tensor:
    """What an event gains at every place (N, K, P) if the loss were its parabola at eta."""
    count, neurons, _ = eta.shape

    def correlated(signal: Tensor, shapes: Tensor) -> Tensor:
        found = correlate(signal.permute(2, 0, 1).flatten(1), shapes)  # (P, K, N C)
        return found.unflatten(-1, (count, neurons))

    push = -correlated(trials.slope(eta), kernels)
    bend = correlated(trials.bend(eta), kernels.square())
    precision, middle = std.pow(-2).unsqueeze(-1), mean.transpose(0, 1)  # (N, 1), (K, N, C)
    low, high = (bound[:, None, None] for bound in (prior.low, prior.high))
    x = (push + precision * middle) / (bend + precision)
    x = torch.minimum(torch.maximum(x, low), high)
    gain = x * push - (x.square() * bend + precision * (x - middle).square()) / 2
    gain = gain - (1 + bend / precision).log() / 2
    return gain.sum(-1).permute(2, 1, 0)


def parts(trials: Trials, length: int, screen: int | None) -> Sequence[Tensor]:
    """Trials that are worked on at a time."""
    count, kernels, starts = trials.allowed.shape
    entries = length * starts if screen is None else max(length * screen, kernels * starts)
    rows = torch.arange(count, device=trials.values.device)
    return rows.split(max(1, ENTRIES // (trials.values.shape[1] * entries)))


def sweep(
    trials: Trials, slots: Slots, kernels: Tensor, prior: Prior, temperature: float, spacing: int,
    generator: torch.Generator, screen: int | None = None,
) -> Slots:  # fmt: skip
    """Fill every slot anew, in random order, at a temperature."""
    order = torch.randperm(slots.kernel.shape[1], generator=generator).tolist()
    settings = kernels, prior, temperature, spacing, order, generator, screen
    done = [
        _sweep(trials.take(rows), slots.take(rows), *settings)
        for rows in parts(trials, kernels.shape[-1], screen)
    ]
    return Slots(*(torch.cat(part) for part in zip(*done, strict=True)))


def _sweep(
    trials: Trials, slots: Slots, kernels: Tensor, prior: Prior, temperature: float, spacing: int,
    order: Sequence[int], generator: torch.Generator, screen: int | None,
) -> Slots:  # fmt: skip
    starts = trials.values.shape[-1] - kernels.shape[-1] + 1
    every = torch.arange(len(trials.values), device=kernels.device)
    eta = slots.signal(trials, kernels)
    for slot in order:
        kernel, time, active, amplitude = (part[:, slot] for part in slots)
        add(eta, kernels, kernel, time, -amplitude)
        mean, std = prior.given(slots, slot)
        closed = slots.taken(slot, len(kernels), starts, spacing) | ~trials.allowed
        found = places(trials, eta, kernels, mean, std, prior, closed, screen)
        looks, odds = found.time.shape[-1], found.gain.flatten(1)
        if prior.penalty is not None:
            odds = torch.cat([odds - prior.penalty, odds.new_zeros(len(odds), 1)], 1)
        if temperature > 0:
            odds = odds / temperature + _gumbel(odds, generator)
        best, place = odds.max(1)
        filled = (place < len(kernels) * looks) & (best > -torch.inf)
        place = torch.where(filled, place, 0)
        k, m = place // looks, place % looks
        x = found.amplitude[every, k, m]
        if temperature > 0:
            spread = min(temperature, 1.0) ** 0.5 / found.curvature[every, k, m].sqrt()
            x = x + spread * torch.randn(x.shape, generator=generator).to(x)
            x = torch.minimum(torch.maximum(x, prior.low[k, None]), prior.high[k, None])
        kernel.copy_(torch.where(filled, k, 0))
        time.copy_(torch.where(filled, found.time[every, k, m], 0))
        active.copy_(filled)
        amplitude.copy_(x * filled.unsqueeze(-1))
        add(eta, kernels, kernel, time, amplitude)
    return slots


def _gumbel(like: Tensor, generator: torch.Generator) -> Tensor:
    """Noise with which a maximum is a draw from the softmax."""
    uniform = torch.rand(like.shape, generator=generator).clamp_min(1e-30)
    return -(-uniform.log()).clamp_min(1e-30).log().to(like)


def losses(trials: Trials, slots: Slots, kernels: Tensor, prior: Prior) -> Tensor:
    """-log posterior of the events of every trial, (N,), but for what depends on values alone.

    The curvature by every amplitude makes it comparable between numbers of events, whatever the
    unit of y, as in the odds of the search.
    """
    eta, events = slots.signal(trials, kernels), slots.events()
    bend = windows(trials.bend(eta), events, kernels.shape[-1])
    bend = torch.einsum("ecl,el->ec", bend, kernels[events.kernel].square())
    others = (slots.active.sum(1) - 1).to(bend)[events.trial]
    bend = bend + 1 / prior.variance(others).unsqueeze(-1)
    loss = trials.loss(eta) + prior.loss(slots)
    return loss.index_add(0, events.trial, bend.log().sum(1) / 2)


def best_chain(
    trials: Trials, slots: Slots, kernels: Tensor, prior: Prior, temperatures: Sequence[float],
    spacing: int, chains: int, generator: torch.Generator, screen: int | None = None,
) -> Slots:  # fmt: skip
    """Anneal several chains of every trial from faint events, and keep the best one of each.

    ``slots`` is one more candidate. The best has the least of the :func:`losses`.
    """
    count = len(trials.values)
    rows = torch.arange(count, device=kernels.device)
    many = trials.take(rows.repeat(chains))
    found = Slots.faint(many, slots.kernel.shape[1], generator)
    for temperature in temperatures:
        found = sweep(many, found, kernels, prior, temperature, spacing, generator, screen)
    every = Slots(*(torch.cat([a, b]) for a, b in zip(slots, found, strict=True)))
    many = trials.take(rows.repeat(chains + 1))
    best = losses(many, every, kernels, prior).view(chains + 1, count).argmin(0)
    return every.take(best * count + rows)
