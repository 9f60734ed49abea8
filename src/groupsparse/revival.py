"""Groups that no sample uses any more get another start."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.dictionary import from_blocks
from groupsparse.metrics import dead_groups
from groupsparse.seeds import generator
from groupsparse.untied import UntiedAutoencoder

log = logging.getLogger(__name__)


class Revival:
    """A callback of :func:`groupsparse.train`: dead groups start again where the data need them.

    The atoms of a dead group become an orthonormal basis of samples of ``data`` less what the model
    makes of them, drawn in proportion to their energy. The optimiser keeps its moments.

    Parameters
    ----------
    data : samples (N, n) on which groups are counted and from which they are taken
    every : epochs between two looks
    least : share of the samples at which a group counts as dead
    seed : of the draws; they depend on seed and epoch alone, so a resumed training has the same

    Raises
    ------
    ValueError for data that are not (N, n), and when called with replicates, with groups that are
    not equal or with groups of more than n atoms.

    Examples
    --------
    >>> import groupsparse as gs
    >>> data = torch.eye(4).repeat(5, 1)
    >>> model = gs.Autoencoder(torch.eye(4)[:, [0, 1, 0, 1]], "group_top_k(1)", 0.0, 2)
    >>> Revival(data)(1, model)
    >>> gs.active_per_sample(model.encode(data), 2)
    1.0
    """

    def __init__(self, data: Array, every: int = 1, least: float = 0.0, seed: int = 0) -> None:
        self.data = as_tensor(data)
        if self.data.ndim != 2:
            raise ValueError(f"data must have shape (N, n), not {tuple(self.data.shape)}")
        self.every, self.least = check_count(every, "every", least=1), float(least)
        self.seed = check_count(seed, "seed")

    @torch.no_grad()
    def __call__(self, epoch: int, model: Autoencoder) -> None:
        if epoch % self.every:
            return
        if model.replicates:
            raise ValueError("Revival takes one model, not replicates")
        if not isinstance(model.group_size, int):
            raise ValueError("Revival needs equal groups")
        if model.group_size > self.data.shape[1]:
            raise ValueError(
                f"{model.group_size} atoms cannot be orthonormal in samples of "
                f"{self.data.shape[1]} entries"
            )
        codes = encode_in_batches(model, self.data)
        dead = dead_groups(codes, model.group_size, self.least)
        if not len(dead):
            return
        rest = self.data.to(codes) - model.decode(codes).cpu()
        energy = rest.square().sum(-1)
        d = model.group_size
        count = min(len(dead), int((energy > 0).sum()) // d)
        if not count:
            return
        random = generator(self.seed, "revival", epoch)
        rows = torch.multinomial(energy, count * d, generator=random)
        bases = torch.linalg.qr(rest[rows].view(count, d, -1).mT).Q
        replace_groups(model, dead[:count], from_blocks(bases))
        log.info("epoch %d: %d dead groups start again", epoch, count)


@torch.no_grad()
def replace_groups(model: Autoencoder, groups: Tensor, atoms: Tensor) -> None:
    """Give groups, by their indices (k,), other atoms (n, k * group_size), in the encoder too."""
    columns = torch.arange(model.dictionary.shape[-1]).view(-1, model.group_size)[groups].flatten()
    model.dictionary[:, columns] = atoms.to(model.dictionary)
    if isinstance(model, UntiedAutoencoder):
        model.weight[:, columns] = model.dictionary[:, columns]
        if model.bias is not None:
            model.bias[columns] = 0
