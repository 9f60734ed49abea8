"""Batches of an epoch: in memory, streamed from disk, or newly drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Integral
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count, plain, require_finite
from groupsparse.artifacts import tensor_digest
from groupsparse.generative import Codes, Sample, decode, sample
from groupsparse.seeds import generator


class Batches(Protocol):
    """Data of an epoch as batches (R, B, n), a function of the epoch alone, so resume is exact."""

    def __call__(self, epoch: int) -> Iterator[Tensor]: ...


def fit_batch(batch: Array, dictionary: Tensor, replicates: Sequence[int] | None = None) -> Tensor:
    """A batch in the shape (..., B, n), dtype and on the device of a dictionary (..., n, m).

    Samples (B, n) are shared by all ``replicates``, by default the leading dimensions of the
    dictionary. ValueError for a batch that does not fit.
    """
    batch = as_tensor(batch, "a batch", like=dictionary.detach())
    replicates = tuple(dictionary.shape[:-2] if replicates is None else replicates)
    n = dictionary.shape[-2]
    if batch.ndim == 3 and len(batch) == 1:
        batch = batch[0]
    if batch.ndim == 2:
        batch = batch.expand(*replicates, *batch.shape)
    if batch.shape[:-2] != replicates or batch.shape[-1] != n:
        wanted = ", ".join(map(str, (*replicates, "B", n)))
        raise ValueError(
            f"a batch of shape {tuple(batch.shape)} does not fit the dictionary "
            f"{tuple(dictionary.shape)}: it must be ({wanted})"
            + (f", or (B, {n}) for all replicates alike" if replicates else "")
        )
    return batch


def _seeds(seeds: int | Sequence[int]) -> list[int]:
    seeds = [seeds] if isinstance(seeds, Integral) else list(seeds)
    return [check_count(seed, "a seed") for seed in seeds]


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
    data : (R, N, n), or (N, n) shared by all replicates; not copied, so what changes later counts
    seeds : one per replicate, for the order of its samples; a number is that of one replicate. By
        default they count from 0
    batch_size : samples per batch; 0 is the full batch
    block : shuffle in blocks of this many samples (:func:`sample_order`); 0: all at once
    missing : whether NaN stands for an entry that was not observed, as a
        :class:`groupsparse.mixture.Mixture` reads it

    Raises
    ------
    ValueError for data that are not finite or have another shape, or another number of seeds than
    of replicates.

    Examples
    --------
    >>> [tuple(batch.shape) for batch in FixedData(torch.ones(5, 3), batch_size=2)(epoch=1)]
    [(1, 2, 3), (1, 2, 3), (1, 1, 3)]
    """

    def __init__(
        self,
        data: Array,
        seeds: int | Sequence[int] | None = None,
        batch_size: int = 0,
        block: int = 0,
        missing: bool = False,
    ) -> None:
        data = as_tensor(data)
        if data.ndim not in (2, 3) or not data.numel():
            raise ValueError(f"data must have shape (N, n) or (R, N, n), not {tuple(data.shape)}")
        seeds = range(len(data) if data.ndim == 3 else 1) if seeds is None else _seeds(seeds)
        if data.ndim == 3 and len(data) != len(seeds):
            raise ValueError(f"{len(data)} replicates of data need as many seeds, not {len(seeds)}")
        require_finite(torch.where(data.isnan(), 0, data) if missing else data)
        self.data = data if data.ndim == 3 else data.expand(len(seeds), *data.shape)
        self.seeds, self.batch_size = list(seeds), check_count(batch_size, "batch_size")
        self.block = check_count(block, "block")

    def fingerprint(self) -> dict:
        """What determines the batches, for checkpoints: JSON-able."""
        shared = self.data.stride(0) == 0
        digest = tensor_digest(self.data[0] if shared else self.data)
        sizes = {"batch_size": self.batch_size, "block": self.block}
        return {"kind": "fixed", "values": digest, "seeds": self.seeds, **sizes}

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

    Raises
    ------
    ValueError for a file that does not hold floats of shape (N, n), and for batches below 1.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(path := Path(folder) / "y.npy", np.ones((5, 3)))
    ...     [tuple(batch.shape) for batch in StreamedData(path, 0, batch_size=3, block=4)(epoch=1)]
    [(1, 3, 3), (1, 2, 3)]
    """

    def __init__(
        self, path: str | Path, seeds: int | Sequence[int], batch_size: int, block: int
    ) -> None:
        self.path, self.seeds = path, _seeds(seeds)
        self.batch_size = check_count(batch_size, "batch_size", least=1)
        self.block = check_count(block, "block", least=1)
        try:
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path} is not a .npy file of numbers") from error
        if mapped.ndim != 2 or mapped.dtype not in (np.float32, np.float64):
            raise ValueError(
                f"{path} must hold float32 or float64 of shape (N, n), not {mapped.dtype} of shape "
                f"{mapped.shape}"
            )
        self.samples = len(mapped)

    def fingerprint(self) -> dict:
        """What determines the batches, for checkpoints; the file by its size and time of change."""
        file = Path(self.path).stat()
        state = {"bytes": file.st_size, "time of change": file.st_mtime_ns}
        sizes = {"batch_size": self.batch_size, "block": self.block}
        return {"kind": "streamed", **state, "seeds": self.seeds, **sizes}

    def __call__(self, epoch: int) -> Iterator[Tensor]:
        replicates = [self._batches(seed, epoch) for seed in self.seeds]
        for batch in zip(*replicates, strict=True):
            yield torch.stack(batch)

    def _batches(self, seed: int, epoch: int) -> Iterator[Tensor]:
        rest = None  # samples of the last block that did not fill a batch
        for index in sample_order(self.samples, seed, epoch, self.block):
            # Mapped again for every block, so that pages already read are released.
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
    seeds : one per replicate; a number is that of one
    model : group_size, active_groups, amplitude, samples and options of :func:`generative.sample`
    """

    def __init__(
        self,
        dictionaries: Tensor,
        noise_stds: list[float],
        seeds: int | Sequence[int],
        **model: object,
    ) -> None:
        seeds = _seeds(seeds)
        if not len(dictionaries) == len(noise_stds) == len(seeds):
            raise ValueError(
                f"{len(dictionaries)} dictionaries need as many noise_stds and seeds, not "
                f"{len(noise_stds)} and {len(seeds)}"
            )
        self.replicates = list(zip(dictionaries, noise_stds, seeds, strict=True))
        self.model = model

    def fingerprint(self) -> dict:
        """What determines the batches, for checkpoints: JSON-able."""
        replicates = [[tensor_digest(a), float(std), seed] for a, std, seed in self.replicates]
        return {"kind": "fresh", "replicates": replicates, **plain(self.model)}

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


