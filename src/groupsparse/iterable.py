"""Batches of data that come from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from torch import Tensor

from groupsparse.arrays import as_tensor


class IterableData:
    """Batches of your own: of a DataLoader, a generator of activations, or a stream.

    Parameters
    ----------
    batches : what can be iterated in every epoch, such as a DataLoader; or a function of the epoch
        that returns an iterator. A batch is (B, n), or (..., n), whose leading dimensions are all
        samples; float16 and bfloat16 too. Of a tuple or list the first entry counts, of a mapping
        that of ``key``
    key : of the entry that holds the data

    A checkpoint cannot look into them: give :func:`groupsparse.train` a ``fingerprint`` then.

    Raises
    ------
    ValueError if an iterator can be gone through only once and a second epoch asks for it, and for
    a mapping that has no such ``key``.

    Examples
    --------
    >>> import torch
    >>> activations = [torch.randn(2, 5, 8) for _ in range(3)]
    >>> [tuple(batch.shape) for batch in IterableData(activations)(epoch=1)]
    [(10, 8), (10, 8), (10, 8)]
    """

    def __init__(
        self, batches: Iterable | Callable[[int], Iterable], key: str | None = None
    ) -> None:
        self.batches, self.key, self._used = batches, key, False

    def __call__(self, epoch: int) -> Iterator[Tensor]:
        source = self.batches(epoch) if callable(self.batches) else self.batches
        if isinstance(source, Iterator) and not callable(self.batches):
            if self._used:
                raise ValueError(
                    "batches can be gone through only once: give a DataLoader, or a function of "
                    "the epoch, for more than one epoch"
                )
            self._used = True
        for batch in source:
            if isinstance(batch, Mapping):
                if self.key not in batch:
                    known = ", ".join(map(repr, batch))
                    raise ValueError(f"a batch is a mapping of {known}: give key=..., one of these")
                batch = batch[self.key]
            elif isinstance(batch, tuple | list):
                batch = batch[0]
            batch = as_tensor(batch, "a batch")
            yield batch.reshape(-1, batch.shape[-1])
