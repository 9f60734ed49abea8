"""What a recording is, and the refusal of one that is not.

Tensors, of N trials, C neurons, T bins, K kernels of L bins and E events:

- ``y`` (N, C, T) float32: counts or traces, NaN where nothing was observed
- ``baseline`` (N, C) float32, in units of eta; without it: the law's link of the mean
- ``event_trial``, ``event_kernel``, ``event_time`` (E,) int64: event (k, t) of a trial puts
  kernel k at the bins t to t + L - 1
- ``event_amplitude`` (E, C) float32: NaN where it is not known
- ``kernels`` (K, L) float32, of unit norm: the true ones

All but ``y`` may be missing; the three of the events are there together or not at all.
"""

import numpy as np
import torch
from torch import Tensor

from deconvolution.kernels import unit_norm

EVENTS = ("event_trial", "event_kernel", "event_time")
KEYS = ("y", "baseline", *EVENTS, "event_amplitude", "kernels")
NUMBERS = "fiub"  # kinds of dtypes
Arrays = dict[str, np.ndarray]


def recording(arrays: Arrays, law: str, law_options: dict, length: int) -> dict[str, Tensor]:
    """The tensors of a recording whose kernels have ``length`` bins.

    ValueError says in one line what is wrong, where, and what to do.
    """
    if unknown := arrays.keys() - set(KEYS):
        raise ValueError(f"{sorted(unknown)} is none of its keys: they are {', '.join(KEYS)}")
    for name, values in arrays.items():
        if values.dtype.kind not in NUMBERS:
            raise ValueError(
                f"{name} holds {values.dtype}, no numbers: save it as float or integer"
            )
    if "y" not in arrays:
        raise ValueError("y is missing: save the observations as y, trials x neurons x time")
    y = arrays["y"].astype(np.float64)
    _check_observations(y, law, law_options, length)
    tensors = {"y": torch.from_numpy(y.astype(np.float32))}
    trials, neurons, times = y.shape
    if "baseline" in arrays:
        _check_shape("baseline", arrays["baseline"], (trials, neurons), "trials x neurons")
        if not np.isfinite(arrays["baseline"]).all():
            raise ValueError("baseline is not finite everywhere: give a number for every entry")
        tensors["baseline"] = torch.from_numpy(arrays["baseline"].astype(np.float32))
    norms = np.ones(0)
    if "kernels" in arrays:
        tensors["kernels"], norms = _kernels(arrays["kernels"], length)
    present = [name for name in EVENTS if name in arrays]
    if present and len(present) < len(EVENTS):
        raise ValueError(f"{present} without the rest: events need all of {', '.join(EVENTS)}")
    if "event_amplitude" in arrays and not present:
        raise ValueError(f"event_amplitude without events: give {', '.join(EVENTS)} too")
    if present:
        limits = trials, len(norms), times - length + 1
        tensors |= _events(arrays, dict(zip(EVENTS, limits, strict=True)), length)
        amplitude = _amplitudes(arrays, tensors["event_kernel"].numpy(), norms, neurons)
        tensors["event_amplitude"] = torch.from_numpy(amplitude.astype(np.float32))
    return tensors


def _check_observations(y: np.ndarray, law: str, law_options: dict, length: int) -> None:
    if y.ndim != 3:
        raise ValueError(
            f"y has shape {y.shape}: it must have three axes, trials x neurons x time "
            "(one neuron: y[:, None, :])"
        )
    if not all(y.shape):
        raise ValueError(f"y has shape {y.shape}: it is empty")
    if length > y.shape[2]:
        raise ValueError(
            f"kernels of {length} bins do not fit trials of {y.shape[2]}: lower length, or swap "
            "the axes of y if time is not the last"
        )
    unseen = np.isnan(y)
    if unseen.all():
        raise ValueError("y is NaN everywhere: nothing was observed")
    if (neurons := unseen.all(axis=(0, 2))).any():
        raise ValueError(f"neuron {neurons.argmax()} is NaN in all trials: leave it out of y")
    _refuse(np.isinf(y), y, "is infinite", "write NaN where nothing was observed")
    if law == "gaussian":
        return
    traces = "traces have law gaussian"
    _refuse(y < 0, y, "is negative, but counts are expected", traces)
    _refuse((y != np.round(y)) & ~unseen, y, "is no whole number, but counts are expected", traces)
    if law == "binomial":
        limit = law_options["trials"]
        advice = "raise law_options.trials, or take law poisson"
        _refuse(y > limit, y, f"is more than the {limit} trials of the binomial law", advice)


