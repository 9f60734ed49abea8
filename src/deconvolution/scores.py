"""How near a fit is to the truth, and how well it predicts what was hidden."""

from __future__ import annotations

import torch
from torch import Tensor

from deconvolution.methods import Fit, Task
from deconvolution.simulation import signal
from groupsparse.detection import event_scores, kernel_errors, match, match_events, renamed
from groupsparse.events import Events

LAGS = 4  # share of a kernel's length that it may be shifted by: 1 / LAGS
SAME = 2  # bins within which the amplitudes of events are compared


def recorded_events(tensors: dict[str, Tensor]) -> Events | None:
    """The true events of a recording, if it has some."""
    if "event_time" not in tensors:
        return None
    names = ("event_trial", "event_kernel", "event_time", "event_amplitude")
    return Events(*(tensors[name] for name in names)).ordered()


def kernel_scores(fit: Fit, kernels: Tensor) -> dict[str, float]:
    """Error of every true kernel, their mean, and the mean over small shifts."""
    if len(fit.kernels) < len(kernels):
        return {}
    errors = kernel_errors(fit.kernels, kernels).errors
    shifted = kernel_errors(fit.kernels, kernels, kernels.shape[-1] // LAGS).errors
    values = {f"kernel_error_{k}": float(e) for k, e in enumerate(errors)}
    return values | {"kernel_error": float(errors.mean()), "shifted_error": float(shifted.mean())}


def of_events(
    fit: Fit, truth: Events, kernels: Tensor | None, tolerances: list[int]
) -> dict[str, float]:
    """Hits and false discoveries by tolerance, and how amplitudes agree.

    The kernels of events are those that learnt ones are matched to; without true kernels, by the
    most events within ``SAME`` bins.
    """
    if not len(fit.kernels) or (kernels is not None and len(fit.kernels) < len(kernels)):
        return {}
    found = fit.events
    every = found.size  # those of a kernel that is matched to none are false
    if kernels is not None:
        order = kernel_errors(fit.kernels, kernels, kernels.shape[-1] // LAGS).order
        found = renamed(found, order)
    elif len(fit.kernels) > (last := int(truth.kernel.max())):
        found = renamed(found, kinds(found, truth, len(fit.kernels), last + 1))
    else:
        # Kinds of events that it cannot tell apart count as one.
        found, truth = (e._replace(kernel=torch.zeros_like(e.kernel)) for e in (found, truth))
    values = {}
    for tolerance in tolerances:
        scored = event_scores(found, truth, tolerance)
        hits = scored["hit_rate"] * truth.size
        values[f"hit_{tolerance}"] = scored["hit_rate"]
        values[f"false_{tolerance}"] = 1 - hits / every if every else float("nan")
    mine, theirs = match_events(found, truth, SAME)
    pairs = torch.stack([found.amplitude[mine].flatten(), truth.amplitude[theirs].flatten()])
    if pairs.isfinite().all() and pairs.shape[1] > 2 and (pairs.std(1) > 0).all():
        values["amplitude_correlation"] = float(torch.corrcoef(pairs.double())[0, 1])
    return values


def kinds(found: Events, truth: Events, learnt: int, true: int) -> Tensor:
    """The learnt kernel (true,) of every kind of true events: most of its events are of that."""
    mine = [of_kernel(found, k) for k in range(learnt)]
    theirs = [of_kernel(truth, k) for k in range(true)]
    common = [[len(match_events(events, kind, SAME)[0]) for events in mine] for kind in theirs]
    return match(torch.tensor(common))


def of_kernel(events: Events, kernel: int) -> Events:
    """The events of one kernel, whose number is then 0."""
    chosen = events.take(events.kernel == kernel)
    return chosen._replace(kernel=torch.zeros_like(chosen.kernel))


def rate_score(fit: Fit, tensors: dict[str, Tensor], task: Task) -> dict[str, float]:
    """R^2 of the mean of y, where the true one is known."""
    amplitude = tensors.get("event_amplitude")
    if not {"kernels", "baseline"} <= tensors.keys() or amplitude is None:
        return {}
    if not amplitude.isfinite().all() or fit.rate.isnan().all():
        return {}
    true = task.model.mean(signal(tensors, task.y.shape[-1])).double()
    rest = (fit.rate - true).square().sum()
    return {"rate_r2": 1 - float(rest / (true - true.mean()).square().sum())}


def trace_score(fit: Fit, task: Task) -> dict[str, float]:
    """R^2 of the traces that a fit has seen; of counts it would say little."""
    seen = ~task.y.isnan()
    if task.law != "gaussian" or fit.rate.isnan().all():
        return {}
    y, rest = task.y[seen].double(), (task.y - fit.rate)[seen].double()
    return {"explained": 1 - float(rest.square().sum() / (y - y.mean()).square().sum())}


def held_out(fit: Fit, task: Task, y: Tensor, hidden: Tensor) -> dict[str, float]:
    """Nats per hidden bin that a fit is better than the baseline alone."""
    if fit.rate.isnan().all():
        return {}
    law, baseline = task.model, task.baseline
    if baseline is None:
        baseline = law.link(task.y.nanmean(-1))
    flat = baseline.unsqueeze(-1).expand_as(y)
    eta = law.link(fit.rate)
    gain = law.nll(flat, y) - law.nll(eta, y)
    return {"held_out": float(gain[hidden].double().mean())}
