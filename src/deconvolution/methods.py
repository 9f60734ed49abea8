"""What learns kernels and finds events: each a function of one task."""

from __future__ import annotations

import torch
from torch import Tensor

from deconvolution import peers
from deconvolution.conditions import (
    CHANCE,
    KNOWN_KERNELS,
    KNOWN_TIMES,
    NETWORK,
    PEER,
    SEARCH,
    SEARCHED,
    SMOOTH,
)
from deconvolution.simulation import signal
from deconvolution.task import Fit, Task
from groupsparse.convolutional import ConvolutionalAutoencoder
from groupsparse.deconvolution import deconvolve
from groupsparse.events import Events
from groupsparse.seeds import generator
from groupsparse.training import train
from groupsparse.trials import TrialData

WIDTHS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # of smoothing, in bins
PRIOR_BINS = 0.1  # bins that the mean of a neuron counts for


def learn(task: Task, spec: dict, search: dict) -> Fit:
    """What the method of an entry of the config makes of a task."""
    search = search | {key: spec[key] for key in SEARCHED if key in spec}
    if spec.get("assumed"):
        task = task._replace(count=spec["assumed"])
    if spec.get("apart"):
        return together(learn(apart(task), spec | {"apart": False}, search), task.y.shape[1])
    if spec.get("law") == "gaussian":
        return as_traces(task, spec, search)
    return METHODS[spec["kind"]](task, spec, search)


def _options(task: Task, search: dict) -> dict:
    return {
        "law": task.law, "law_options": task.law_options, "baseline": task.baseline,
        "seed": task.seed,
    }  # fmt: skip


def known_times(task: Task, spec: dict, search: dict) -> Fit:
    _require("events", task.events)
    found = deconvolve(
        task.y, task.count, task.length, events=task.events, **_options(task, search)
    )
    return Fit(found.kernels, found.events, found.rate)


def _require(what: str, value: object) -> None:
    if value is None:
        raise ValueError(f"the recording has no {what}: it cannot be given to this method")


def known_kernels(task: Task, spec: dict, search: dict) -> Fit:
    _require("kernels", task.kernels)
    return _searched(task, task.kernels, None, False, search)


def searched(task: Task, spec: dict, search: dict) -> Fit:
    return _searched(task, task.count, task.length, True, search)


def _searched(task: Task, kernels, length, learn_kernels: bool, search: dict) -> Fit:
    settings = {key: search[key] for key in SEARCHED if key in search}
    found = deconvolve(
        task.y, kernels, length, events=task.most, penalty=task.penalty, spacing=task.spacing,
        learn_kernels=learn_kernels, **settings, **_options(task, search),
    )  # fmt: skip
    return Fit(found.kernels, found.events, found.rate)


def network(task: Task, spec: dict, search: dict) -> Fit:
    """The unrolled network, trained by gradients, from windows of the data.

    Its layers keep twice as many events as there are, as published; the largest are reported.
    """
    model = ConvolutionalAutoencoder(
        start_windows(task, generator(task.seed, "network")), task.law, lambda_=spec["lambda"],
        group_lambda=spec.get("group_lambda", 0.0), layers=spec["layers"],
        backprop=spec.get("backprop"), signs=[1] * task.count, smooth=spec.get("smooth", 0.0),
        law_options=task.law_options, most=2 * task.each,
    )  # fmt: skip
    data = TrialData(model.recording(task.y, task.baseline), task.seed, spec["batch_size"])
    train(model, data, epochs=spec["epochs"], lr=spec["lr"], normalize=True)
    with torch.no_grad():
        events = model.events(task.y, task.baseline, most=task.each, spacing=task.spacing)
        rate = model.rate(task.y, task.baseline)
    return Fit(model.kernels.detach(), events, rate)


