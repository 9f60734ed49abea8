"""Draw recordings: events on a grid, their amplitudes, and counts or traces of their signal.

The published simulations draw spikes in bins of 1 ms with kernels of unit norm there. In wider bins
a kernel of unit norm has amplitudes smaller by the square root of the width, and the spikes of a
bin are binomial.
"""

import math

import torch
from torch import Tensor

from deconvolution.conditions import KERNELS, places
from groupsparse.likelihood import Law, law_of


def law_of_entry(entry: dict) -> tuple[str, dict]:
    """Name and options of the law of a simulation; by default a Bernoulli draw in every ms."""
    law = entry.get("law", "binomial")
    default = {"trials": entry["bin_ms"]} if law == "binomial" else {}
    return law, default | entry.get("law_options", {})


def simulate(entry: dict, kernels: Tensor, random: torch.Generator) -> dict[str, Tensor]:
    """The tensors of a recording (see :mod:`deconvolution.recording`) of one simulation."""
    name, options = law_of_entry(entry)
    law = law_of(name, **options)
    trial, kernel, time, neuron = _events(entry, random)
    amplitude = _amplitudes(entry, trial, kernel, random) / math.sqrt(entry["bin_ms"])
    if neuron is not None:
        trial, kernel, time, amplitude = _merged(trial, kernel, time, neuron, amplitude)
    tensors = {
        "baseline": _baseline(entry, law, random),
        "event_trial": trial,
        "event_kernel": kernel,
        "event_time": time,
        "event_amplitude": amplitude,
        "kernels": kernels,
    }
    y = signal(tensors, entry["ms"] // entry["bin_ms"])
    for i in range(len(y)):  # in place: a large population fills the memory once
        y[i] = law.draw(y[i], random)
    return {"y": y, **tensors}


def signal(tensors: dict[str, Tensor], times: int) -> Tensor:
    """The true eta (N, C, T): baselines, and the kernels at the events with their amplitudes."""
    baseline, kernels = tensors["baseline"], tensors["kernels"]
    trials, neurons = baseline.shape
    eta = baseline.unsqueeze(1).repeat(1, times, 1).view(-1, neurons)
    first = tensors["event_trial"] * times + tensors["event_time"]
    for lag, value in enumerate(kernels.T):
        heights = value[tensors["event_kernel"]].unsqueeze(1) * tensors["event_amplitude"]
        eta.index_add_(0, first + lag, heights)
    return eta.view(trials, times, neurons).mT.contiguous()


def _events(entry: dict, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Trial, kernel and time of every event; its neuron too where neurons have their own."""
    if "at" in entry:
        kinds = entry["at"]
        found = [
            (i, k, ms // entry["bin_ms"])
            for i in range(entry["trials"])
            for k, ms in kinds[i % len(kinds)]
        ]
        return *torch.tensor(found).T, None
    neurons = 1 if entry["shared_events"] else entry["neurons"]
    count, (least, most) = KERNELS[entry["kernels"]].count, entry["events"]
    shape = entry["trials"], neurons, count
    times = torch.tensor(places(entry))
    chosen = torch.rand(*shape, len(times), generator=random).argsort(-1)[..., :most]
    numbers = torch.randint(least, most + 1, (*shape, 1), generator=random)
    kept = (torch.arange(most) < numbers).nonzero(as_tuple=True)
    trial, neuron, kernel, _ = kept
    return trial, kernel, times[chosen[kept]], None if entry["shared_events"] else neuron


def _amplitudes(entry: dict, trial: Tensor, kernel: Tensor, random: torch.Generator) -> Tensor:
    """Amplitudes (E, C) in bins of 1 ms: one draw for every trial, event or neuron."""
    how, neurons = entry["amplitude"], entry["neurons"]
    count = KERNELS[entry["kernels"]].count
    if how["shared"] == "trial":
        draws = torch.randn(entry["trials"], count, neurons, generator=random)[trial, kernel]
    elif how["shared"] == "neuron":
        draws = torch.randn(count, neurons, generator=random)[kernel]
    else:
        draws = torch.randn(len(trial), neurons, generator=random)
    mean, std = (torch.tensor(_each(how[key], count))[kernel, None] for key in ("mean", "std"))
    return mean + std * draws


def _each(value: float | list[float], count: int) -> list[float]:
    """A number for each kernel."""
    return [float(x) for x in value] if isinstance(value, list) else [float(value)] * count


def _merged(
    trial: Tensor, kernel: Tensor, time: Tensor, neuron: Tensor, amplitude: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Events of single neurons as events of all, with amplitude 0 where a neuron has none."""
    keys, place = torch.stack([trial, kernel, time]).unique(dim=1, return_inverse=True)
    heights = torch.zeros(keys.shape[1], amplitude.shape[1])
    heights[place, neuron] = amplitude.gather(1, neuron.unsqueeze(1)).squeeze(1)
    return *keys, heights


def _baseline(entry: dict, law: Law, random: torch.Generator) -> Tensor:
    """Baselines (N, C) in units of eta, the same in all trials."""
    shape = entry["trials"], entry["neurons"]
    if "rate_hz" in entry:
        mean = torch.tensor(entry["rate_hz"] * entry["bin_ms"] / 1000, dtype=torch.float64)
        return torch.full(shape, float(law.link(mean)))
    how = entry["baseline"]
    drawn = how["mean"] + how["std"] * torch.randn(entry["neurons"], generator=random)
    return drawn.expand(shape).contiguous()
