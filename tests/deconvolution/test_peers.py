"""Peers: what each finds in data of which the answer is known; the plain network is the library."""

import pytest
import torch

import groupsparse as gs
from bench import plain
from deconvolution.methods import learn
from deconvolution.peers import PEERS
from deconvolution.task import Task
from groupsparse.convolution import convolve
from groupsparse.detection import renamed

KERNELS = torch.nn.functional.normalize(
    torch.stack([torch.exp(-torch.arange(8.0) / 2), torch.sin(torch.pi * torch.arange(1, 9) / 9)]),
    dim=-1,
)


@pytest.fixture(scope="module")
def apart() -> tuple[Task, gs.Events]:
    """Traces of two neurons with one event of each kernel in a trial, which do not overlap."""
    random = torch.Generator().manual_seed(0)
    trial = torch.arange(30).repeat_interleave(2)
    kernel = torch.arange(2).repeat(30)
    time = 3 + 16 * kernel + torch.randint(0, 6, (60,), generator=random)
    events = gs.Events(trial, kernel, time, torch.tensor([[4.0, 8.0]]).repeat(60, 1)).ordered()
    return task_of(events, random), events


def task_of(events: gs.Events, random: torch.Generator, times: int = 40) -> Task:
    codes = events.codes(30, 2, times - 7)
    y = convolve(codes.permute(3, 2, 0, 1).flatten(2), KERNELS).unflatten(-1, (30, 2))
    y = y.permute(1, 2, 0) + 0.1 * torch.randn(30, 2, times, generator=random)
    return Task(y, torch.zeros(30, 2), "gaussian", {}, 2, 8, 2, True, 8, events, None, 0)


@pytest.mark.parametrize("name", ["averages", "regression"])
def test_kernels_of_events_apart_are_found_with_known_times(apart, name):
    task, events = apart
    kernels, found = PEERS[name](task, 2)
    assert gs.kernel_errors(kernels, KERNELS).errors.max() < 0.05
    assert torch.equal(found.time, events.time)
    assert torch.allclose(found.amplitude, events.amplitude, rtol=0.05)


def test_only_regression_takes_overlapping_events_apart():
    random = torch.Generator().manual_seed(1)
    first = torch.randint(0, 20, (30, 1), generator=random)
    time = torch.cat([first, first + torch.randint(1, 8, (30, 1), generator=random)], 1).flatten()
    trial, kernel = torch.arange(30).repeat_interleave(2), torch.arange(2).repeat(30)
    task = task_of(gs.Events(trial, kernel, time, torch.full((60, 2), 5.0)).ordered(), random)
    errors = {
        name: gs.kernel_errors(PEERS[name](task, 2)[0], KERNELS).errors.max()
        for name in ("averages", "regression")
    }
    assert errors["regression"] < 0.06 < 0.2 < errors["averages"]


def test_averages_find_peaks_without_times(apart):
    kernels, found = PEERS["averages"](apart[0]._replace(events=None), 2)
    matched = gs.kernel_errors(kernels, KERNELS, lags=4)
    assert matched.errors.max() < 0.5
    assert 40 <= found.size <= 60


def test_regression_says_that_it_needs_times(apart):
    with pytest.raises(ValueError, match="needs the times"):
        PEERS["regression"](apart[0]._replace(events=None), 2)


def test_a_peer_that_is_told_times_does_not_go_without_in_silence(apart):
    told = {"kind": "peer", "peer": "averages", "known": True}
    with pytest.raises(ValueError, match="has no events"):
        learn(apart[0]._replace(events=None), told, {"starts": 1})


@pytest.mark.parametrize("name", ["averages", "regression"])
def test_the_rate_of_traces_is_the_sum_of_the_responses_at_known_times(apart, name):
    task, _ = apart
    entry = {"kind": "peer", "peer": name}
    rest = task.y - learn(task, entry | {"known": True}, {"starts": 1}).rate
    assert float(rest.std()) < 0.11, "the noise has 0.1"
    assert learn(task, entry | {"known": True}, {"starts": 1}).rate.isfinite().all()
    if name == "averages":
        assert learn(task, entry, {"starts": 1}).rate.isnan().all(), "without times"
    counts = task._replace(
        y=task.y.clamp_min(0).round(), law="poisson", law_options={"largest": 50.0}
    )
    assert learn(counts, entry | {"known": True}, {"starts": 1}).rate.isnan().all()


def test_unobserved_entries_count_for_nothing(apart):
    task, _ = apart
    y = task.y.clone()
    y[3] = torch.nan
    for name in ("averages", "regression"):
        kernels, _ = PEERS[name](task._replace(y=y), 2)
        assert gs.kernel_errors(kernels, KERNELS).errors.max() < 0.05


def test_dictionary_learning_finds_kernels_and_events_without_times(apart):
    pytest.importorskip("sporco")
    task, events = apart
    kernels, found = PEERS["sporco"](task._replace(events=None), 2)
    matched = gs.kernel_errors(kernels, KERNELS, lags=2)
    assert matched.errors.max() < 0.3
    assert gs.event_scores(renamed(found, matched.order), events, 2)["hit_rate"] > 0.9


@pytest.mark.parametrize("group_lambda", [0.0, 0.5])
def test_the_plain_network_has_the_loss_and_gradient_of_the_library(group_lambda):
    random = torch.Generator().manual_seed(2)
    y = torch.randint(0, 6, (3, 2, 30), generator=random).double()
    kernels = torch.nn.functional.normalize(
        torch.randn(2, 5, generator=random, dtype=torch.float64), dim=-1
    )
    baseline = torch.full((3, 2), -0.5, dtype=torch.float64)
    model = gs.ConvolutionalAutoencoder(
        kernels, "binomial", 0.3, group_lambda, layers=7, law_options={"trials": 5}
    )
    model.loss(model.recording(y, baseline)).backward()
    weights = kernels.clone().requires_grad_()
    loss = plain.loss(y, baseline, weights, 5, 0.3, group_lambda, 7)
    loss.backward()
    assert torch.allclose(model.loss(model.recording(y, baseline)), loss, rtol=1e-12)
    assert torch.allclose(model.dictionary.grad.mT, weights.grad, rtol=1e-9, atol=1e-12)
