"""Trials of recordings, and the batches of them that a network is trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count
from groupsparse.artifacts import tensor_digest
from groupsparse.batches import sample_order
from groupsparse.likelihood import Law


class Recording(NamedTuple):
    """Trials of neurons, in the form that the network works on: times first, columns last.

    ``values`` (T, N C) with zeros where nothing was observed, and ``observed`` (T, N C), 0 or 1;
    ``baseline`` (1, N C); ``support`` (P, K, N C), 0 or 1, or None if events can be anywhere.
    Column i C + c is neuron c of trial i, of C = ``neurons``.
    """

    values: Tensor
    observed: Tensor
    baseline: Tensor
    support: Tensor | None
    neurons: int

    @property
    def trials(self) -> int:
        return self.values.shape[-1] // self.neurons

    def take(self, trials: Tensor) -> Recording:
        """Some of the trials."""
        columns = (trials.unsqueeze(1) * self.neurons + torch.arange(self.neurons)).flatten()
        parts = [x if x is None else x[..., columns] for x in self[:4]]
        return Recording(*parts, self.neurons)

    def to(self, like: Tensor) -> Recording:
        """The same in the dtype and on the device of a tensor."""
        return Recording(*(x if x is None else x.to(like) for x in self[:4]), self.neurons)


class TrialData:
    """Batches of the trials of one recording, in an order that depends on the epoch alone.

    Parameters
    ----------
    recording : from :meth:`groupsparse.convolutional.ConvolutionalAutoencoder.recording`
    seed : of the order of the trials
    batch_size : trials of a batch; 0: all

    Examples
    --------
    >>> from groupsparse import ConvolutionalAutoencoder
    >>> recording = ConvolutionalAutoencoder(torch.ones(1, 4)).recording(torch.ones(5, 2, 20))
    >>> [batch.trials for batch in TrialData(recording, batch_size=2)(epoch=1)]
    [2, 2, 1]
    """

    def __init__(self, recording: Recording, seed: int = 0, batch_size: int = 0) -> None:
        self.recording, self.seed = recording, check_count(seed, "seed")
        self.batch_size = check_count(batch_size, "batch_size") or recording.trials

    def fingerprint(self) -> dict:
        """What determines the batches, for checkpoints: JSON-able."""
        digests = [None if x is None else tensor_digest(x) for x in self.recording[:4]]
        sizes = {"neurons": self.recording.neurons, "batch_size": self.batch_size}
        return {"kind": "trials", "values": digests, "seed": self.seed, **sizes}

    def __call__(self, epoch: int) -> Iterator[Recording]:
        order = torch.cat(list(sample_order(self.recording.trials, self.seed, epoch)))
        for part in order.split(self.batch_size):
            yield self.recording.take(part)


def checked_trials(
    y: Array, law: Law, length: int, baseline: Array | None, like: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Trials y (N, C, T) with 0 where they are NaN, where they were observed, and their baseline.

    By default the baseline (N, C) is the link of the mean of each trial and neuron.

    Raises
    ------
    ValueError for shapes that do not fit a kernel of ``length`` times, and values that the law
    cannot give.
    """
    y = as_tensor(y, "y").to(like)
    if y.ndim != 3 or y.shape[-1] < length or not all(y.shape):
        shape = tuple(y.shape)
        raise ValueError(f"y must be trials x neurons x at least {length} times, not {shape}")
    observed = ~y.isnan()
    wrong = ~(law.valid(y) | ~observed)
    if wrong.any():
        place = tuple(wrong.nonzero()[0].tolist())
        raise ValueError(f"y{list(place)} is {float(y[place]):g}: the law {law} cannot give it")
    if baseline is None:
        mean = y.nansum(-1) / observed.sum(-1).clamp_min(1)
        baseline = law.link(mean)
    baseline = as_tensor(baseline, "baseline").to(like)
    if baseline.shape != y.shape[:2] or not torch.isfinite(baseline).all():
        raise ValueError(f"baseline must be finite, of shape {tuple(y.shape[:2])}")
    return y.nan_to_num(0.0), observed, baseline


def checked_signs(signs: Sequence[int], count: int) -> list[int]:
    """Signs of the events of each kernel as integers; ValueError unless they are -1, 0 and 1."""
    found = torch.as_tensor(signs).flatten().tolist()
    if len(found) != count or not set(found) <= {-1, 0, 1}:
        raise ValueError(f"signs must be {count} of -1, 0 and 1, not {found}")
    return [int(sign) for sign in found]


def checked_support(support: Array, shape: Sequence[int], device: torch.device) -> Tensor:
    """Where events can be as bool (N, K, P); ValueError unless it is 0 or 1, of this shape."""
    support = torch.as_tensor(support, device=device)
    if support.shape != shape or not ((support == 0) | (support == 1)).all():
        raise ValueError(f"support must be 0 or 1, of shape {shape}")
    return support.bool()
