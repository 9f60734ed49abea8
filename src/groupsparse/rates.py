"""Learning rates of an optimiser: those that a training begins with, and their decay."""

from __future__ import annotations

from torch.optim import Optimizer

# Entries of a parameter group: the rate at first, under torch's name for it, and the last decayed.
FIRST, DECAYED = "initial_lr", "decayed_lr"


def begin(optim: Optimizer) -> None:
    """Forget the rates of an earlier decay where the user has set another one since."""
    for group in optim.param_groups:
        if DECAYED in group and group["lr"] != group[DECAYED]:
            del group[FIRST], group[DECAYED]


def decay(optim: Optimizer, factor: float) -> None:
    """Set the learning rates to ``factor`` times those at first; ValueError if it has none."""
    for group in optim.param_groups:
        if "lr" not in group:
            raise ValueError("decay needs an optimizer with a learning rate, lr")
        group["lr"] = group[DECAYED] = group.setdefault(FIRST, group["lr"]) * factor


def settings(group: dict) -> dict[str, object]:
    """Settings of a parameter group, with the learning rate that it had at first."""
    kept = {k: v for k, v in group.items() if k not in ("params", FIRST, DECAYED)}
    return kept | {"lr": group.get(FIRST, group.get("lr"))}
