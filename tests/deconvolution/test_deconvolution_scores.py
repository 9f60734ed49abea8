"""Scores of made-up fits whose values are known."""

import math

import pytest
import torch
from small_recording import KERNELS, LAWS, NEURONS, TIMES, TRIALS, task, tensors

from deconvolution.scores import (
    held_out,
    kernel_scores,
    kinds,
    of_events,
    rate_score,
    recorded_events,
    trace_score,
)
from deconvolution.simulation import signal
from deconvolution.task import Fit
from groupsparse.events import Events
from groupsparse.likelihood import law_of

TRUTH = recorded_events(tensors())


def events(*rows, neurons: int = 1) -> Events:
    """Of (trial, kernel, time, amplitude)."""
    trial, kernel, time, amplitude = zip(*rows, strict=True) if rows else ([],) * 4
    places = (torch.tensor(x, dtype=torch.int64) for x in (trial, kernel, time))
    heights = torch.tensor(amplitude, dtype=torch.float32).reshape(-1, 1)
    return Events(*places, heights.expand(-1, neurons)).ordered()


def fit(kernels=KERNELS, found=TRUTH, rate=None) -> Fit:
    return Fit(kernels, found, torch.zeros(TRIALS, NEURONS, TIMES) if rate is None else rate)


def swapped(found: Events) -> Events:
    return found._replace(kernel=1 - found.kernel).ordered()


def test_a_recording_has_events_or_none():
    assert recorded_events({"y": torch.zeros(1, 1, 5)}) is None
    assert TRUTH.size == 2 * TRIALS
    assert (TRUTH.trial.diff() >= 0).all()


def test_true_kernels_have_no_error_in_whatever_order_and_sign():
    for kernels in (KERNELS, KERNELS.flip(0), -KERNELS):
        assert kernel_scores(fit(kernels), KERNELS) == pytest.approx(
            {"kernel_error_0": 0, "kernel_error_1": 0, "kernel_error": 0, "shifted_error": 0},
            abs=1e-3,
        )


def test_the_error_of_a_kernel_is_the_sine_of_an_angle():
    first, second = torch.eye(6)[:2]
    learnt = torch.stack([torch.nn.functional.normalize(first + second, dim=0), torch.eye(6)[4]])
    found = kernel_scores(fit(learnt), torch.stack([first, torch.eye(6)[4]]))
    assert found["kernel_error_0"] == pytest.approx(math.sqrt(0.5))
    assert found["kernel_error"] == pytest.approx(math.sqrt(0.5) / 2)


def test_a_shift_of_a_quarter_is_forgiven_by_one_of_the_errors():
    shifted = torch.nn.functional.normalize(torch.nn.functional.pad(KERNELS[:1, :4], (1, 1)), dim=1)
    found = kernel_scores(fit(shifted), KERNELS[:1])
    assert found["kernel_error"] > 0.4
    assert found["shifted_error"] < 1e-3


def test_fewer_kernels_than_there_are_have_no_scores():
    assert kernel_scores(fit(KERNELS[:1]), KERNELS) == {}
    assert of_events(fit(KERNELS[:1]), TRUTH, KERNELS, [0, 1]) == {}
    none = fit(torch.zeros(0, 6), events())
    assert kernel_scores(none, KERNELS) == {}
    assert of_events(none, TRUTH, KERNELS, [0]) == of_events(none, TRUTH, None, [0]) == {}


@pytest.mark.parametrize("kernels", [KERNELS, None])
def test_true_events_are_all_found_whatever_their_kernels_are_called(kernels):
    wanted = {"hit_0": 1, "false_0": 0, "hit_2": 1, "false_2": 0, "amplitude_correlation": 1}
    for given in (fit(), fit(KERNELS.flip(0), swapped(TRUTH))):
        assert of_events(given, TRUTH, kernels, [0, 2]) == pytest.approx(wanted)


def test_names_that_disagree_with_the_kernels_are_misses():
    found = of_events(fit(KERNELS, swapped(TRUTH)), TRUTH, KERNELS, [0])
    assert found["hit_0"] < 0.2
    assert found["false_0"] == pytest.approx(1 - found["hit_0"])


