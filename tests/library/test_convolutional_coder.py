"""Deconvolution in the style of scikit-learn: the function, with the methods of an estimator."""

import logging

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

import groupsparse as gs
from groupsparse.convolutional_coder import HIDDEN, ConvolutionalCoder
from groupsparse.seeds import generator

KERNELS = torch.nn.functional.normalize(
    torch.tensor([[4.0, 3.0, 2.0, 1.0, 1.0], [1.0, -1.0, 1.0, -2.0, 2.0]]), dim=1
)
TRIALS, NEURONS, TIMES = 40, 2, 30


def recording(seed: int = 0, noise: float = 0.2) -> tuple[torch.Tensor, gs.Events]:
    """Traces with an event of each of two kernels in every trial."""
    draw = torch.Generator().manual_seed(seed)
    trial, kernel = torch.arange(TRIALS).repeat_interleave(2), torch.arange(2).repeat(TRIALS)
    time = torch.randint(TIMES - 4, (2 * TRIALS,), generator=draw)
    amplitude = 4 + torch.rand(2 * TRIALS, NEURONS, generator=draw)
    events = gs.Events(trial, kernel, time, amplitude).ordered()
    y = noise * torch.randn(TRIALS, NEURONS, TIMES, generator=draw)
    for at, k, t, x in zip(*events, strict=True):
        y[at, :, t : t + 5] += x.unsqueeze(1) * KERNELS[k]
    return y, events


def coder(**changes) -> ConvolutionalCoder:
    options = {"n_events": 2, "law_options": {"std": 0.2}, "n_init": 2, "max_iter": 16}
    return ConvolutionalCoder(2, 5, **(options | {"random_state": 0} | changes))


def error(fitted: ConvolutionalCoder) -> float:
    return float(gs.kernel_errors(torch.from_numpy(fitted.components_), KERNELS).errors.max())


@pytest.fixture(scope="module")
def fitted() -> ConvolutionalCoder:
    return coder().fit(recording()[0])


def hits(fitted: ConvolutionalCoder, found: gs.Events, truth: gs.Events) -> float:
    order = gs.kernel_errors(torch.from_numpy(fitted.components_), KERNELS).order
    named = found._replace(kernel=order.argsort()[found.kernel]).ordered()
    return gs.event_scores(named, truth, tolerance=1)["hit_rate"]


def test_kernels_and_events_of_new_trials_are_found(fitted):
    assert error(fitted) < 0.1
    y, truth = recording(seed=1)
    assert hits(fitted, fitted.predict(y), truth) > 0.95
    assert fitted.predict_rate(y).shape == y.shape
    assert np.std(y.numpy() - fitted.predict_rate(y)) < 0.25, "the noise has 0.2"


def test_it_is_the_function(fitted):
    seed = fitted._seeds()[0]
    found = gs.deconvolve(
        recording()[0],
        2,
        5,
        events=2,
        law_options={"std": 0.2},
        starts=2,
        sweeps=16,
        seed=seed,
        fit_baseline=True,
    )
    assert np.array_equal(found.kernels.numpy(), fitted.components_)
    assert found.loss == fitted.loss_
    assert torch.equal(found.events.time, fitted.events_.time)


def test_codes_hold_the_amplitudes_of_the_events(fitted):
    y, _ = recording(seed=1)
    codes, events = fitted.transform(y), fitted.predict(y)
    assert codes.shape == (TRIALS, NEURONS, 2, TIMES - 4)
    assert np.count_nonzero(codes) == events.amplitude.count_nonzero()
    at = tuple(x.numpy() for x in (events.trial, events.kernel, events.time))
    assert np.allclose(codes.transpose(0, 2, 3, 1)[at], events.amplitude)


def test_known_times_are_given_as_y():
    y, truth = recording()
    known = coder().fit(y, truth)
    assert torch.equal(known.events_.time, truth.time)
    assert error(known) < 0.05


def test_it_clones_and_the_same_state_gives_the_same_kernels(fitted):
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    assert not hasattr(again, "components_")
    assert np.array_equal(again.fit(recording()[0]).components_, fitted.components_)


@pytest.mark.parametrize("kind", [np.asarray, lambda y: y.double(), lambda y: y.half().float()])
def test_arrays_and_tensors_come_in(kind):
    y = recording()[0][:10]
    assert coder(max_iter=4, n_init=1).fit(kind(y)).components_.shape == (2, 5)


def test_hidden_entries_choose_the_number_of_kernels():
    y, _ = recording()
    search = GridSearchCV(coder(), {"n_kernels": [1, 2]}, cv=2).fit(y.numpy())
    assert search.best_params_ == {"n_kernels": 2}
    assert search.best_score_ > 0


def test_the_score_of_noise_is_not_above_that_of_the_mean(fitted):
    noise = 0.2 * torch.randn(TRIALS, NEURONS, TIMES, generator=torch.Generator().manual_seed(3))
    assert fitted.score(noise) < 0.05 < fitted.score(recording(seed=1)[0])


def test_what_was_not_observed_counts_for_nothing():
    y, _ = recording()
    y[:, :, ::7] = torch.nan
    assert error(coder().fit(y)) < 0.2
    assert np.isfinite(coder().fit(y).score(y))


def test_a_neuron_hidden_in_a_whole_trial_does_not_count(fitted):
    y, _ = recording(seed=2)
    hidden = torch.rand(y.shape, generator=generator(0, "hidden")) < HIDDEN
    expected, alone = fitted.score(y), hidden[3, 1].nonzero()[0]
    y[3, 1, torch.arange(TIMES) != alone] = torch.nan
    # One of 80 traces less in the mean.
    assert fitted.score(y) == pytest.approx(expected, rel=0.2)


def test_spikes_have_their_law():
    y, truth = recording(noise=0.0)
    draw = torch.Generator().manual_seed(0)
    counts = torch.binomial(torch.full_like(y, 20), torch.sigmoid(y - 2), generator=draw)
    spikes = coder(law="binomial", law_options={"trials": 20}).fit(counts)
    assert error(spikes) < 0.2
    assert hits(spikes, spikes.events_, truth) > 0.9


@pytest.mark.parametrize(
    ("change", "data", "message"),
    [
        ({}, torch.zeros(4, 9), "X must have shape"),
        ({"n_kernels": 0}, torch.zeros(4, 1, 9), "n_kernels"),
        ({"length": 0}, torch.zeros(4, 1, 9), "length"),
        ({"n_events": 0}, torch.zeros(4, 1, 9), "events"),
        ({"n_init": 0}, torch.zeros(4, 1, 9), "n_init"),
        ({"law": "gauss"}, torch.zeros(4, 1, 9), "gauss"),
    ],
)
def test_arguments_that_do_not_fit_are_named(change, data, message):
    with pytest.raises((ValueError, TypeError), match=message):
        coder().set_params(**change).fit(data)


def test_before_the_fit_it_says_so():
    with pytest.raises(NotFittedError):
        coder().predict(recording()[0])


def test_progress_is_shown_when_asked_for(capsys):
    coder(verbose=1, max_iter=4).fit(recording()[0][:10])
    assert logging.getLogger("groupsparse").handlers == []
    assert "start 0: loss" in capsys.readouterr().err
