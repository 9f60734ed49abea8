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
from groupsparse.slots import Slots, Trials, add, in_parts, windows, windows_at

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

    def at(self, time: Tensor) -> Places:
        """Of places at all times, those at some of them (N, K, M)."""
        each = time.unsqueeze(-1).expand(*time.shape, self.amplitude.shape[-1])
        x, bend = (part.gather(2, each) for part in (self.amplitude, self.curvature))
        return Places(self.gain.gather(2, time), x, bend, time)

    def without(self, closed: Tensor) -> Places:
        """No gain where it is ``closed`` (N, K, P)."""
        return self._replace(gain=self.gain.masked_fill(closed.gather(2, self.time), -torch.inf))


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
    time = torch.arange(starts, device=eta.device).expand(closed.shape)
    if law.quadratic or (screen is not None and screen < starts):
        rough = parabola(trials, eta, kernels, mean, std, prior)
        if screen is not None and screen < starts:
            time = rough.gain.masked_fill(closed, -torch.inf).topk(screen, -1, sorted=False).indices
        if law.quadratic:
            return rough.at(time).without(closed)

    base, seen = law.cumulant(eta), trials.observed
    signals = (
        [eta, trials.values, base] if seen is None else [eta, trials.values, base * seen, seen]
    )
    signals = torch.stack(signals)
    precision = std.pow(-2)[:, None, None]
    found = []
    for k, kernel in enumerate(kernels):
        # (N, C, M, L); at all times these are views.
        every = time.shape[-1] == starts
        looks = signals.unfold(-1, length, 1) if every else windows_at(signals, time[:, k], length)
        below, y, before, *seen = looks
        before = before.sum(-1)
        squares, middle = kernel.square(), mean[:, k].unsqueeze(-1)  # (N, C, 1)
        # Where entries are hidden the kernel is cut.
        weigh = (lambda v, seen=seen: v * seen[0]) if seen else (lambda v: v)
        linear = law.scale * (weigh(y) @ kernel)
        reach = REACH / precision.sqrt()
        # A mean may be far outside of the bounds, where its reach does not touch them.
        low, high, x = (
            torch.clamp(v, prior.low[k], prior.high[k])
            for v in (middle - reach, middle + reach, middle)
        )
        x = x.expand(before.shape)
        for _ in range(NEWTON):
            level, bend = law.mean_and_bend(torch.addcmul(below, x.unsqueeze(-1), kernel))
            slope = law.scale * (weigh(level) @ kernel) - linear + precision * (x - middle)
            bend = weigh(bend) @ squares + precision
            x = torch.clamp(x - slope / bend, low, high)
        here = law.cumulant(torch.addcmul(below, x.unsqueeze(-1), kernel))
        gain = before - weigh(here).sum(-1) + x * linear
        gain = gain - (precision * (x - middle).square() + (bend / precision).log()) / 2
        found.append((gain.sum(1), x.mT, bend.mT))
    gain, amplitude, curvature = (torch.stack(parts, 1) for parts in zip(*found, strict=True))
    return Places(gain, amplitude, curvature, time).without(closed)


def parabola(
    trials: Trials, eta: Tensor, kernels: Tensor, mean: Tensor, std: Tensor, prior: Prior
) -> Places:
    """An event at every place, if the loss were its parabola at eta: exact if it is one."""
    count, neurons, _ = eta.shape

    def correlated(signal: Tensor, shapes: Tensor) -> Tensor:
        found = correlate(signal.permute(2, 0, 1).flatten(1), shapes)  # (P, K, N C)
        return found.unflatten(-1, (count, neurons))

    slope, bend = trials.slope_and_bend(eta)
    precision, middle = std.pow(-2).unsqueeze(-1), mean.transpose(0, 1)  # (N, 1), (K, N, C)
    bend = correlated(bend, kernels.square()).add_(precision)
    pull = precision * middle - correlated(slope, kernels)
    reach = (REACH if trials.law.quadratic else math.inf) * std.unsqueeze(-1)
    bounds = prior.low[:, None, None], prior.high[:, None, None]
    low, high = (torch.clamp(v, *bounds) for v in (middle - reach, middle + reach))
    x = torch.clamp(pull / bend, low, high)
    gain = torch.addcmul(pull, x, bend, value=-0.5).mul_(x)
    gain.sub_((precision * middle.square() - precision.log()) / 2).sub_(bend.log(), alpha=0.5)
    found = gain.sum(-1), x, bend
    time = torch.arange(len(gain), device=eta.device).expand(count, len(kernels), -1)
    return Places(*(part.transpose(0, 2) for part in found), time)


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
    parts = in_parts(trials, slots)
    return torch.cat([_losses(some, theirs, kernels, prior) for some, theirs in parts])


def _losses(trials: Trials, slots: Slots, kernels: Tensor, prior: Prior) -> Tensor:
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