def smoothed(task: Task, spec: dict, search: dict) -> Fit:
    """The mean of the bins around, by Gaussian weights: the width that predicts bins best.

    A bin is predicted from all others. There are neither kernels nor events.
    """
    law, seen = task.model, ~task.y.isnan()
    y, weight = task.y.nan_to_num(0.0), seen.to(task.y)
    lags = torch.arange(-(task.y.shape[-1] - 1), task.y.shape[-1])
    best = None
    for width in WIDTHS:
        near = torch.exp(-0.5 * (lags / width).square()).to(y)
        near[len(near) // 2] = 0
        # A bin far from all others takes the mean of its neuron.
        mean = task.y.nanmean((0, 2), keepdim=True)
        total = filtered(weight, near) + PRIOR_BINS
        rate = (filtered(y * weight, near) + PRIOR_BINS * mean) / total
        loss = float(law.nll(law.link(rate), y)[seen].double().mean())
        if best is None or loss < best[0]:
            best = loss, rate
    none = torch.zeros(0, dtype=torch.int64)
    events = Events(none, none, none, y.new_zeros(0, y.shape[1]))
    return Fit(y.new_zeros(0, task.length), events, best[1])


def peer(task: Task, spec: dict, search: dict) -> Fit:
    """Another way to kernels (:mod:`deconvolution.peers`).

    It has a rate where that is a sum of responses: of traces, at known times.
    """
    if spec.get("known"):
        _require("events", task.events)
    told = task if spec.get("known") else task._replace(events=None)
    kernels, events = peers.PEERS[spec["peer"]](told, search["starts"])
    if told.events is None or task.law != "gaussian":
        return Fit(kernels, events, torch.full_like(task.y, torch.nan))
    parts = {f"event_{name}": x for name, x in zip(events._fields, events, strict=True)}
    rate = signal({"baseline": task.base, "kernels": kernels, **parts}, task.y.shape[-1])
    return Fit(kernels, events, rate)


def filtered(x: Tensor, weights: Tensor) -> Tensor:
    """x (N, C, T) by symmetric weights (2 T - 1,) of all lags."""
    rows = x.reshape(-1, 1, x.shape[-1])
    return torch.nn.functional.conv1d(rows, weights.view(1, 1, -1), padding=len(weights) // 2).view(
        x.shape
    )


def chance(task: Task, spec: dict, search: dict) -> Fit:
    """Windows of the data as kernels, and as many events as there are, anywhere."""
    random = generator(task.seed, "chance")
    trials, neurons, times = task.y.shape
    kernels = start_windows(task, random)
    shape = trials, task.most
    events = Events(
        torch.arange(trials).repeat_interleave(task.most),
        torch.randint(task.count, shape, generator=random).flatten(),
        torch.randint(times - task.length + 1, shape, generator=random).flatten(),
        torch.zeros(trials * task.most, neurons),
    ).ordered()
    mean = task.y.nanmean((0, 2), keepdim=True).expand_as(task.y)
    return Fit(kernels, events, mean)


def start_windows(task: Task, random: torch.Generator) -> Tensor:
    """Windows of the data minus their mean, drawn in proportion to their energy: (K, L)."""
    rest = (task.y - task.y.nanmean((0, 2), keepdim=True)).nan_to_num(0.0).mean(1)
    windows = rest.unfold(-1, task.length, 1).reshape(-1, task.length)
    energy = windows.square().sum(-1)
    chosen = torch.multinomial(energy / energy.sum(), task.count, generator=random)
    return torch.nn.functional.normalize(windows[chosen], dim=-1)


def apart(task: Task) -> Task:
    """Every neuron as a trial of its own, with the events that it has; they are not shared."""
    trials, neurons, _ = task.y.shape
    events, most, exact = task.events, task.most, task.exact
    if events is not None:
        index = torch.arange(neurons)
        parts = [x.repeat_interleave(neurons) for x in events[:3]]
        parts[0] = parts[0] * neurons + index.repeat(events.size)
        events = Events(*parts, events.amplitude.reshape(-1, 1)).ordered()
        events = events.take(events.amplitude[:, 0] != 0)  # unknown ones are NaN
        counts = torch.bincount(events.trial, minlength=trials * neurons)
        most, exact = int(counts.max()), bool((counts == counts.max()).all())
    baseline = None if task.baseline is None else task.baseline.reshape(-1, 1)
    y = task.y.reshape(trials * neurons, 1, -1)
    return task._replace(y=y, baseline=baseline, events=events, most=most, exact=exact)


def together(fit: Fit, neurons: int) -> Fit:
    """The rate of neurons that were apart in its own shape again; events stay apart."""
    return fit._replace(rate=fit.rate.reshape(-1, neurons, fit.rate.shape[-1]))


def as_traces(task: Task, spec: dict, search: dict) -> Fit:
    """Counts taken for traces with Gaussian noise of the spread that they have."""
    std = float(task.y[~task.y.isnan()].std())
    baseline = task.baseline if task.baseline is None else task.model.mean(task.baseline)
    traces = task._replace(law="gaussian", law_options={"std": std}, baseline=baseline)
    return METHODS[spec["kind"]](traces, spec, search)


METHODS = {
    KNOWN_TIMES: known_times,
    KNOWN_KERNELS: known_kernels,
    SEARCH: searched,
    NETWORK: network,
    SMOOTH: smoothed,
    PEER: peer,
    CHANCE: chance,
}
