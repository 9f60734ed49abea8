"""Trainings whose dictionaries are kept at several epochs, also over an interruption."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import Batches
from groupsparse.files import remove
from groupsparse.training import train


def train_and_keep(
    model: Autoencoder,
    batches: Batches,
    kept: Sequence[int],
    *,
    checkpoint: str | None = None,
    fingerprint: object = None,
    **options: object,
) -> tuple[dict[str, Tensor], dict[int, Tensor]]:
    """Train a model: its history, and its dictionaries on the CPU after each ``kept`` epoch.

    With a ``checkpoint`` they are in files beside it until :func:`forget`. A training that resumes
    has passed the epochs before its checkpoint with the same ``kept``, so their files are its own.
    """
    found: dict[int, Tensor] = {}

    def keep(epoch: int, model: Autoencoder) -> None:
        if epoch not in kept:
            return
        found[epoch] = model.dictionary.detach().cpu().clone()
        if checkpoint:
            save_tensors(_file(checkpoint, epoch), {"dictionary": found[epoch]}, kind="snapshot")

    keep(0, model)
    history = train(
        model,
        batches,
        callback=keep,
        checkpoint=checkpoint,
        fingerprint=[fingerprint, list(kept)],
        **options,
    )
    for epoch in set(kept) - set(found):  # before the checkpoint
        found[epoch] = load_tensors(_file(checkpoint, epoch))[0]["dictionary"]
    return history, {epoch: found[epoch] for epoch in sorted(kept)}


def forget(checkpoint: str | None, kept: Sequence[int]) -> None:
    """Remove a checkpoint and what is beside it, once the results are saved."""
    for path in [checkpoint, *(_file(checkpoint, e) for e in kept)] if checkpoint else []:
        remove(path)


def _file(checkpoint: str, epoch: int) -> Path:
    path = Path(checkpoint)
    return path.with_name(f"{path.stem}-epoch{epoch}{path.suffix}")
