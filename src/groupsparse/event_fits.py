"""Newton steps for amplitudes, baselines and kernels when the times of the events are known.

All three minimise the negative log-likelihood, which is convex in each of them. Under a Gaussian
law a step is least squares, so one is exact.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from groupsparse.events import Events
from groupsparse.slots import ENTRIES, Slots, Trials, in_parts, windows

HALVINGS = 12  # of a Newton step that does not descend
EPSILON = 1e-6  # share of the mean curvature that is added to all: empty directions do not move


def fit_amplitudes(
    trials: Trials, slots: Slots, kernels: Tensor, mean: Tensor, precision: Tensor,
    low: Tensor, high: Tensor, steps: int = 3,
) -> Slots:  # fmt: skip
    r"""Amplitudes x (N, S, C) of known events under normal priors, by Newton steps.

    Parameters
    ----------
    mean, precision : of the priors, (N, S, C) or what broadcasts to it; precision 0 is no prior
    low, high : least and largest amplitude of each kernel, (K,)
    """
    shape = slots.amplitude.shape
    mean, precision = mean.expand(shape), precision.expand(shape)
    size = max(1, ENTRIES // ((shape[1] ** 2 + shape[2]) * trials.values.shape[-1]))
    parts = [
        _fit_amplitudes(
            trials.take(rows), slots.take(rows), kernels, mean[rows], precision[rows], low, high,
            steps,
        )
        for rows in torch.arange(len(trials.values)).split(size)
    ]  # fmt: skip
    return slots._replace(amplitude=torch.cat(parts))


def _fit_amplitudes(
    trials: Trials, slots: Slots, kernels: Tensor, mean: Tensor, precision: Tensor,
    low: Tensor, high: Tensor, steps: int,
) -> Tensor:  # fmt: skip
    active, length = slots.active.to(kernels), kernels.shape[-1]
    here = _steps(slots, kernels, trials.values.shape[-1], length)  # (N, S, T)
    trials, here = _reached(trials, here)
    low, high = (bound[slots.kernel].unsqueeze(-1) for bound in (low, high))
    eye = torch.eye(slots.kernel.shape[1]).to(kernels)
    pairs = (here.unsqueeze(2) * here.unsqueeze(1)).flatten(1, 2)  # (N, S S, T)

    def signal(x: Tensor) -> Tensor:
        return trials.baseline + torch.einsum("nst,nsc->nct", here, x)

    def loss(x: Tensor) -> Tensor:
        prior = (precision * (x - mean).square() * active.unsqueeze(-1)).sum((1, 2)) / 2
        return trials.loss(signal(x)) + prior

    def direction(x: Tensor) -> Tensor:
        eta = signal(x)
        slope, bend = trials.slope_and_bend(eta)
        slope = torch.einsum("nst,nct->nsc", here, slope) + precision * (x - mean)
        bend = (bend @ pairs.mT).unflatten(-1, (len(eye), len(eye)))
        bend = bend + eye * (precision + torch.zeros_like(x)).mT.unsqueeze(-1)
        held = _held(x, slope, low, high) | ~slots.active.unsqueeze(-1)
        return _step(slope.mT, bend, held.mT).mT

    def project(x: Tensor) -> Tensor:
        return torch.minimum(torch.maximum(x, low), high) * active.unsqueeze(-1)

    return _newton(slots.amplitude, loss, direction, project, steps)


def fit_baseline(trials: Trials, added: Tensor, steps: int = 2) -> Trials:
    """The baseline (N, C, 1) that fits best, given what events add to it (N, C, T)."""
    # A baseline at which nothing bends any more would never return.
    least = 1e-3 * trials.law.curvature

    def direction(baseline: Tensor) -> Tensor:
        eta = baseline + added
        seen = trials.values.shape[-1]
        slope, bend = (x.sum(-1, keepdim=True) for x in trials.slope_and_bend(eta))
        return -slope / bend.clamp_min(least * seen)

    fitted = _newton(
        trials.baseline, lambda b: trials.loss(b + added), direction, lambda b: b, steps
    )
    return trials._replace(baseline=fitted)


def fit_kernels(
    trials: Trials, events: Events, kernels: Tensor, smooth: float = 0.0,
    nonnegative: Tensor | None = None, steps: int = 1,
) -> Tensor:  # fmt: skip
    r"""Kernels (K, L) of known events and amplitudes, by Newton steps; their norm is free.

    Parameters
    ----------
    smooth : weight of 1/2 sum_l (h(l+1) - h(l))^2, in nats
    nonnegative : which kernels must be nonnegative, bool (K,)
    """
    count, length = kernels.shape
    parts = in_parts(trials, Slots.of(events, len(trials.values)))
    rough = torch.diff(torch.eye(length), dim=0).to(kernels)
    rough = smooth * rough.mT @ rough
    low = torch.full((count, 1), -torch.inf).to(kernels)
    if nonnegative is not None:
        low[nonnegative] = 0

    def loss(h: Tensor) -> Tensor:
        fit = sum(some.loss(slots.signal(some, h)).double().sum() for some, slots in parts)
        return (fit + ((h @ rough) * h).sum() / 2).unsqueeze(0)

    def direction(h: Tensor) -> Tensor:
        slope, bend = h @ rough, 0.0
        for some, slots in parts:
            here, bent = some.slope_and_bend(slots.signal(some, h))
            slope = slope + _kernel_slope(here, slots.events(), h)
            bend = bend + _kernel_bend(bent, slots.events(), h)
        bend.diagonal(dim1=0, dim2=2).add_(rough.unsqueeze(-1))
        bend = bend.reshape(count * length, count * length).double()
        held = _held(h, slope, low, torch.inf).flatten()
        return _step(slope.double().flatten(), bend, held).view(count, length).to(h)

    return _newton(kernels, loss, direction, lambda h: torch.maximum(h, low), steps)


def _newton(
    x: Tensor, loss: Callable[[Tensor], Tensor], direction: Callable[[Tensor], Tensor],
    project: Callable[[Tensor], Tensor], steps: int,
) -> Tensor:  # fmt: skip
    """Damped Newton steps; every problem along the first axis of the loss has its own damping."""
    x = project(x)
    now = loss(x)
    for _ in range(steps):
        step = direction(x)
        length = torch.ones_like(now)
        shape = -1, *[1] * (x.ndim - 1)
        for _ in range(HALVINGS):
            moved = project(x + length.to(x).view(shape) * step)
            then = loss(moved)
            worse = ~(then <= now)
            if not worse.any():
                break
            length = torch.where(worse, length / 3, length)
        better = ~worse
        x = torch.where(better.view(shape), moved, x)
        now = torch.where(better, then, now)
    return x


def _held(x: Tensor, slope: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
    """What is at a bound and would leave it. The rest must not count on its moving along."""
    return ((x <= low) & (slope > 0)) | ((x >= high) & (slope < 0))


def _step(slope: Tensor, bend: Tensor, held: Tensor) -> Tensor:
    """The Newton step (..., m) of what is not held; slope (..., m), curvature (..., m, m)."""
    free = ~held
    apart = ~(free.unsqueeze(-1) & free.unsqueeze(-2))
    apart = apart & ~torch.eye(slope.shape[-1], dtype=torch.bool, device=slope.device)
    bend = _lifted(bend).masked_fill(apart, 0)
    return -torch.linalg.solve(bend, (slope * free).unsqueeze(-1)).squeeze(-1)


def _lifted(bend: Tensor) -> Tensor:
    """Curvature (..., m, m) with a little of its mean added, so that it can be inverted."""
    mean = bend.diagonal(dim1=-2, dim2=-1).mean(-1).clamp_min(1e-12)
    return bend + EPSILON * mean[..., None, None] * torch.eye(bend.shape[-1]).to(bend)


def _steps(slots: Slots, kernels: Tensor, times: int, length: int) -> Tensor:
    """The kernel of every slot at its place, (N, S, T)."""
    shapes = kernels[slots.kernel] * slots.active.unsqueeze(-1)
    here = kernels.new_zeros(*slots.kernel.shape, times)
    index = slots.time.unsqueeze(-1) + torch.arange(length, device=kernels.device)
    return here.scatter_(2, index, shapes)


def _reached(trials: Trials, here: Tensor) -> tuple[Trials, Tensor]:
    """Trials and shapes (N, S, T) at the times that events reach: no others tell amplitudes."""
    reached = (here != 0).any(1)
    most = max(1, int(reached.sum(1).max()))
    times = reached.byte().sort(dim=-1, descending=True, stable=True).indices[:, None, :most]

    def at(x: Tensor) -> Tensor:
        return x.gather(2, times.expand(-1, x.shape[1], -1))

    observed = None if trials.observed is None else at(trials.observed)
    return trials._replace(values=at(trials.values), observed=observed), at(here)


def _kernel_slope(slope: Tensor, events: Events, kernels: Tensor) -> Tensor:
    """Derivative by the kernels, from that by eta (N, C, T)."""
    parts = torch.einsum("ec,ecl->el", events.amplitude, windows(slope, events, kernels.shape[-1]))
    return torch.zeros_like(kernels).index_add_(0, events.kernel, parts)


def _kernel_bend(bend: Tensor, events: Events, kernels: Tensor) -> Tensor:
    r"""Second derivative by the kernels, (K, L, K, L), from that by eta (N, C, T).

    .. math:: G_{kl,k'l'} = \sum_{e \in k, e' \in k'} \sum_c x_e x_{e'} b_c(t_e + l),
              \quad t_e + l = t_{e'} + l'

    over pairs of events of a trial that overlap. ``events`` are ordered, so the two events of
    a pair are ``apart`` places from each other in this order.
    """
    count, length = kernels.shape
    bent = windows(bend, events, length)  # (E, C, L)
    total = bend.new_zeros(count * length * count * length)
    lags = torch.arange(length, device=bend.device)
    for apart in range(events.size):
        first, second = events.take(slice(events.size - apart)), events.take(slice(apart, None))
        shift = second.time - first.time
        near = ((first.trial == second.trial) & (shift < length)).nonzero().squeeze(-1)
        if not len(near):
            break
        shift, one, two = shift[near], first.take(near), second.take(near)
        weights = torch.einsum("ec,ecl->el", one.amplitude * two.amplitude, bent[near])
        other = lags - shift.unsqueeze(-1)  # l' = l - (t' - t)
        inside = other >= 0
        rows = (one.kernel * length).unsqueeze(-1) + lags
        columns = (two.kernel * length).unsqueeze(-1) + other
        weights, rows, columns = weights[inside], rows[inside], columns[inside]
        total.index_add_(0, rows * (count * length) + columns, weights)
        if apart:
            total.index_add_(0, columns * (count * length) + rows, weights)
    return total.view(count, length, count, length)
