"""Data with known features: a union of subspaces of several sizes, streamed."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from featurizers.conditions import frequencies, sizes
from groupsparse.dictionary import from_blocks
from groupsparse.generative import Sample, sample
from groupsparse.seeds import generator


class Truth:
    """Concepts of one seed: orthonormal bases of random subspaces, and samples of their sums.

    ``dictionary`` is (n, G * D) with D the largest size; of a smaller concept only the first atoms
    are used. ``sizes`` are the dimensions of the G concepts.
    """

    def __init__(self, config: dict, seed: int, replicate: int) -> None:
        self.parts = seed, "featurizers", replicate
        self.sizes, self.largest = sizes(config), max(config["sizes"])
        shape = config["concepts"], config["n"], self.largest
        random = torch.randn(shape, generator=generator(*self.parts, "dictionary"))
        self.dictionary = from_blocks(torch.linalg.qr(random).Q)
        self.model = {
            "group_size": self.largest, "active_groups": config["active"],
            "amplitude": config["amplitude"], "sizes": self.sizes,
            "correlation": config["correlation"], "frequencies": frequencies(config),
        }  # fmt: skip
        # The noise of all samples is that of the first ones.
        first = self.draw("level", 10_000, snr_db=config["snr_db"])
        self.noise_std, self.mean = first.noise_std, first.data.mean(0)

    def draw(self, name: str | int, samples: int, **noise: float) -> Sample:
        """Samples by a name: the same every time."""
        noise = noise or {"std": self.noise_std}
        random = generator(*self.parts, "data", name)
        return sample(self.dictionary, samples=samples, generator=random, **self.model, **noise)

    def stream(self, samples: int, batch_size: int):
        """The batches of an epoch, a function of the epoch: no sample comes twice."""

        def batches(epoch: int) -> Iterator[Tensor]:
            yield from self.draw(epoch, samples).data.split(batch_size)

        return batches

    def bases(self) -> list[Tensor]:
        """An orthonormal basis (n, d) of every concept."""
        n = self.dictionary.shape[0]
        blocks = self.dictionary.view(n, -1, self.largest).transpose(0, 1)
        return [basis[:, :size] for basis, size in zip(blocks, self.sizes, strict=True)]

    def active(self, drawn: Sample) -> Tensor:
        """Which concepts are in which samples: bool (N, G)."""
        found = torch.zeros(len(drawn.data), len(self.sizes), dtype=torch.bool)
        return found.scatter_(1, drawn.codes.groups, True)
