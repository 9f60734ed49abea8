"""The inference threshold of a batch rule."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from groupsparse.arrays import Array
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.groups import Size, split_groups
from groupsparse.metrics import active_per_sample
from groupsparse.shrinkage import norms_of
from groupsparse.topk import BatchGroupTopK

HALVINGS = 30  # of the interval in which a level is looked for


@torch.no_grad()
def calibrate(model: Autoencoder, data: Array) -> float:
    """Store the level of a ``batch_group_top_k`` in a model: its inference threshold, returned.

    With it k groups of a sample of ``data`` (N, n) are active on average, and the code of a sample
    no longer depends on its batch. Give samples that are as those of the training.

    Raises
    ------
    TypeError for another activation; ValueError for replicates, and errors as in
    :meth:`Autoencoder.encode`.

    Examples
    --------
    >>> model = Autoencoder(torch.eye(4), "batch_group_top_k(1)", 0.0, 2)
    >>> round(calibrate(model, [[3.0, 4.0, 0.9, 1.2], [0.0, 2.0, 0.5, 0.0]]), 3)
    1.5
    >>> model.encode([[0.0, 3.0, 0.0, 1.2]]).detach()
    tensor([[0., 3., 0., 0.]])
    """
    rule = model.activation
    if not isinstance(rule, BatchGroupTopK):
        raise TypeError(f"only batch_group_top_k has a level, not {model.prox!r}")
    if model.replicates:
        raise ValueError("calibrate takes one model, not replicates")

    before = model.prox, model.refit
    try:
        model.refit = False  # what is active is decided before
        if model.encoder == "shallow":
            level = _strongest(_codes(model, data, 0.0), rule.k, model.group_size)
        else:
            level = _bisected(model, data, rule.k)
    finally:
        model.prox, model.refit = before
    model.prox = str(BatchGroupTopK(rule.k, level))
    return level


def _codes(model: Autoencoder, data: Array, level: float) -> Tensor:
    model.prox = str(BatchGroupTopK(model.activation.k, level))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nothing is active at a level that is too high
        return encode_in_batches(model, data)


def _strongest(codes: Tensor, k: float, group_size: Size) -> float:
    """The largest norm of a group in codes (N, m) that is not among the k N largest."""
    norms = norms_of(split_groups(codes, group_size)).flatten()
    rank = int(k * len(codes))
    return float(norms.sort(descending=True).values[rank]) if rank < len(norms) else 0.0


def _bisected(model: Autoencoder, data: Array, k: float) -> float:
    def many(level: float) -> bool:
        return active_per_sample(_codes(model, data, level), model.group_size) > k

    low, high = 0.0, 1.0
    while many(high):
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if many(middle) else (low, middle)
    return high
