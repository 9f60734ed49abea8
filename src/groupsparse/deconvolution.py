"""Kernels and events behind counts or traces, with no rate to tune."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count, check_lambda
from groupsparse.event_learning import (
    Fit,
    Search,
    average_kernels,
    learn,
    start_kernels,
    with_known_times,
)
from groupsparse.events import Events
from groupsparse.likelihood import law_of
from groupsparse.populations import learn_in_few
from groupsparse.seeds import as_generator
from groupsparse.slots import Trials
from groupsparse.trials import checked_signs, checked_support, checked_trials


class Deconvolved(NamedTuple):
    """What :func:`deconvolve` returns.

    ``kernels`` (K, L) at unit norm; ``events`` with their amplitudes; ``baseline`` (N, C);
    ``rate`` (N, C, T), the mean of y given all of them; ``loss``, -log p(y | events) in nats over
    all that was observed.
    """

    kernels: Tensor
    events: Events
    baseline: Tensor
    rate: Tensor
    loss: float


def deconvolve(
    y: Array,
    kernels: int | Array,
    length: int | None = None,
    *,
    events: int | Events,
    law: str = "gaussian",
    law_options: dict | None = None,
    baseline: Array | None = None,
    fit_baseline: bool | None = None,
    learn_kernels: bool = True,
    penalty: float | None = None,
    spacing: int = 1,
    support: Array | None = None,
    signs: Sequence[int] | None = None,
    nonnegative: bool = False,
    smooth: float = 0.0,
    starts: int = 8,
    sweeps: int = 60,
    chains: int = 8,
    screen: int | None = 24,
    search_neurons: int | None = None,
    seed: torch.Generator | int = 0,
) -> Deconvolved:
    r"""Learn kernels h and find events in trials y (N, C, T) of C neurons.

    .. math:: \eta_{nc}(t) = a_{nc} + \sum_{e \in n} x_{ec} \, h_{k_e}(t - t_e), \qquad
              y \sim \text{law}(\eta)

    The model is that of :class:`ConvolutionalAutoencoder`: the neurons of a trial share the times
    of events, with an amplitude each. It is fitted by turns. Events are sampled given the kernels
    (:mod:`groupsparse.annealing`). Kernels are fitted to the events by Newton steps, which are
    least squares under a Gaussian law. Amplitudes have a normal prior, whose mean and spread
    between and within trials are estimated.

    Parameters
    ----------
    y : NaN where nothing was observed
    kernels : K, their number, or where to start (K, L)
    length : L in times, if ``kernels`` is a number
    events : in every trial, over all kernels; or :class:`Events` whose times are known, and whose
        amplitudes are then fitted
    law, law_options : as for :class:`ConvolutionalAutoencoder`
    baseline : a (N, C); by default it starts from the mean of each trial and neuron
    fit_baseline : whether it is fitted as well; by default if none is given, as the mean has the
        events in it
    learn_kernels : False: those given are kept, at unit norm
    penalty : nats that an event costs; a trial then has at most ``events``. A uniform prior over
        all places costs log(K P), P = T - L + 1. None: a trial has exactly ``events``
    spacing : least distance of two events of a kernel, in times
    support : where events can be, 0 or 1: (N, K, P); by default anywhere
    signs : of the amplitudes of each kernel: 1, -1, or 0 for both; by default 1
    nonnegative : whether kernels must be nonnegative
    smooth : weight of 1/2 sum_l (h(l + 1) - h(l))^2 for kernels, in nats
    starts : kernels to start with, drawn from windows of the data; the most probable goes on
    sweeps, chains : of the search; more find better events in more time
    screen : places of a kernel in a trial at which an event is tried out, the best by a parabola.
        None: all of them, which is exact and slow
    search_neurons : neurons that the search sees, those that say most; all others take part in a
        last look and in all fits. By default all
    seed : of starts and search

    Raises
    ------
    ValueError for shapes and numbers that do not fit, and values that the law cannot give.

    Examples
    --------
    >>> kernel = torch.tensor([[0.8, 0.6]])
    >>> y = torch.zeros(20, 1, 12)
    >>> for trial in range(20):
    ...     y[trial, 0, trial % 5 : trial % 5 + 2] += 3 * kernel[0]
    ...     y[trial, 0, 8:10] += 3 * kernel[0]
    >>> found = deconvolve(y, 1, 2, events=2, law_options={"std": 0.1}, baseline=torch.zeros(20, 1))
    >>> found.kernels.round(decimals=1), found.events.time[:4]
    (tensor([[0.8000, 0.6000]]), tensor([0, 8, 1, 8]))
    """
    made, generator = law_of(law, **(law_options or {})), as_generator(seed)
    given = None if isinstance(kernels, Integral) else _start(kernels, length, nonnegative)
    count = check_count(kernels, "kernels", least=1) if given is None else len(given)
    if given is None and length is None:
        raise ValueError("give the length of the kernels, or kernels to start with")
    length = check_count(length, "length", least=1) if given is None else given.shape[-1]
    if not learn_kernels and given is None:
        raise ValueError("kernels are neither given nor learnt")
    y = as_tensor(y, "y")
    if y.dtype not in (torch.float32, torch.float64):
        y = y.float()
    fitted = baseline is None if fit_baseline is None else bool(fit_baseline)
    y, observed, baseline = checked_trials(y, made, length, baseline, like=y)
    places = len(y), count, y.shape[-1] - length + 1
    trials = Trials(
        made, y, None if observed.all() else observed.to(y), baseline.unsqueeze(-1),
        _allowed(support, observed, places, length),
    )  # fmt: skip
    low, high = _bounds(signs, count, y)
    check_lambda(smooth, "smooth")
    positive = torch.full((count,), bool(nonnegative), device=y.device)
    fit = Fit(not learn_kernels, float(smooth), positive, fitted)
    given = [] if given is None else [given.to(y)]
    if isinstance(events, Events):
        events = _known(events, places, y)
        start = given or [average_kernels(trials, events, length, high, positive)]
        state = with_known_times(trials, events, start[0], low, high, fit)
    else:
        if not isinstance(events, Integral):
            kind = type(events).__name__
            raise ValueError(f"events must be a whole number, or gs.Events, not a {kind}")
        if penalty is not None and not (isinstance(penalty, Real) and math.isfinite(penalty)):
            raise ValueError(f"penalty must be a finite number, not {penalty!r}")
        search = Search(
            check_count(events, "events", least=1), penalty,
            check_count(spacing, "spacing", least=1), check_count(sweeps, "sweeps", least=4),
            check_count(chains, "chains", least=1),
            None if screen is None else check_count(screen, "screen", least=1),
        )  # fmt: skip
        new = 0 if given else check_count(starts, "starts", least=1)
        given += [start_kernels(trials, length, high, positive, generator) for _ in range(new)]
        rest = low, high, fit, generator
        if search_neurons is None or check_count(search_neurons, "search_neurons", 1) >= y.shape[1]:
            state = learn(trials, given, search, *rest)
        else:
            state = learn_in_few(trials, given, search, search_neurons, *rest)
    eta = state.slots.signal(state.trials, state.kernels)
    parts = zip(eta, y, observed, strict=True)  # a large population fills the memory once
    loss = sum(float((made.nll(e, v) * seen).double().sum()) for e, v, seen in parts)
    baseline = state.trials.baseline.squeeze(-1).clone()  # not the memory of the argument
    return Deconvolved(state.kernels, state.slots.events(), baseline, made.mean(eta), loss)


def _start(kernels: Array, length: int | None, nonnegative: bool) -> Tensor:
    kernels = as_tensor(kernels, "kernels")
    if kernels.ndim != 2 or not all(kernels.shape) or not torch.isfinite(kernels).all():
        raise ValueError(f"kernels must be finite, of shape (K, L), not {tuple(kernels.shape)}")
    if not kernels.any(-1).all():
        raise ValueError("kernels must not be zero")
    if length not in (None, kernels.shape[-1]):
        raise ValueError(f"length is {length}, but kernels of {kernels.shape[-1]} times are given")
    if nonnegative and (kernels < 0).any():
        raise ValueError("kernels to start with must be nonnegative, as they are to stay so")
    return torch.nn.functional.normalize(kernels, dim=-1)


def _bounds(signs: Sequence[int] | None, count: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Least and largest amplitude of every kernel."""
    signs = checked_signs([1] * count if signs is None else signs, count)
    low = [0.0 if sign > 0 else -math.inf for sign in signs]
    high = [0.0 if sign < 0 else math.inf for sign in signs]
    return torch.tensor(low).to(like), torch.tensor(high).to(like)


def _allowed(
    support: Array | None, observed: Tensor, shape: tuple[int, int, int], length: int
) -> Tensor:
    """Where events can be: as the support says, and where any of their times was observed."""
    seen = observed.any(1).unfold(-1, length, 1).any(-1).unsqueeze(1).expand(shape)
    if support is None:
        return seen
    return seen & checked_support(support, shape, observed.device)


def _known(events: Events, shape: tuple[int, int, int], y: Tensor) -> Events:
    """Events in order; their amplitudes do not matter."""
    parts = [torch.as_tensor(part, device=y.device) for part in events[:3]]
    if any(part.ndim != 1 or len(part) != len(parts[0]) for part in parts):
        raise ValueError("trial, kernel and time of events must be of one length")
    if any(part.numel() and (part != part.long()).any() for part in parts):
        raise ValueError("trial, kernel and time of events must be whole numbers")
    blank = y.new_ones(len(parts[0]), y.shape[1])
    events = Events(*(part.long() for part in parts), blank).ordered()
    for name, size in zip(Events._fields, shape, strict=False):
        values = getattr(events, name)
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < size:
            raise ValueError(f"the {name} of an event must be from 0 to {size - 1}")
    return events
