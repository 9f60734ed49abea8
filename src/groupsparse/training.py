"""The one training loop: replicates side by side, history per epoch, exact resume."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from groupsparse.artifacts import CorruptArtifactError, load_tensors, save_tensors, source_digest
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import Batches
from groupsparse.dictionary import normalize_columns

log = logging.getLogger(__name__)

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
DIVERGED = 1e3  # a loss this many times its first value will not come back


class DivergedError(RuntimeError):
    """Training produced a loss that is not finite or has exploded."""


def train(
    model: Autoencoder,
    batches: Batches,
    *,
    epochs: int,
    lr: float,
    optimizer: str = "adam",
    normalize: bool = False,
    metrics: Callable[[Tensor], dict[str, Tensor]] = lambda dictionary: {},
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 50,
    fingerprint: object = None,
) -> dict[str, Tensor]:
    """Minimise the reconstruction loss (eqs. 13-14) of ``model`` in place.

    Replicates (the leading dimension of the dictionary) do not interact: the losses are summed
    and the optimisers act entry by entry.

    Parameters
    ----------
    batches : yields (R, B, n) for an epoch in 1..epochs
    optimizer : ``adam`` or ``sgd``
    normalize : project atoms to unit norm after every step
    metrics : maps the dictionary (R, n, m) to values (R,), recorded after every epoch
    checkpoint : file that is written every ``checkpoint_every`` epochs, for the caller to remove
        once the results are safe; if it exists and was made by the same code,
        ``fingerprint``, device and threads, training goes on from there and ends with the same
        bits as an uninterrupted run
    fingerprint : JSON-able description of everything else that determines the result

    Returns
    -------
    history : name -> (epochs + 1, R). Row e holds the metrics after e epochs and the mean
        training ``loss`` during epoch e (NaN in row 0).

    Raises
    ------
    DivergedError with epoch and likely cause, when a loss is not finite or explodes.
    """
    device = model.dictionary.device
    optim = OPTIMIZERS[optimizer]([model.dictionary], lr=lr)
    replicates = model.dictionary.shape[0]
    # Another device or number of threads may round differently: no mixture of the two.
    place = [device.type, torch.get_num_threads()]
    identity = json.dumps([source_digest(), fingerprint, epochs, lr, optimizer, normalize, place])
    rows = [_row(model, metrics, torch.full((replicates,), torch.nan))]
    if checkpoint and Path(checkpoint).exists():
        rows = _resume(checkpoint, identity, model, optim) or rows
    reported = time.monotonic()
    for epoch in range(len(rows), epochs + 1):
        total, count = torch.zeros(replicates, device=device), 0
        for batch in batches(epoch):
            batch = batch.to(device)
            loss = model.loss(batch)
            optim.zero_grad(set_to_none=True)
            loss.sum().backward()
            optim.step()
            if normalize:
                with torch.no_grad():
                    model.dictionary.copy_(normalize_columns(model.dictionary))
            total += loss.detach() * batch.shape[1]
            count += batch.shape[1]
        rows.append(_row(model, metrics, (total / count).cpu()))
        _check(rows, epoch, lr)
        if epoch == epochs or time.monotonic() - reported > 5:
            reported = time.monotonic()
            values = ", ".join(f"{k} {v.mean():.4g}" for k, v in rows[-1].items())
            log.info("epoch %d/%d: %s", epoch, epochs, values)
        if checkpoint and epoch % checkpoint_every == 0 and epoch < epochs:
            _save_checkpoint(checkpoint, identity, model, optim, rows)
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def _row(model: Autoencoder, metrics: Callable, loss: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        values = metrics(model.dictionary)
    return {"loss": loss, **{name: value.cpu() for name, value in values.items()}}


def _check(rows: list[dict[str, Tensor]], epoch: int, lr: float) -> None:
    loss, first = rows[-1]["loss"], rows[1]["loss"]
    bad = ~torch.isfinite(loss) | (loss > DIVERGED * first)
    if bad.any():
        where = f"replicates {bad.nonzero().flatten().tolist()}"
        raise DivergedError(
            f"training diverged at epoch {epoch} ({where}: loss {loss[bad].tolist()}, at first "
            f"{first[bad].tolist()}). Likely cause: a learning rate too large for this data "
            f"(lr = {lr}), or data that is not finite or not scaled."
        )


def _save_checkpoint(path, identity, model, optim, rows) -> None:
    state = optim.state_dict()["state"].get(0, {})
    tensors = {f"optimizer.{k}": v for k, v in state.items() if isinstance(v, Tensor)}
    tensors |= model.state_dict()
    for name in rows[0]:
        tensors[f"history.{name}"] = torch.stack([row[name] for row in rows])
    save_tensors(path, tensors, kind="checkpoint", identity=identity)


def _resume(path, identity, model, optim) -> list[dict[str, Tensor]] | None:
    try:
        tensors, header = load_tensors(path)
    except CorruptArtifactError as error:
        log.warning("starting anew: %s", error)
        return None
    if header.get("identity") != identity:
        log.warning("starting anew: %s is of other code, data or parameters", path)
        return None
    with torch.no_grad():
        model.dictionary.copy_(tensors["dictionary"])
    if "direction" in tensors:
        model.direction = tensors["direction"].to(model.dictionary.device)
    state = {k.split(".")[1]: v for k, v in tensors.items() if k.startswith("optimizer.")}
    if state:
        optim.load_state_dict({**optim.state_dict(), "state": {0: state}})
    history = {k.split(".", 1)[1]: v for k, v in tensors.items() if k.startswith("history.")}
    rows = [
        dict(zip(history, values, strict=True)) for values in zip(*history.values(), strict=True)
    ]
    log.info("resuming %s after epoch %d", path, len(rows) - 1)
    return rows
