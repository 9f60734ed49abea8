"""Controls of the recovery experiment: an oracle, that is told the true codes, and chance.

A control is a function ``(tensors, batches, epochs, seeds) -> (dictionary, history)`` with the
results of :func:`groupsparse.training.train`: dictionary (R, n, m), history name -> (epochs + 1,
R).
"""

import logging

import torch
from torch import Tensor

from evidence.oracle import PooledOracle
from groupsparse.batches import FixedData, FreshData, FreshNoise
from groupsparse.dictionary import normalize_columns
from groupsparse.generative import Codes, dense_codes
from groupsparse.recovery import least_squares_dictionary, squared_error
from groupsparse.seeds import generator

log = logging.getLogger(__name__)
Batches = FixedData | FreshData | FreshNoise


def oracle(
    tensors: dict[str, Tensor], batches: Batches, epochs: int, seeds: list[int]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Least squares given the true codes of all samples that training has seen so far.

    With fixed data the result is constant; with fresh noise or samples the normal equations grow.
    They are solved where :func:`_solved` says; the other epochs have no value (NaN).
    """
    truth = tensors["dictionary"]
    groups = truth.shape[-1] // tensors["values"].shape[-1]
    if isinstance(batches, FixedData):
        codes = dense_codes(Codes(tensors["groups"], tensors["values"]), groups)
        estimate = torch.stack(
            [least_squares_dictionary(y, x) for y, x in zip(tensors["data"], codes, strict=True)]
        )
        return estimate, _history([squared_error(estimate, truth)] * epochs)
    pooled = [PooledOracle(*each.shape) for each in truth]
    errors, waiting, times = [], [], 0
    for epoch in range(1, epochs + 1):
        drawn, times = batches.samples(epoch), times + 1
        for old, new in zip(waiting, drawn, strict=False):
            old.data.add_(new.data)
        waiting = waiting or drawn
        # The same codes weigh a sum of data as they weigh each: X^T Y + X^T Z = X^T (Y + Z).
        if not isinstance(batches, FreshNoise) or _solved(epoch, epochs):
            for each, sample in zip(pooled, waiting, strict=True):
                each.add(sample, times)
            waiting, times = [], 0
        if not _solved(epoch, epochs):
            errors.append(torch.full((len(truth),), torch.nan))
            continue
        estimate = torch.stack([each.dictionary() for each in pooled])
        errors.append(squared_error(estimate, truth))
        if epoch == epochs or epoch % 50 == 0:
            log.info("epoch %d/%d: squared_error %.4g", epoch, epochs, errors[-1].mean())
    return estimate, _history(errors)


def _solved(epoch: int, epochs: int) -> bool:
    """Whether the oracle is worth its cost after an epoch: early, then every tenth, and at the end.

    Its error falls as 1 / epoch, so a curve through these epochs is smooth.
    """
    return epoch <= 10 or epoch % 10 == 0 or epoch == epochs


def chance(
    tensors: dict[str, Tensor], batches: Batches, epochs: int, seeds: list[int]
) -> tuple[Tensor, dict[str, Tensor]]:
    """A random Gaussian dictionary that has seen no data: squared error about 2 m."""
    truth = tensors["dictionary"]
    estimate = normalize_columns(
        torch.stack([torch.randn(truth.shape[1:], generator=generator(s, "chance")) for s in seeds])
    )
    return estimate, _history([squared_error(estimate, truth)] * epochs)


def _history(errors: list[Tensor]) -> dict[str, Tensor]:
    nothing = torch.full_like(errors[0], torch.nan)
    return {"squared_error": torch.stack([nothing, *errors])}


CONTROLS = {"oracle": oracle, "chance": chance}