def _refuse(bad: np.ndarray, y: np.ndarray, reason: str, advice: str) -> None:
    if bad.any():
        trial, neuron, time = (int(i[0]) for i in np.nonzero(bad))
        raise ValueError(
            f"y of trial {trial}, neuron {neuron}, time {time} {reason}: "
            f"{y[trial, neuron, time]:g} ({int(bad.sum())} such entries); {advice}"
        )


def _check_shape(name: str, values: np.ndarray, shape: tuple[int, ...], words: str) -> None:
    if values.shape != shape:
        raise ValueError(f"{name} has shape {values.shape}: it must be {shape}, {words}")


def _kernels(kernels: np.ndarray, length: int) -> tuple[Tensor, np.ndarray]:
    """Kernels of unit norm, and the norms they had."""
    if kernels.ndim != 2 or kernels.shape[1] != length or not len(kernels):
        raise ValueError(
            f"kernels have shape {kernels.shape}: they must be (K, {length}), kernels x time, as "
            "length says"
        )
    norms = np.linalg.norm(kernels.astype(float), axis=1)
    if not (np.isfinite(norms) & (norms > 0)).all():
        raise ValueError("kernels must be finite, and none of them zero everywhere")
    return unit_norm(torch.from_numpy(kernels.astype(float))), norms


def _events(arrays: Arrays, limits: dict[str, int], length: int) -> dict[str, Tensor]:
    if not arrays[EVENTS[0]].size:
        raise ValueError(f"there is no event: leave out {', '.join(EVENTS)}")
    found = {}
    for name, limit in limits.items():
        values = arrays[name]
        _check_shape(name, values, (len(np.atleast_1d(arrays[EVENTS[0]])),), "one per event")
        if not np.array_equal(values, np.round(values)):  # NaN too
            raise ValueError(
                f"{name} is not made of whole numbers: it counts from 0, times in bins"
            )
        # Without true kernels there is no limit on their number.
        outside = (values < 0) | ((values >= limit) if limit or name != "event_kernel" else False)
        if outside.any():
            i = int(outside.argmax())
            until = f" (a kernel of {length} bins must end in the trial)" * (name == "event_time")
            span = f"0 to {limit - 1}" if limit else "0 or more"
            raise ValueError(
                f"{name} of event {i} is {values[i]:g}, outside {span}{until}: correct or leave "
                f"out such events ({int(outside.sum())})"
            )
        found[name] = torch.from_numpy(values.astype(np.int64))
    keys = torch.stack(list(found.values()))
    if keys.shape[1] != keys.unique(dim=1).shape[1]:
        raise ValueError("two events have the same trial, kernel and time: leave one out")
    return found


def _amplitudes(arrays: Arrays, kernel: np.ndarray, norms: np.ndarray, neurons: int) -> np.ndarray:
    """Amplitudes (E, C) for kernels of unit norm; NaN if they are not given."""
    values = arrays.get("event_amplitude")
    if values is None:
        return np.full((len(kernel), neurons), np.nan)
    _check_shape("event_amplitude", values, (len(kernel), neurons), "events x neurons")
    if np.isinf(values).any():
        raise ValueError("event_amplitude is infinite: write NaN where it is not known")
    return values * norms[kernel][:, None] if len(norms) else values
