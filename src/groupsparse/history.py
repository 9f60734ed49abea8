"""The history of a training: one row of named values after every epoch or pass."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Row = dict[str, Tensor]


def row(dictionary: Tensor, metrics: Callable | None, loss: Tensor) -> Row:
    """The loss and the metrics of a dictionary, on the CPU.

    ValueError for metrics of another shape than the loss, or under its name.
    """
    values = {"loss": loss}
    with torch.no_grad():
        measured = metrics(dictionary) if metrics else {}
    for name, value in measured.items():
        # A copy: a view of the dictionary would change with it.
        value = torch.as_tensor(value).detach().to("cpu", copy=True)
        if name == "loss" or value.shape != loss.shape:
            shape = tuple(loss.shape)
            raise ValueError(
                f"metrics must give values of shape {shape} under other names than loss, not "
                f"{name} of shape {tuple(value.shape)}"
            )
        values[name] = value
    return values


def stacked(rows: list[Row]) -> Row:
    """Rows as one tensor for each name."""
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def described(row: Row) -> str:
    """Means over replicates, for the log."""
    return ", ".join(f"{name} {value.double().mean():.4g}" for name, value in row.items())
