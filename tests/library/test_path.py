"""A path of trainings: each from where the last one ended, at the values that were asked for."""

import warnings

import numpy as np
import pytest
import torch

import groupsparse as gs
from groupsparse.path import LEAST, values

OPTIONS = {"epochs": 3, "lr": 5e-3, "batch_size": 50, "normalize": True}


@pytest.fixture
def problem():
    truth = gs.orthonormalize_groups(gs.random_dictionary(20, 16, generator=0), 2)
    data = gs.sample(truth, 2, 2, (4.0, 5.0), samples=300, generator=1, snr_db=10.0).data
    return data, gs.perturb(truth, correlation=0.8, generator=2)


def test_a_path_falls_from_below_lambda_max_at_equal_ratios(problem):
    data, start = problem
    model = gs.Autoencoder(start, "group_soft", 0.0, 2)
    path = gs.lambda_path(model, data, 6, **OPTIONS)
    limit = gs.lambda_max(data, start, "group_soft", 2)
    assert torch.allclose(path.lambdas[-1], 0.02 * limit, rtol=1e-4)
    ratios = path.lambdas[1:] / path.lambdas[:-1]
    assert torch.allclose(ratios, ratios[:1].expand(5), rtol=1e-4)
    assert path.lambdas[0] < limit
    assert (path.active_groups.diff() > 0).all()
    assert path.dictionaries.shape == (6, 20, 16)
    assert torch.equal(path.dictionaries[-1], model.dictionary)
    assert model.lambda_ == pytest.approx(float(path.lambdas[-1]))


@pytest.mark.parametrize("encoder", ["shallow", "fista", "untied"])
def test_a_path_begins_where_its_model_falls_silent(problem, encoder):
    data, start = problem
    if encoder == "untied":
        generator, data = torch.Generator().manual_seed(0), data + 10
        model = gs.UntiedAutoencoder(
            start, "group_soft", 0.0, 2, torch.randn(20, 16, generator=generator),
            torch.randn(16, generator=generator), data.mean(0),
        )  # fmt: skip
    else:
        model = gs.Autoencoder(start, "group_soft", 0.0, 2, encoder, 5)
    limit = values(model, data, 1)[0] / LEAST
    for factor, silent in ((1.001, True), (0.999, False)):
        model.lambda_ = factor * limit
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            assert (not model.encode(data).any()) == silent
        assert silent == any(f"nonzero below {limit:.4g}"[:-1] in str(w.message) for w in said)


def test_each_training_starts_where_the_last_one_ended(problem):
    data, start = problem
    path = gs.lambda_path(gs.Autoencoder(start, "group_soft", 0.0, 2), data, [1.0, 3.0], **OPTIONS)
    assert path.lambdas.tolist() == [3.0, 1.0], "falling, whatever the order"
    by_hand = gs.Autoencoder(start, "group_soft", 3.0, 2)
    options = {key: value for key, value in OPTIONS.items() if key != "batch_size"}
    for number, value in enumerate((3.0, 1.0)):
        by_hand.lambda_ = value
        gs.train(by_hand, gs.FixedData(data, batch_size=50), **options)
        assert torch.equal(path.dictionaries[number], by_hand.dictionary)
    codes = by_hand.encode(data).detach()
    assert float(path.active_groups[1]) == pytest.approx(gs.active_per_sample(codes, 2))
    explained = gs.explained_variance(data, by_hand.decode(codes).detach())
    assert float(path.explained[1]) == pytest.approx(explained)


def test_held_out_samples_are_scored(problem):
    data, start = problem
    paths = [
        gs.lambda_path(
            gs.Autoencoder(start, "group_soft", 0.0, 2), data[:200], [2.0], held_out=held, **OPTIONS
        )
        for held in (None, data[200:])
    ]
    assert torch.equal(paths[0].dictionaries, paths[1].dictionaries)
    assert paths[0].explained != paths[1].explained


def test_a_lambda_may_be_a_tensor_of_one_number(problem):
    data, start = problem
    model = gs.Autoencoder(start, "group_soft", torch.tensor(1.0), 2)
    assert model.lambda_ == 1.0
    assert gs.lambda_path(model, data, [2.0], **OPTIONS).lambdas.tolist() == [2.0]


def test_what_does_not_fit_is_refused(problem):
    data, start = problem
    with pytest.raises(ValueError, match="not replicates"):
        gs.lambda_path(gs.Autoencoder(start.expand(2, 20, 16), "group_soft", 0.0, 2), data)
    for lambdas in (0, [1.0, -1.0], [float("nan")]):
        with pytest.raises(ValueError, match="lambda"):
            gs.lambda_path(gs.Autoencoder(start, "group_soft", 0.0, 2), data, lambdas, epochs=1)


def test_the_number_of_lambdas_may_be_one_of_numpy(problem):
    data, start = problem
    model = gs.Autoencoder(start, "group_soft", 0.0, 2)
    assert values(model, data, np.int64(2)) == values(model, data, 2)
