"""Training loop for batched replicates: history per epoch, exact resume."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

from groupsparse.arrays import as_tensor
from groupsparse.artifacts import CorruptArtifactError, load_tensors, save_tensors, source_digest
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import Batches
from groupsparse.dictionary import normalize_columns

log = logging.getLogger(__name__)

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
DIVERGED = 1e3  # factor over the first loss at which training counts as diverged


class DivergedError(RuntimeError):
    """Training produced a loss that is not finite or has exploded."""


def train(
    model: Autoencoder,
    batches: Batches,
    *,
    epochs: int,
    lr: float = 1e-3,
    optimizer: str | Optimizer | Callable[..., Optimizer] = "adam",
    normalize: bool = False,
    metrics: Callable[[Tensor], dict[str, Tensor]] = lambda dictionary: {},
    callback: Callable[[int, Autoencoder], object] | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 50,
    fingerprint: object = None,
) -> dict[str, Tensor]:
    """Minimise the reconstruction loss (eqs. 13-14) of ``model`` in place.

    Replicates (the leading dimension of the dictionary) do not interact: the losses are summed
    and the usual optimisers act entry by entry.

    Parameters
    ----------
    batches : yields the batches of an epoch in 1..epochs: (R, B, n); or (B, n), for a dictionary
        (n, m) or shared by all replicates
    lr : learning rate of an optimiser that is given by name or class
    optimizer : ``adam``, ``sgd``, a class of :mod:`torch.optim`, a function from parameters to an
        optimiser, or an optimiser of ``model.dictionary``
    normalize : project atoms to unit norm after every step
    metrics : maps the dictionary (R, n, m) to values (R,), recorded after every epoch
    callback : called as ``callback(epoch, model)`` after every epoch; training stops if it returns
        True
    checkpoint : file that is written every ``checkpoint_every`` epochs and at the end; delete it
        once the results are saved. If it exists and was made by the same code, model, optimiser,
        ``fingerprint``, device and threads, training goes on from there, also to more epochs, and
        ends with the bits of an uninterrupted run
    fingerprint : JSON-able description of what else determines the result: the data, the init

    Returns
    -------
    history : name -> (epochs + 1, R), or (epochs + 1,) for a dictionary (n, m). Row e holds the
        metrics after e epochs and the mean training ``loss`` during epoch e (NaN in row 0).

    Raises
    ------
    DivergedError with epoch and likely cause, when a loss is not finite or explodes;
    ValueError for batches that do not fit the dictionary.

    Examples
    --------
    >>> from groupsparse.batches import FixedData
    >>> data = torch.randn(100, 6, generator=torch.Generator().manual_seed(0))
    >>> model = Autoencoder(torch.eye(6), "group_soft", lambda_=0.5, group_size=2)
    >>> history = train(model, FixedData(data, batch_size=20), epochs=3, lr=1e-2)
    >>> bool(history["loss"][3] < history["loss"][1])
    True
    """
    replicates = model.dictionary.shape[:-2]
    if len(replicates) > 1:
        shape = tuple(model.dictionary.shape)
        raise ValueError(f"train needs a dictionary (n, m) or (R, n, m), not {shape}")
    optim = _optimizer(optimizer, model.dictionary, lr)
    identity = _identity(model, optim, normalize, fingerprint)
    rows, last = [_row(model, metrics, torch.full(replicates, torch.nan))], epochs
    if checkpoint and Path(checkpoint).exists():
        rows, stopped = _resume(checkpoint, identity, epochs, model, optim, rows)
        # What a callback has stopped stays so, unless more epochs are asked for than then.
        last = epochs if stopped < epochs else 0
    reported = time.monotonic()
    for epoch in range(len(rows), last + 1):
        loss = _run_epoch(model, optim, batches(epoch), normalize, epoch)
        rows.append(_row(model, metrics, loss))
        _check(rows, epoch, optim)
        if epoch == epochs or time.monotonic() - reported > 5:
            reported = time.monotonic()
            values = ", ".join(f"{k} {v.mean():.4g}" for k, v in rows[-1].items())
            log.info("epoch %d/%d: %s", epoch, epochs, values)
        stop = bool(callback and callback(epoch, model))
        if checkpoint and (stop or epoch == epochs or epoch % checkpoint_every == 0):
            _save_checkpoint(checkpoint, identity, epochs if stop else 0, model, optim, rows)
        if stop:
            log.info("stopped by the callback after epoch %d", epoch)
            break
    _warn_if_worse(rows)
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def _optimizer(optimizer: object, dictionary: Tensor, lr: float) -> Optimizer:
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZERS:
            known = ", ".join(OPTIMIZERS)
            raise ValueError(
                f"unknown optimizer {optimizer!r}; known are {known}, or give a torch.optim class"
            )
        optimizer = OPTIMIZERS[optimizer]
    if isinstance(optimizer, type):
        optimizer = optimizer([dictionary], lr=lr)
    elif not isinstance(optimizer, Optimizer) and callable(optimizer):
        optimizer = optimizer([dictionary])
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must give a torch.optim.Optimizer, not {type(optimizer)}")
    if not any(p is dictionary for group in optimizer.param_groups for p in group["params"]):
        raise ValueError("the optimizer does not hold model.dictionary")
    return optimizer


def _identity(model: Autoencoder, optim: Optimizer, normalize: bool, fingerprint: object) -> str:
    dictionary = model.dictionary
    made_by = [source_digest(), model.config(), str(dictionary.dtype), list(dictionary.shape)]
    steps = [type(optim).__qualname__, optim.defaults, normalize]
    # Another device or number of threads may round differently: no mixture of the two.
    place = [dictionary.device.type, torch.get_num_threads()]
    return json.dumps([made_by, steps, fingerprint, place], default=str)


def _run_epoch(
    model: Autoencoder, optim: Optimizer, batches: Iterator[Tensor], normalize: bool, epoch: int
) -> Tensor:
    """One pass over the batches: the mean loss (R,) on the way."""
    dictionary = model.dictionary
    total, count = dictionary.new_zeros(dictionary.shape[:-2]), 0
    for batch in batches:
        batch = _fit(batch, dictionary)
        try:
            total += _step(model, optim, batch) * batch.shape[-2]
        except FloatingPointError as error:
            # An overflow of the squares is one of the Gram matrix.
            bad = ~torch.isfinite(dictionary.detach().square().sum((-2, -1)))
            if not bad.any():
                raise
            raise _diverged(epoch, optim, bad, str(error)) from error
        if normalize:
            with torch.no_grad():
                dictionary.copy_(normalize_columns(dictionary))
        count += batch.shape[-2]
    if not count:
        raise ValueError(f"there are no samples in epoch {epoch}")
    return (total / count).cpu()


def _step(model: Autoencoder, optim: Optimizer, batch: Tensor) -> Tensor:
    losses = []

    def closure() -> Tensor:  # some optimisers evaluate the loss several times a step
        optim.zero_grad(set_to_none=True)
        loss = model.loss(batch)
        losses.append(loss.detach())
        total = loss.sum()
        total.backward()
        return total

    optim.step(closure)
    return losses[0]


def _fit(batch: Tensor, dictionary: Tensor) -> Tensor:
    batch = as_tensor(batch, "a batch", like=dictionary.detach())
    replicates, n = tuple(dictionary.shape[:-2]), dictionary.shape[-2]
    if batch.ndim == 3 and len(batch) == 1:
        batch = batch[0]
    if batch.ndim == 2:
        batch = batch.expand(*replicates, *batch.shape)
    if batch.shape[:-2] != replicates or batch.shape[-1] != n:
        wanted = ", ".join(map(str, (*replicates, "B", n)))
        raise ValueError(
            f"a batch of shape {tuple(batch.shape)} does not fit the dictionary "
            f"{tuple(dictionary.shape)}: it must be ({wanted}) or (B, {n})"
        )
    return batch


def _row(model: Autoencoder, metrics: Callable, loss: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        values = metrics(model.dictionary)
    return {"loss": loss, **{name: value.cpu() for name, value in values.items()}}


def _check(rows: list[dict[str, Tensor]], epoch: int, optim: Optimizer) -> None:
    loss, first = rows[-1]["loss"], rows[1]["loss"]
    bad = ~torch.isfinite(loss) | (loss > DIVERGED * first)
    if bad.any():
        raise _diverged(
            epoch, optim, bad, f"loss {loss[bad].tolist()}, at first {first[bad].tolist()}"
        )


def _diverged(epoch: int, optim: Optimizer, bad: Tensor, what: str) -> DivergedError:
    which = f"replicates {bad.nonzero().flatten().tolist()}: " if bad.ndim else ""
    return DivergedError(
        f"training diverged at epoch {epoch} ({which}{what}). Likely cause: a learning rate too "
        f"large for this data (lr = {optim.param_groups[0].get('lr')}), or data that is not finite "
        "or not scaled."
    )


def _warn_if_worse(rows: list[dict[str, Tensor]]) -> None:
    if len(rows) > 2 and (worse := rows[-1]["loss"] > rows[1]["loss"]).any():
        log.warning(
            "the loss rose from %.4g to %.4g: try a smaller learning rate",
            rows[1]["loss"][worse].mean(),
            rows[-1]["loss"][worse].mean(),
        )


def _save_checkpoint(path, identity, stopped, model, optim, rows) -> None:
    tensors = {"dictionary": model.dictionary}
    for name in rows[0]:
        tensors[f"history.{name}"] = torch.stack([row[name] for row in rows])
    state = _pack(optim.state_dict(), tensors)
    save_tensors(
        path, tensors, kind="checkpoint", identity=identity, optimizer=state, stopped=stopped
    )


def _pack(value: object, tensors: dict[str, Tensor]) -> object:
    """A nested state as JSON-able values, its tensors moved to ``tensors``."""
    if isinstance(value, Tensor):
        name = f"optimizer.{len(tensors)}"
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, dict):
        return {"items": [[key, _pack(v, tensors)] for key, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_pack(v, tensors) for v in value]
    return value


def _unpack(value: object, tensors: dict[str, Tensor]) -> object:
    if isinstance(value, dict):
        if "tensor" in value:
            # A copy lies where torch would put it: sums depend on the alignment in memory.
            return tensors[value["tensor"]].clone()
        return {key: _unpack(v, tensors) for key, v in value["items"]}
    return [_unpack(v, tensors) for v in value] if isinstance(value, list) else value


def _resume(path, identity, epochs, model, optim, rows) -> tuple[list[dict[str, Tensor]], int]:
    """History so far, or ``rows``; and the epochs that a stopped training was to have, or 0."""
    try:
        tensors, header = load_tensors(path)
    except CorruptArtifactError as error:
        log.warning("starting anew: %s", error)
        return rows, 0
    history = {k.split(".", 1)[1]: v for k, v in tensors.items() if k.startswith("history.")}
    if header.get("identity") != identity or history.keys() != rows[0].keys():
        log.warning("starting anew: %s is of other code, data or parameters", path)
        return rows, 0
    done = len(history["loss"]) - 1
    if done > epochs:
        log.warning("starting anew: %s is at epoch %d, after the last one asked for", path, done)
        return rows, 0
    with torch.no_grad():
        model.dictionary.copy_(tensors["dictionary"])
    optim.load_state_dict(_unpack(header["optimizer"], tensors))
    log.info("resuming %s after epoch %d", path, done)
    values = zip(*history.values(), strict=True)
    return [dict(zip(history, row, strict=True)) for row in values], header["stopped"]
