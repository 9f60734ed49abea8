"""Events of trials: which kernel begins when, and with which amplitude in every neuron."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import max_pool1d, pad

from groupsparse.arrays import Array, as_tensor, check_count


class Events(NamedTuple):
    """E events, ordered by trial, time and kernel: kernel k is at the times t to t + L - 1.

    ``trial``, ``kernel`` and ``time`` are integers (E,), ``amplitude`` is (E, C), of C neurons.
    """

    trial: Tensor
    kernel: Tensor
    time: Tensor
    amplitude: Tensor

    @property
    def size(self) -> int:
        """E."""
        return self.trial.shape[0]

    def take(self, rows: Tensor) -> Events:
        """Some of the events: a mask (E,), or indices."""
        return Events(*(x[rows] for x in self))

    def ordered(self) -> Events:
        """The same by trial, time and kernel."""
        order = torch.arange(self.size, device=self.trial.device)
        for key in (self.kernel, self.time, self.trial):  # stable: the last key counts most
            order = order[key[order].argsort(stable=True)]
        return self.take(order)

    def codes(self, trials: int, kernels: int, starts: int) -> Tensor:
        """The codes (N, C, K, P) that :func:`convolve` and the network have."""
        codes = self.amplitude.new_zeros(trials, kernels, starts, self.amplitude.shape[-1])
        where = self.trial, self.kernel, self.time
        return codes.index_put_(where, self.amplitude, accumulate=True).movedim(-1, 1)


def events_of(
    codes: Array, most: int | None = None, least: float = 0.0, spacing: int = 1
) -> Events:
    """The events in codes (N, C, K, P), by their size: the norm over neurons.

    Parameters
    ----------
    most : events of a kernel in a trial, the largest; by default all
    least : size that an event exceeds, >= 0
    spacing : in times; of two events of a kernel that are closer only the larger one counts,
        of equal ones the first

    Raises
    ------
    ValueError for another shape, or numbers out of range.

    Examples
    --------
    >>> events_of([[[[0.0, 2.0, 3.0, 0.0, 1.0]]]], spacing=2).time
    tensor([2, 4])
    """
    codes = as_tensor(codes, "codes")
    if codes.ndim != 4:
        raise ValueError(f"codes must have shape (N, C, K, P), not {tuple(codes.shape)}")
    if not least >= 0:
        raise ValueError(f"least must be at least 0, not {least!r}")
    spacing = check_count(spacing, "spacing", least=1)
    size = codes.norm(dim=1)  # (N, K, P)
    kept = size > least
    if spacing > 1:
        others = max_pool1d(pad(size, (spacing - 1, spacing - 1)), spacing - 1, 1)
        before, after = others[..., : size.shape[-1]], others[..., spacing:]
        kept &= (size > before) & (size >= after)
    if most is not None and check_count(most, "most") < size.shape[-1]:
        ranks = size.masked_fill(~kept, -1).argsort(dim=-1, descending=True, stable=True)
        kept &= ranks.argsort(-1) < most
    trial, kernel, time = kept.nonzero(as_tuple=True)
    return Events(trial, kernel, time, codes[trial, :, kernel, time]).ordered()
