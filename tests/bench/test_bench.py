"""The benchmarks: references compute what the library does; ratios pair repetitions."""

import pandas as pd
import pytest
import torch

from bench import reference, summary
from groupsparse.autoencoder import Autoencoder

LAMBDA, SIZE = 0.3, 3


def value_and_gradient(loss, dictionary):
    dictionary = dictionary.clone().requires_grad_()
    value = loss(dictionary)
    (gradient,) = torch.autograd.grad(value, dictionary)
    return value.detach(), gradient


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(1)
    data = torch.randn(40, 15, generator=generator, dtype=torch.float64)
    return data, torch.randn(15, 12, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("activation", reference.ACTIVATIONS)
@pytest.mark.parametrize(("encoder", "layers"), [("shallow", 1), ("fista", 7)])
def test_the_reference_has_the_loss_and_gradient_of_the_library(
    problem, activation, encoder, layers
):
    data, dictionary = problem
    model = Autoencoder(dictionary, activation, LAMBDA, SIZE, encoder, layers)
    loss = model.loss(data)
    (gradient,) = torch.autograd.grad(loss, model.dictionary)
    if encoder == "shallow":
        other = value_and_gradient(
            lambda a: reference.shallow_loss(data, a, activation, LAMBDA, SIZE), dictionary
        )
    else:
        other = value_and_gradient(
            lambda a: reference.unfolded_loss(data, a, activation, LAMBDA, SIZE, layers),
            dictionary,
        )
    assert loss > 0
    # Two orders of summation in float64, a few hundred operations deep.
    torch.testing.assert_close((loss.detach(), gradient), other, rtol=1e-10, atol=1e-12)


def table(**columns) -> pd.DataFrame:
    condition = dict.fromkeys(summary.CONDITION, 1)
    return pd.DataFrame(condition | {"metric": "seconds"} | columns)


def test_a_ratio_pairs_the_repetitions_of_one_round():
    times = table(
        candidate=["library", "library", "plain", "plain"], baseline=[False, False, True, True],
        repetition=[0, 1, 0, 1], value=[1.0, 2.0, 3.0, 10.0],
    )  # fmt: skip
    (row,) = summary.ratios(times).itertuples()
    assert (row.reference, row.min, row.max, row.median) == ("plain", 3.0, 5.0, 4.0)


def test_time_to_reach_leaves_out_who_does_not_get_there():
    parts = [
        table(
            candidate=[name] * 3, baseline=False, repetition=0, passes=[0, 1, 2], metric=metric,
            value=value,
        )
        for name, errors in {"good": [8.0, 4.0, 1.0], "bad": [8.0, 7.0, 6.0]}.items()
        for metric, value in {"error": errors, "seconds": [0.0, 2.0, 3.0]}.items()
    ]  # fmt: skip
    (row,) = summary.time_to_reach(pd.concat(parts), "error", 0.5).itertuples()
    assert (row.candidate, row.median, row.passes) == ("good", 2.0, 1)