def test_an_event_is_found_within_the_tolerance_and_once():
    truth = events((0, 0, 5, 1.0), (1, 0, 5, 2.0), (2, 0, 5, 3.0))
    found = events((0, 0, 6, 1.0), (1, 0, 5, 2.0), (1, 0, 7, 9.0), (2, 0, 9, 3.0))
    scores = of_events(fit(KERNELS[:1], found), truth, KERNELS[:1], [0, 1, 4])
    assert [scores[f"hit_{t}"] for t in (0, 1, 4)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [scores[f"false_{t}"] for t in (0, 1, 4)] == pytest.approx([3 / 4, 1 / 2, 1 / 4])
    assert "amplitude_correlation" not in scores, "two pairs have no correlation to speak of"


def test_events_of_a_kernel_that_is_matched_to_none_are_false():
    more = torch.cat([torch.eye(6)[2:3], KERNELS])
    renamed = TRUTH._replace(kernel=TRUTH.kernel + 1)
    extra = events(*((trial, 0, 3, 1.0) for trial in range(TRIALS)), neurons=NEURONS)
    found = Events(*(torch.cat(x) for x in zip(renamed, extra, strict=True))).ordered()
    scores = of_events(fit(more, found), TRUTH, KERNELS, [0])
    assert (scores["hit_0"], scores["false_0"]) == pytest.approx((1, 1 / 3))
    assert of_events(fit(more, found), TRUTH, None, [0]) == pytest.approx(scores)


def test_without_true_kernels_those_with_most_events_in_common_are_matched():
    truth = events((0, 0, 3, 1.0), (1, 0, 9, 1.0), (2, 0, 5, 1.0), (0, 1, 20, 1.0))
    found = events((0, 2, 3, 1.0), (1, 2, 9, 1.0), (2, 1, 5, 1.0), (0, 0, 20, 1.0))
    assert kinds(found, truth, 3, 2).tolist() == [2, 0]
    scores = of_events(fit(torch.eye(6)[:3], found), truth, None, [0])
    assert (scores["hit_0"], scores["false_0"]) == pytest.approx((3 / 4, 1 / 4))


def test_kinds_of_events_that_a_method_cannot_tell_apart_count_as_one():
    single = TRUTH._replace(kernel=torch.zeros_like(TRUTH.kernel)).ordered()
    scores = of_events(fit(KERNELS[:1], single), TRUTH, None, [0])
    assert (scores["hit_0"], scores["false_0"]) == (1, 0)


def test_nothing_found_is_nothing_false():
    scores = of_events(fit(KERNELS, events(neurons=NEURONS)), TRUTH, KERNELS, [0])
    assert scores["hit_0"] == 0
    assert math.isnan(scores["false_0"])
    assert "amplitude_correlation" not in scores


def test_amplitudes_that_are_unknown_or_all_the_same_have_no_correlation():
    for value in (math.nan, 2.0):
        blank = TRUTH._replace(amplitude=torch.full_like(TRUTH.amplitude, value))
        assert "amplitude_correlation" not in of_events(fit(), blank, KERNELS, [0])
    turned = fit(found=TRUTH._replace(amplitude=-TRUTH.amplitude))
    assert of_events(turned, TRUTH, KERNELS, [0])["amplitude_correlation"] == pytest.approx(-1)


@pytest.mark.parametrize("law", LAWS)
def test_the_true_rate_explains_everything_and_its_mean_nothing(law):
    recorded = tensors(law)
    given = task(law, recorded)
    true = given.model.mean(signal(recorded, TIMES))
    assert rate_score(fit(rate=true), recorded, given) == {"rate_r2": 1.0}
    mean = true.double().mean().expand_as(true)
    assert rate_score(fit(rate=mean), recorded, given)["rate_r2"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("lacking", ["kernels", "baseline", "event_amplitude"])
def test_a_rate_that_is_not_known_is_no_measure(lacking):
    recorded = {name: x for name, x in tensors().items() if name != lacking}
    assert rate_score(fit(), recorded, task()) == {}
    unknown = tensors() | {"event_amplitude": torch.full((2 * TRIALS, NEURONS), math.nan)}
    assert rate_score(fit(), unknown, task()) == {}


@pytest.mark.parametrize("law", LAWS)
def test_hidden_bins_are_predicted_better_by_the_truth_and_worse_by_its_opposite(law):
    recorded = tensors(law)
    given = task(law, recorded)
    hidden = torch.zeros(given.y.shape, dtype=torch.bool)
    hidden[..., ::3] = True
    model, eta = given.model, signal(recorded, TIMES).clamp_max(3.5)  # exp(3.5) < largest
    flat = recorded["baseline"].unsqueeze(-1).expand_as(eta)

    def score(mean: torch.Tensor, **changes) -> float:
        made = fit(rate=model.mean(mean))
        return held_out(made, given._replace(**changes), given.y, hidden)["held_out"]

    assert score(flat) == pytest.approx(0, abs=1e-6)
    assert score(eta) > 0 > score(2 * flat - eta)
    # In nats per hidden bin, and of nothing else.
    nll = law_of(law, **LAWS[law]).nll
    gain = (nll(flat, given.y) - nll(eta, given.y))[hidden].double().mean()
    assert score(eta) == pytest.approx(float(gain), rel=1e-4)


def test_without_a_baseline_it_is_that_of_the_bins_that_were_seen():
    given = task()
    hidden = torch.zeros(given.y.shape, dtype=torch.bool)
    hidden[..., ::3] = True
    seen = given._replace(baseline=None, y=given.y.masked_fill(hidden, math.nan))
    rate = seen.y.nanmean(-1, keepdim=True).expand_as(given.y)
    assert held_out(fit(rate=rate), seen, given.y, hidden)["held_out"] == pytest.approx(0, abs=1e-6)


def test_a_fit_explains_what_it_has_seen_of_traces_and_counts_have_no_such_score():
    given = task("gaussian")
    half = given.y.mean() + 0.5 * (given.y - given.y.mean())  # leaves a quarter of the variance
    assert trace_score(fit(rate=half), given)["explained"] == pytest.approx(0.75, abs=1e-5)
    y = given.y.clone()
    y[..., ::3], half[..., ::3] = math.nan, 1e6
    seen = given._replace(y=y)
    rest = trace_score(fit(rate=half), seen)["explained"]
    assert rest == pytest.approx(0.75, abs=0.05), "what was hidden does not count"
    assert trace_score(fit(), task("poisson")) == {}
    unknown = fit(rate=torch.full_like(given.y, math.nan))
    assert trace_score(unknown, given) == {}
    assert held_out(unknown, given, given.y, given.y > 0) == {}
