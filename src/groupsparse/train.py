"""The one training loop: replicates side by side, history per epoch, exact resume."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from groupsparse.artifacts import CorruptArtifactError, load_tensors, save_tensors, source_digest
from groupsparse.autoencoder import Autoencoder
from groupsparse.dictionary import normalize_columns
from groupsparse.generative import Sample, sample
from groupsparse.seeds import generator

log = logging.getLogger(__name__)

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
DIVERGED = 1e3  # a loss this many times its first value will not come back


class DivergedError(RuntimeError):
    """Training produced a loss that is not finite or has exploded."""


class Batches(Protocol):
    """Data of an epoch as batches (R, B, n), a function of the epoch alone, so resume is exact."""

    def __call__(self, epoch: int) -> Iterator[Tensor]: ...


def sample_order(samples: int, seed: int, epoch: int, block: int = 0) -> Iterator[Tensor]:
    """Indices of all samples in the order of an epoch, block by block.

    Blocks of ``block`` consecutive samples (0: one block of all) come in random order, and so do
    the samples within each.
    """
    random = generator(seed, "order", epoch)
    starts = torch.arange(0, samples, block or samples)
    if len(starts) > 1:
        starts = starts[torch.randperm(len(starts), generator=random)]
    for start in starts.tolist():
        size = min(block or samples, samples - start)
        yield start + torch.randperm(size, generator=random)


class FixedData:
    """The same samples every epoch, in mini-batches of an order derived from (seed, epoch).

    Parameters
    ----------
    data : (R, N, n), or (N, n) shared by all replicates
    seeds : one per replicate, for the order of its samples
    batch_size : samples per batch; 0 is the full batch
    block : shuffle in blocks of so many samples (:func:`sample_order`); 0: all at once
    """

    def __init__(self, data: Tensor, seeds: list[int], batch_size: int = 0, block: int = 0) -> None:
        self.data = data if data.ndim == 3 else data.expand(len(seeds), *data.shape)
        self.seeds, self.batch_size, self.block = seeds, batch_size, block

    def __call__(self, epoch: int) -> Iterator[Tensor]:
        samples = self.data.shape[1]
        if not self.batch_size:
            yield self.data
            return
        order = torch.stack(
            [torch.cat(list(sample_order(samples, s, epoch, self.block))) for s in self.seeds]
        ).to(self.data.device)
        replicate = torch.arange(len(self.seeds), device=self.data.device).unsqueeze(1)
        for index in order.split(self.batch_size, dim=1):
            yield self.data[replicate, index]


class StreamedData:
    """The same samples every epoch, read from disk block by block: data larger than memory.

    Yields the batches of :class:`FixedData` with the same ``batch_size`` and ``block``, bit for
    bit, while one block per replicate is in memory.

    Parameters
    ----------
    path : .npy file of shape (N, n), shared by all replicates (never unpickled)
    seeds : one per replicate, for the order of its samples
    batch_size : samples per batch, at least 1
    block : samples that are read at once and shuffled among themselves; large blocks mix better
    """

    def __init__(self, path: str | Path, seeds: list[int], batch_size: int, block: int) -> None:
        if batch_size < 1 or block < 1:
            raise ValueError(f"need batch_size and block >= 1, not {batch_size} and {block}")
        self.path, self.seeds = path, seeds
        self.batch_size, self.block = batch_size, block
        self.samples = len(np.load(path, mmap_mode="r", allow_pickle=False))

    def __call__(self, epoch: int) -> Iterator[Tensor]:
        replicates = [self._batches(seed, epoch) for seed in self.seeds]
        for batch in zip(*replicates, strict=True):
            yield torch.stack(batch)

    def _batches(self, seed: int, epoch: int) -> Iterator[Tensor]:
        rest = None  # samples of the last block that did not fill a batch
        for index in sample_order(self.samples, seed, epoch, self.block):
            # Mapped anew for every block, so that pages which were read are given back.
            mapped = np.load(self.path, mmap_mode="r", allow_pickle=False)
            start = int(index.min())
            rows = torch.from_numpy(mapped[start : start + len(index)].copy())[index - start]
            rows = rows if rest is None else torch.cat([rest, rows])
            whole = len(rows) // self.batch_size * self.batch_size
            yield from rows[:whole].split(self.batch_size) if whole else ()
            rest = rows[whole:]
        if len(rest):
            yield rest


class FreshData:
    """New samples every epoch from the same dictionaries: the infinite-data setting.

    Parameters
    ----------
    dictionaries : A* (R, n, m)
    noise_stds : standard deviation of the noise, one per replicate
    seeds : one per replicate
    model : group_size, active_groups, amplitude, samples of :func:`generative.sample`
    """

    def __init__(
        self, dictionaries: Tensor, noise_stds: list[float], seeds: list[int], **model: object
    ) -> None:
        self.replicates = list(zip(dictionaries, noise_stds, seeds, strict=True))
        self.model = model

    def samples(self, epoch: int) -> list[Sample]:
        """The samples of an epoch with their true codes, one entry per replicate."""
        return [
            sample(a, generator=generator(seed, "fresh", epoch), std=std, **self.model)
            for a, std, seed in self.replicates
        ]

    def __call__(self, epoch: int) -> Iterator[Tensor]:
        data = [s.data for s in self.samples(epoch)]
        # One replicate needs no copy.
        yield torch.stack(data) if len(data) > 1 else data[0].unsqueeze(0)


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
