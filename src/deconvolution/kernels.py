"""Kernels by name: of a table in time, or of a formula."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from deconvolution.conditions import KERNELS


def whisker(t: Tensor) -> Tensor:
    """A damped oscillation after a deflection."""
    return (torch.sin(2 * math.pi * t / 250) * torch.exp(-t / 120)).unsqueeze(0)


def orthogonal(t: Tensor) -> Tensor:
    """Half waves of a sine, 1 to 5: orthogonal where sampled at the centres of bins."""
    waves = torch.arange(1, KERNELS["orthogonal"].count + 1).unsqueeze(1)
    return torch.sin(math.pi * waves * t / KERNELS["orthogonal"].ms)


def dopamine(t: Tensor) -> Tensor:
    """Nonnegative bumps: cue, salience (early, short) and value (late, long)."""
    peaks = torch.tensor([[160.0], [90.0], [280.0]], dtype=t.dtype)
    steep = torch.tensor([[6.0], [5.0], [6.0]], dtype=t.dtype)
    ratio = t / peaks
    return (ratio * (1 - ratio).exp()) ** steep


FORMULAS: dict[str, Callable[[Tensor], Tensor]] = {
    "whisker": whisker,
    "orthogonal": orthogonal,
    "dopamine": dopamine,
}


def kernels(name: str, bin_ms: float, file: str | Path | None = None) -> Tensor:
    """Kernels (K, L) of unit norm in bins, by name; ``file`` is their table, if they have one."""
    if name not in FORMULAS:
        if file is None:
            raise ValueError(f"the kernels {name!r} need their table, {KERNELS[name].file}")
        return read_kernels(file, bin_ms)
    found = FORMULAS[name](_centres(round(KERNELS[name].ms / bin_ms), bin_ms))
    # A wave can be 0 at the centres of wide bins, or the same as another one.
    if found.norm(dim=1).min() < 1e-9 or torch.linalg.matrix_rank(found) < len(found):
        raise ValueError(f"bin_ms: kernels {name!r} cannot be told apart in bins of {bin_ms} ms")
    return unit_norm(found)


def read_kernels(file: str | Path, bin_ms: float) -> Tensor:
    """Kernels (K, L) of a CSV table ``time_ms, ...`` with a column for each.

    ``time_ms`` is the start of a bin. For other bins they are interpolated between the centres.
    """
    try:
        with open(file, newline="", encoding="utf-8") as lines:
            head, *rows = csv.reader(lines)
        table = np.array(rows, dtype=float)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read the kernels in {file}: {error}") from error
    steps = np.diff(table[:, 0]) if table.ndim == 2 and len(table) > 1 else np.zeros(1)
    regular = steps[0] > 0 and np.allclose(steps, steps[0])
    named = head[:1] == ["time_ms"] and len(head) > 1 and table.shape[1:] == (len(head),)
    if not named or not regular or not np.isfinite(table).all():
        raise ValueError(
            f"{file} is no table of kernels: the first column must be time_ms, in equal steps, and "
            "every other one the values of a kernel"
        )
    length = round(len(table) * steps[0] / bin_ms)
    if not length:
        raise ValueError(f"the kernels in {file} are shorter than a bin of {bin_ms} ms")
    old = _centres(len(table), steps[0])
    new = _centres(length, bin_ms)
    found = [np.interp(new.numpy(), old.numpy(), column) for column in table[:, 1:].T]
    if not np.any(found, axis=1).all():
        raise ValueError(f"a kernel in {file} is 0 everywhere in bins of {bin_ms} ms")
    return unit_norm(torch.as_tensor(np.array(found)))


def unit_norm(found: Tensor) -> Tensor:
    """Kernels (K, L) scaled to unit norm, in float32."""
    return (found / found.norm(dim=1, keepdim=True)).float()


def _centres(count: int, bin_ms: float) -> Tensor:
    return (torch.arange(count, dtype=torch.float64) + 0.5) * bin_ms