class FreshNoise:
    """The same codes in every epoch under new noise: signals that are measured again and again.

    Parameters
    ----------
    dictionaries : A* (R, n, m)
    codes : of all replicates, groups (R, N, k) and values (R, N, k, d)
    noise_stds : standard deviation of the noise, one per replicate
    seeds : one per replicate; a number is that of one

    Examples
    --------
    >>> codes = Codes(torch.tensor([[[1]]]), torch.tensor([[[[2.0]]]]))
    >>> next(FreshNoise(torch.eye(2).unsqueeze(0), codes, [0.0], 0)(epoch=1))
    tensor([[[0., 2.]]])
    """

    def __init__(
        self,
        dictionaries: Tensor,
        codes: Codes,
        noise_stds: list[float],
        seeds: int | Sequence[int],
    ) -> None:
        seeds = _seeds(seeds)
        if not len(dictionaries) == len(codes.groups) == len(noise_stds) == len(seeds):
            raise ValueError(
                f"{len(dictionaries)} dictionaries need as many codes, noise_stds and seeds, not "
                f"{len(codes.groups)}, {len(noise_stds)} and {len(seeds)}"
            )
        self.codes = [Codes(*parts) for parts in zip(*codes, strict=True)]
        self.signals = [decode(a, x) for a, x in zip(dictionaries, self.codes, strict=True)]
        self.noise_stds, self.seeds = noise_stds, seeds

    def fingerprint(self) -> dict:
        """What determines the batches, for checkpoints: JSON-able."""
        digests = [tensor_digest(signal) for signal in self.signals]
        stds = list(map(float, self.noise_stds))
        return {"kind": "fresh noise", "values": digests, "noise_stds": stds, "seeds": self.seeds}

    def samples(self, epoch: int) -> list[Sample]:
        """The samples of an epoch with their true codes, one entry per replicate."""
        drawn = []
        for signal, codes, std, seed in zip(
            self.signals, self.codes, self.noise_stds, self.seeds, strict=True
        ):
            noise = torch.randn(signal.shape, generator=generator(seed, "fresh noise", epoch))
            noise = noise.to(signal)
            drawn.append(Sample(torch.add(signal, noise, alpha=std, out=noise), codes, std))
        return drawn

    def __call__(self, epoch: int) -> Iterator[Tensor]:
        data = [s.data for s in self.samples(epoch)]
        yield torch.stack(data) if len(data) > 1 else data[0].unsqueeze(0)
