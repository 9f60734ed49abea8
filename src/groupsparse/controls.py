"""Controls of the recovery experiment: the best and the worst that a metric can show.

A control is a function ``(tensors, batches, epochs, seeds) -> (dictionary, history)`` with the
results of :func:`groupsparse.train.train`: dictionary (R, n, m), history name -> (epochs + 1, R).
"""

import torch
from torch import Tensor

from groupsparse.dictionary import normalize_columns
from groupsparse.generative import Codes, dense_codes
from groupsparse.recovery import least_squares_dictionary, squared_error
from groupsparse.seeds import generator
from groupsparse.train import FixedData, FreshData


def oracle(
    tensors: dict[str, Tensor], batches: FixedData | FreshData, epochs: int, seeds: list[int]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Least squares given the true codes of all samples that training has seen so far.

    With fixed data that is one constant; with fresh data the normal equations grow every epoch.
    """
    truth = tensors["dictionary"]
    groups = truth.shape[-1] // tensors["values"].shape[-1]
    if isinstance(batches, FixedData):
        codes = dense_codes(Codes(tensors["groups"], tensors["values"]), groups)
        estimate = torch.stack(
            [least_squares_dictionary(y, x) for y, x in zip(tensors["data"], codes, strict=True)]
        )
        return estimate, _history([squared_error(estimate, truth)] * epochs)
    gram, cross, errors = 0.0, 0.0, []
    for epoch in range(1, epochs + 1):
        samples = batches.samples(epoch)
        codes = torch.stack([dense_codes(s.codes, groups) for s in samples])
        data = torch.stack([s.data for s in samples])
        gram = gram + (codes.mT @ codes).double()
        cross = cross + (codes.mT @ data).double()
        estimate = torch.linalg.solve(gram, cross).mT.float()
        errors.append(squared_error(estimate, truth))
    return estimate, _history(errors)


def chance(
    tensors: dict[str, Tensor], batches: FixedData | FreshData, epochs: int, seeds: list[int]
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
