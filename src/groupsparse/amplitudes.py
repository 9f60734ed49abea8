"""The prior of amplitudes: a first guess from single events, then what events show."""

from __future__ import annotations

import torch
from torch import Tensor

from groupsparse.annealing import Prior, parts, places
from groupsparse.likelihood import Gaussian
from groupsparse.slots import Slots, Trials

HOT = 0.04  # first temperature, as a share of the median gain of a trial's best event
LEAST_SPREAD = 0.05  # of amplitudes, as a share of their mean
GUESSES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # peaks of an event in units of the signal, at first


def first_prior(
    trials: Trials, kernels: Tensor, low: Tensor, high: Tensor, penalty: float | None,
    screen: int | None = None,
) -> tuple[Prior, float]:  # fmt: skip
    """Amplitudes at which single events explain most, and a temperature to begin with."""
    unit = 1.0
    if isinstance(trials.law, Gaussian):  # what the baseline leaves, where anything was observed
        eta = trials.baseline.expand_as(trials.values)
        seen = trials.values.numel() if trials.observed is None else trials.observed.sum()
        rest = trials.slope(eta) / trials.law.scale
        unit = float(rest.square().sum() / seen) ** 0.5 or 1.0
    sign = torch.where(high <= 0, -1.0, 1.0).to(kernels)
    neurons = trials.values.shape[1]
    some = [trials.take(rows) for rows in parts(trials, kernels.shape[-1], screen)]
    best = None
    for guess in GUESSES:
        size = guess * unit / kernels.abs().amax(-1)
        mean = (sign * size).unsqueeze(-1).expand(-1, neurons).clone()
        spread = float(size.mean())
        free = (low < 0) & (high > 0)
        mean[free] = 0
        prior = Prior(mean, spread, spread / 2, low, high, penalty)
        gain = torch.cat([_best_gains(part, kernels, prior, spread, screen) for part in some])
        total = float(gain[gain > -torch.inf].sum())
        if best is None or total > best[0]:
            best = total, prior, float(gain.median())
    return best[1], max(1.0, HOT * best[2])


def _best_gains(
    trials: Trials, kernels: Tensor, prior: Prior, spread: float, screen: int | None
) -> Tensor:
    """What the best single event of each trial gains, (N,)."""
    eta = trials.baseline.expand_as(trials.values)
    count = len(eta)
    std = torch.full((count,), spread).to(kernels)
    mean = prior.mean.expand(count, -1, -1)
    found = places(trials, eta, kernels, mean, std, prior, ~trials.allowed, screen)
    return found.gain.flatten(1).amax(1)


def prior_of(slots: Slots, before: Prior) -> Prior:
    """Mean and spread of the amplitudes, between trials and within them."""
    active = slots.active.unsqueeze(-1)
    mean = before.mean.clone()
    for k in range(len(mean)):
        here = slots.amplitude[slots.active & (slots.kernel == k)]
        if len(here):
            mean[k] = here.mean(0)
    off = (slots.amplitude - mean[slots.kernel]) * active
    count = slots.active.sum(1).to(off)
    middle = off.sum(1) / count.clamp_min(1).unsqueeze(-1)
    least = LEAST_SPREAD * (float(mean.abs().mean()) or before.within)
    several, neurons = count > 1, off.shape[-1]
    if not several.any():
        here = off[slots.active]
        spread = float(here.square().mean().sqrt()) if len(here) else before.within
        return before._replace(mean=mean, between=0.0, within=max(spread, least))
    rest = ((off - middle.unsqueeze(1)) * active)[several].square().sum()
    within = float(rest / ((count - 1)[several].sum() * neurons))
    between = float((middle[several].square() - within / count[several, None]).mean())
    return before._replace(
        mean=mean, between=max(between, 0.0) ** 0.5, within=max(within**0.5, least)
    )
