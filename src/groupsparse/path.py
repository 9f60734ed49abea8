"""Trainings along a range of lambda, each from where the last one ended."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count, check_lambda
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.batches import FixedData
from groupsparse.metrics import active_per_sample, explained_variance
from groupsparse.thresholds import lambda_max
from groupsparse.training import train

log = logging.getLogger(__name__)

LEAST = 0.02  # of the largest lambda at which anything is active, where a path ends


class Path(NamedTuple):
    """What :func:`lambda_path` returns, by falling lambda: ``lambdas``, the mean number of
    ``active_groups`` of a sample and the ``explained`` variance (K,), ``dictionaries`` (K, n, m).
    """

    lambdas: Tensor
    active_groups: Tensor
    explained: Tensor
    dictionaries: Tensor


def lambda_path(
    model: Autoencoder,
    data: Array,
    lambdas: int | Sequence[float] = 10,
    *,
    held_out: Array | None = None,
    batch_size: int = 0,
    **training: object,
) -> Path:
    """Train a model at one lambda after the other, from the largest to the smallest.

    Each training starts from the dictionary of the one before, so that the whole path costs little
    more than a training, and neighbours are comparable. The model ends as the last of them.

    Parameters
    ----------
    model : one network, not replicates
    data : samples (N, n) to train on
    lambdas : values; or how many, at equal ratios from the largest at which codes of the start are
        not all zero (:func:`lambda_max`), which is left out, to 2 % of it
    held_out : samples (M, n) that are scored; by default the data
    batch_size, training : as for :class:`FixedData` and :func:`train`

    Raises
    ------
    ValueError for replicates, and for values that are not numbers of at least 0.

    Examples
    --------
    >>> import groupsparse as gs
    >>> truth = gs.orthonormalize_groups(gs.random_dictionary(20, 16, generator=0), 2)
    >>> data = gs.sample(truth, 2, 2, (4.0, 5.0), samples=300, generator=1, snr_db=10.0).data
    >>> model = gs.Autoencoder(gs.perturb(truth, 0.9, generator=2), "group_soft", 0.0, 2)
    >>> path = lambda_path(model, data, [4.0, 2.0, 1.0], epochs=3)
    >>> bool((path.active_groups.diff() > 0).all())
    True
    """
    if model.replicates:
        raise ValueError("lambda_path takes one model, not replicates")
    data = as_tensor(data)
    scored = data if held_out is None else as_tensor(held_out, "held_out")
    falling = sorted(values(model, data, lambdas), reverse=True)
    for value in falling:
        check_lambda(value)
    batches, rows, dictionaries = FixedData(data, batch_size=batch_size), [], []
    for value in falling:
        model.lambda_ = value
        train(model, batches, **training)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # at the largest lambdas nothing may be active
            codes = encode_in_batches(model, scored)
        dictionaries.append(model.dictionary.detach().clone())
        explained = explained_variance(scored, model.decode(codes).detach().to(scored))
        rows.append((model.lambda_, active_per_sample(codes, model.group_size), explained))
        log.info("lambda %.4g: %.3g active groups, %.3g of the variance explained", *rows[-1])
    return Path(*torch.tensor(rows).T, torch.stack(dictionaries))


def values(model: Autoencoder, data: Tensor, lambdas: int | Sequence[float]) -> list[float]:
    """The values of a path, as given or by their number."""
    if not isinstance(lambdas, Integral):
        return [float(value) for value in lambdas]
    count = check_count(lambdas, "lambdas", least=1)
    limit = lambda_max(*model._first_layer(data))
    return (limit * LEAST ** (torch.arange(1, count + 1) / count)).tolist()
