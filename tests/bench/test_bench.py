"""The benchmarks: references compute what the library does; ratios pair repetitions."""

import pandas as pd
import pytest
import torch
from conftest import CONFIG

from bench import fits, reference, stream, summary
from groupsparse.autoencoder import Autoencoder

LAMBDA, SIZE = 0.3, 3
BENCH = CONFIG["bench"]["settings"]


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


def test_a_peer_is_ahead_where_its_least_median_is_below_ours():
    times = table(
        candidate=["library, a", "library, b", "spams", "bare product"], baseline=False,
        repetition=0, value=[3.0, 2.0, 1.0, 0.1],
    )  # fmt: skip
    (row,) = summary.ahead(summary.spread(times, "seconds")).itertuples()
    assert (row.candidate, row.median, row.candidate_ours, row.median_ours) == (
        "spams", 1.0, "library, b", 2.0
    )  # fmt: skip
    slower = times.assign(value=[3.0, 2.0, 2.5, 0.1])
    assert summary.ahead(summary.spread(slower, "seconds")).empty


def test_a_peer_is_ahead_where_ours_reaches_nothing():
    times = table(candidate=["spams"], baseline=False, repetition=0, value=[1.0])
    (row,) = summary.ahead(summary.spread(times, "seconds")).itertuples()
    assert pd.isna(row.median_ours)


def test_a_prediction_is_compared_with_the_median():
    values = {
        "seconds": [1.0, 2.0, 9.0],
        "predicted": [3.0],
        "peak_mb": [8.0],
        "predicted_mb": [6.0],
    }
    parts = [
        table(candidate="shallow", repetition=range(len(v)), baseline=False, value=v, metric=name)
        for name, v in values.items()
    ]
    rate = table(candidate="machine", repetition=[0], baseline=False, value=[1e9], metric="product")
    (row,) = summary.predicted(pd.concat([*parts, rate])).itertuples()
    assert (row.error, row.error_mb) == (0.5, -0.25)


def test_a_package_that_is_not_installed_is_left_out_and_named(caplog, monkeypatch):
    monkeypatch.setattr(fits, "find_spec", lambda name: None)
    settings = BENCH["peers"]
    with caplog.at_level("INFO"):
        names = fits.learners(settings, 1)
    assert set(settings["packages"]) & set(names) == set()
    assert "dictlearn, K-SVD: dictlearn is not installed" in caplog.text
    monkeypatch.setattr(fits, "find_spec", lambda name: name)
    assert set(settings["packages"]) < set(fits.learners(settings, 1))


def test_a_part_of_a_stream_is_the_same_whenever_it_is_drawn():
    model = {"n": 6, "groups": 4, "group_size": 2, "active_groups": 1, "amplitude": (4.0, 5.0),
             "snr_db": 10, "samples": 1000}  # fmt: skip
    drawn = stream.Stream(torch.eye(6, 8), model, 3, 10, seed=0)
    first, again = (torch.cat(list(drawn(part))) for part in (2, 2))
    assert first.shape == (30, 6)
    assert torch.equal(first, again)
    assert not torch.equal(first, torch.cat(list(drawn(3))))
    assert drawn.seconds > 0
