"""Learn kernels and events by turns; :mod:`groupsparse.deconvolution` is the way in.

Events are sampled (:mod:`groupsparse.annealing`), kernels are fitted to them by Newton steps
(:mod:`groupsparse.event_fits`). No step is a gradient step, so there is no rate to tune.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from groupsparse.amplitudes import first_prior, prior_of
from groupsparse.annealing import Prior, best_chain, losses, sweep
from groupsparse.event_fits import fit_amplitudes, fit_baseline, fit_kernels
from groupsparse.events import Events
from groupsparse.slots import Slots, Trials, in_parts

log = logging.getLogger(__name__)

WARM = 0.4  # share of the sweeps from hot to 1, after which the best start goes on
COOLING, LAST = 0.7, 0.1  # in the end: shares of the sweeps from hot to 1, and from 1 to 0
AGAIN = 2  # times that events are looked for anew: the first makes the prior sharper
LOOKS = 3  # sweeps at temperature 0 with fits of the kernels
SHIFTED_EVERY = 10  # rounds between looks at shifted kernels
LIKELY = 3  # shifts of a kernel that are tried
FEW = 32  # neurons and places of a kernel that are enough for a first guess
CONVERGED = 1e-6  # relative fall of the loss at which alternation with known times ends


class Fit(NamedTuple):
    """How kernels and baselines are fitted; see :func:`groupsparse.deconvolution.deconvolve`."""

    fixed: bool
    smooth: float
    nonnegative: Tensor
    baseline: bool


class Search(NamedTuple):
    """How events are looked for; see :func:`groupsparse.deconvolution.deconvolve`."""

    slots: int
    penalty: float | None
    spacing: int
    sweeps: int
    chains: int
    screen: int | None = None


class State(NamedTuple):
    """What a search has found so far."""

    trials: Trials
    kernels: Tensor
    slots: Slots
    prior: Prior

    def loss(self) -> float:
        """Sum of :func:`groupsparse.annealing.losses` over trials."""
        return float(losses(self.trials, self.slots, self.kernels, self.prior).double().sum())


def learn(
    trials: Trials, starts: Sequence[Tensor], search: Search, low: Tensor, high: Tensor,
    options: Fit, generator: torch.Generator,
) -> State:  # fmt: skip
    """Events of trials, and kernels unless they are fixed, from the best of several starts."""
    warm, found = int(WARM * search.sweeps), []
    for number, kernels in enumerate(starts):
        prior, hot = first_prior(trials, kernels, low, high, search.penalty, search.screen)
        state = State(trials, kernels, Slots.faint(trials, search.slots, generator), prior)
        falling = [max(1.0, hot ** (1 - i / max(1, warm - 1))) for i in range(warm)]
        state = swept(state, search, falling, options, generator)
        found.append((state.loss(), number, hot, state))
        if len(starts) > 1:
            log.info("start %d: loss %.6g", number, found[-1][0])
    *_, hot, state = min(found, key=lambda one: one[:2])
    state = swept(state, search, [1.0] * (search.sweeps - warm), options, generator)
    looks = schedule(hot, search.sweeps // 2)
    for _ in range(AGAIN):
        slots = best_chain(
            state.trials, state.slots, state.kernels, state.prior, looks, search.spacing,
            search.chains, generator, search.screen,
        )  # fmt: skip
        state = swept(state._replace(slots=slots), search, [0.0] * LOOKS, options, generator)
    return state


def swept(
    state: State, search: Search, temperatures: Sequence[float], options: Fit,
    generator: torch.Generator,
) -> State:  # fmt: skip
    """A sweep over the events at each temperature, each followed by a fit of all the rest.

    It ends with a sweep and a fit, not with a shift: a shift heeds neither support nor spacing.
    """
    trials, kernels, slots, prior = state
    reported = time.monotonic()
    for number, temperature in enumerate(temperatures):
        last = number == len(temperatures) - 1
        if not options.fixed and (last or number % SHIFTED_EVERY == SHIFTED_EVERY - 1):
            kernels, slots = shifted(trials, slots, kernels, options)
        settings = temperature, search.spacing, generator, search.screen
        slots = sweep(trials, slots, kernels, prior, *settings)
        if not options.fixed:
            kernels, slots = refitted(trials, slots, kernels, options)
        if options.baseline:
            trials = with_baseline(trials, slots, kernels)
        prior = prior_of(slots, prior)
        if time.monotonic() - reported > 5:
            reported = time.monotonic()
            loss = State(trials, kernels, slots, prior).loss()
            log.info("sweep %d of %d: loss %.6g", number + 1, len(temperatures), loss)
    return State(trials, kernels, slots, prior)


def with_known_times(
    trials: Trials, events: Events, kernels: Tensor, low: Tensor, high: Tensor, options: Fit,
    rounds: int = 30,
) -> State:  # fmt: skip
    """Amplitudes, and kernels unless they are fixed, of events whose times are known."""
    slots = Slots.of(events, len(trials.values))
    # A guess of the amplitudes alone, the same for all neurons: a few tell enough.
    few = trials.of_neurons(torch.arange(min(FEW, trials.values.shape[1])))
    prior = first_prior(few, kernels, low, high, None, FEW)[0]
    mean = prior.mean[:, :1].expand(-1, trials.values.shape[1]).clone()
    prior = prior._replace(mean=mean)
    start = prior.mean[slots.kernel] * slots.active.unsqueeze(-1)
    slots, before = slots._replace(amplitude=start), float("inf")
    for _ in range(rounds):
        mean = prior.mean[slots.kernel]
        precision = torch.as_tensor(1 / (prior.between**2 + prior.within**2)).to(mean)
        slots = fit_amplitudes(trials, slots, kernels, mean, precision, low, high)
        if not options.fixed:
            kernels, slots = refitted(trials, slots, kernels, options, steps=2)
        if options.baseline:
            trials = with_baseline(trials, slots, kernels)
        prior = prior_of(slots, prior)
        state = State(trials, kernels, slots, prior)
        loss = state.loss()
        if before - loss < CONVERGED * abs(loss):
            break
        before = loss
    return state


def schedule(hot: float, sweeps: int) -> list[float]:
    """Temperatures from hot to 1, as many sweeps as at 1, and down to 0."""
    down, last = int(COOLING * sweeps), max(2, int(LAST * sweeps))
    cooling = [hot ** (1 - i / max(1, down)) for i in range(down)]
    level = [1.0] * max(1, sweeps - down - last)
    return [*cooling, *level, *(1 - (i + 1) / last for i in range(last))]


def refitted(
    trials: Trials, slots: Slots, kernels: Tensor, options: Fit, steps: int = 1
) -> tuple[Tensor, Slots]:
    """Kernels fitted to the events, at unit norm; amplitudes take over their norm."""
    events = slots.events()
    if not events.size:
        return kernels, slots
    fitted = fit_kernels(trials, events, kernels, options.smooth, options.nonnegative, steps)
    norms = fitted.norm(dim=-1)
    kept = norms > 1e-6  # a kernel without events stays as it is
    norms = torch.where(kept, norms, 1)
    fitted = torch.where(kept.unsqueeze(-1), fitted / norms.unsqueeze(-1), kernels)
    amplitude = slots.amplitude * norms[slots.kernel].unsqueeze(-1)
    return fitted, slots._replace(amplitude=amplitude)


def shifted(trials: Trials, slots: Slots, kernels: Tensor, options: Fit) -> tuple[Tensor, Slots]:
    """The best of small shifts of every kernel against its events.

    Single events do not find them: one that moves alone no longer fits the kernel. The likely
    shifts are those at which the kernel keeps most of what the data show around its events.
    """
    length = kernels.shape[-1]
    reach = max(1, length // 8)
    starts = trials.values.shape[-1] - length + 1

    def moved(k: int, by: int) -> tuple[float, Tensor, Slots]:
        other = kernels.clone()
        other[k] = kernels[k, (torch.arange(length) + by).clamp(0, length - 1)]
        own = slots.active & (slots.kernel == k)
        time = torch.where(own, slots.time + by, slots.time).clamp(0, starts - 1)
        there = refitted(trials, slots._replace(time=time), other, options, steps=3)
        return float(trials.loss(there[1].signal(trials, there[0])).double().sum()), *there

    for k in range(len(kernels)):
        if not (slots.active & (slots.kernel == k)).any():
            continue
        energy = _around(trials, slots, kernels, k, reach, options).square()
        likely = energy.unfold(0, length, 1).sum(-1).topk(LIKELY).indices - reach
        tried = [moved(k, by) for by in sorted({0, *likely.tolist()}, key=abs)]
        _, kernels, slots = min(tried, key=lambda one: one[0])
    return kernels, slots


def _around(
    trials: Trials, slots: Slots, kernels: Tensor, k: int, reach: int, options: Fit
) -> Tensor:
    """Kernel k with ``reach`` more times on both sides, (L + 2 reach,), fitted to its events."""
    own = slots.active & (slots.kernel == k)
    rest = slots._replace(amplitude=slots.amplitude * ~own.unsqueeze(-1))
    observed = torch.ones_like(trials.values) if trials.observed is None else trials.observed
    parts = trials.values, observed, rest.signal(trials, kernels)
    wide = Trials(trials.law, *(pad(part, (reach, reach)) for part in parts), trials.allowed)
    events = slots._replace(kernel=torch.zeros_like(slots.kernel), active=own).events()
    bound, start = options.nonnegative[k : k + 1], pad(kernels[k : k + 1], (reach, reach))
    return fit_kernels(wide, events, start, options.smooth, bound, steps=2)[0]


def with_baseline(trials: Trials, slots: Slots, kernels: Tensor) -> Trials:
    """Trials whose baseline fits best to their events."""
    fitted = [
        fit_baseline(some, theirs.signal(some, kernels) - some.baseline).baseline
        for some, theirs in in_parts(trials, slots)
    ]
    return trials._replace(baseline=torch.cat(fitted))


def average_kernels(
    trials: Trials, events: Events, length: int, high: Tensor, nonnegative: Tensor
) -> Tensor:
    """Kernels to start with when times are known: as if all amplitudes were the same.

    Random ones may have the wrong sign, at which amplitudes that have one are all 0 and stay so.
    """
    sign = torch.where(high <= 0, -1.0, 1.0).to(high)
    alike = events._replace(amplitude=sign[events.kernel, None].expand_as(events.amplitude))
    none = trials.values.new_zeros(len(high), length)
    found = fit_kernels(trials, alike, none, nonnegative=nonnegative, steps=5)
    found = torch.where(found.any(-1, keepdim=True), found, 1)  # flat without events
    return torch.nn.functional.normalize(found, dim=-1)


def start_kernels(
    trials: Trials, length: int, high: Tensor, nonnegative: Tensor, generator: torch.Generator
) -> Tensor:
    """Windows of what the baseline leaves unexplained, drawn in proportion to their energy.

    They have the sign that amplitudes of at most ``high`` (K,) need. ValueError if there are not
    enough of them.
    """
    rest = -trials.slope(trials.baseline.expand_as(trials.values)).mean(1)  # (N, T)
    energy = rest.square().unfold(-1, length, 1).sum(-1)  # views: windows are never written out
    total = energy.sum().clamp_min(torch.finfo(energy.dtype).tiny)
    weights = (energy.flatten() / total).cpu()
    if int((weights > 0).sum()) < len(high):
        raise ValueError(f"y differs too little from its baseline to start {len(high)} kernels")
    # The draws of torch.multinomial, which refuses more than 2^24 windows.
    times = torch.empty_like(weights).exponential_(generator=generator)
    chosen = (weights / times).topk(len(high)).indices.to(energy.device)
    found = rest.unfold(-1, length, 1)[chosen // energy.shape[1], chosen % energy.shape[1]]
    found = torch.where((high <= 0).unsqueeze(-1), -found, found)
    found = torch.where(nonnegative.unsqueeze(-1), found.abs(), found)
    return torch.nn.functional.normalize(found, dim=-1)
