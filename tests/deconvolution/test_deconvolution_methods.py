"""Every method on a small recording: one contract, and what each of them may see."""

import json
import math
import sys

import pytest
import torch
from small_recording import KERNELS, LAWS, NEURONS, SEARCH, TIMES, TRIALS, task, tensors

from deconvolution import measure
from deconvolution.conditions import CHANCE, PEER, SMOOTH
from deconvolution.measure import as_tensors, hidden_entries
from deconvolution.methods import METHODS, WIDTHS, apart, filtered, learn, smoothed, together
from deconvolution.results import wide
from evidence.tables import load_table
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.detection import event_scores, kernel_errors
from groupsparse.seeds import derive_seed

NETWORK = {"lambda": 0.1, "layers": 5, "epochs": 2, "lr": 0.01, "batch_size": 8}
SPECS = {kind: {"kind": kind} for kind in METHODS} | {
    "peer": {"kind": "peer", "peer": "averages"},
    "network": {"kind": "network"} | NETWORK,
    "apart": {"kind": "search", "apart": True},
    "gaussian": {"kind": "search", "law": "gaussian"},
    "assumed": {"kind": "search", "assumed": 3},
    "chance of three": {"kind": "chance", "assumed": 3},
    "network of one": {"kind": "network", "assumed": 1} | NETWORK,
}
COUNTS = {"smooth": 0, "assumed": 3, "chance of three": 3, "network of one": 1}


def holes(share: float = 0.2) -> torch.Tensor:
    return hidden_entries(tensors()["y"], share, 5)


@pytest.mark.parametrize(
    ("name", "law"),
    [*((name, "binomial") for name in SPECS), *((kind, "gaussian") for kind in METHODS),
     *((kind, "poisson") for kind in METHODS)],
)  # fmt: skip
def test_a_method_gives_kernels_events_and_a_rate(name, law):
    given = task(law)
    fit = learn(given._replace(y=given.y.masked_fill(holes(), math.nan)), SPECS[name], SEARCH)
    assert fit.kernels.shape == (COUNTS.get(name, 2), 6)
    assert torch.allclose(fit.kernels.norm(dim=1), torch.ones(len(fit.kernels)), atol=1e-5)
    assert fit.rate.shape == (TRIALS, NEURONS, TIMES)
    assert fit.rate.isnan().all() if name == PEER else fit.rate.isfinite().all()
    events, single = fit.events, name == "apart"
    limits = TRIALS * NEURONS if single else TRIALS, max(len(fit.kernels), 1), TIMES - 6 + 1
    for values, limit in zip(events[:3], limits, strict=True):
        assert ((values >= 0) & (values < limit)).all()
    assert events.amplitude.shape == (events.size, 1 if single else NEURONS)
    per_trial = torch.bincount(events.trial, minlength=limits[0])
    most = math.ceil(given.most / max(len(fit.kernels), 1)) * max(len(fit.kernels), 1)
    assert int(per_trial.max()) <= (0 if name == SMOOTH else most)
    assert as_tensors(fit)["rate"].shape == (4, NEURONS, TIMES)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_gives_the_same_twice_and_keeps_its_task(name):
    given = task()
    y = given.y.clone()
    fits = [learn(given, SPECS[name], SEARCH) for _ in range(2)]
    assert torch.equal(given.y, y)
    for one, other in zip(*([*f.events, f.kernels, f.rate] for f in fits), strict=True):
        assert torch.equal(one.nan_to_num(), other.nan_to_num())


@pytest.mark.parametrize("kind", ["search", "smooth"])
def test_what_is_hidden_changes_nothing_but_the_score(kind, tmp_path, monkeypatch):
    """Every value that a seed hides is another one in the second recording."""
    recorded, found, scores = tensors(), [], []
    del recorded["baseline"]  # which is then that of what was seen
    seed = derive_seed(1, "deconvolution", "mine", 0)
    hidden = hidden_entries(recorded["y"], 0.2, seed)
    for name, y in (("as", recorded["y"]), ("other", 20 - recorded["y"])):
        file, table, learnt = (str(tmp_path / f"{name}.{end}") for end in ("data", "csv", "learnt"))
        y = torch.where(hidden, y, recorded["y"])
        save_tensors(file, recorded | {"y": y}, law="binomial", law_options=LAWS["binomial"],
                     length=6)  # fmt: skip
        monkeypatch.setattr(sys, "argv", [
            "measure", "--data", file, "--name", "mine", "--method", "hidden", "--spec",
            json.dumps({"kind": kind, "hidden": 0.2}), "--search", json.dumps(SEARCH), "--told",
            json.dumps({"spacing": 1, "most": 2, "count": 1}), "--tolerances", "0", "1",
            "--replicates", "1", "--seed", "1", "--threads", "1", "--learnt", learnt,
            "--output", table,
        ])  # fmt: skip
        measure.main()
        found.append(load_tensors(learnt)[0])
        scores.append(wide(load_table(table)))
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())
    assert scores[0].held_out.item() != scores[1].held_out.item()
    same = [name for name in scores[0] if name not in ("held_out", "seconds")]
    assert scores[0][same].equals(scores[1][same])


def test_the_share_of_hidden_entries_is_what_was_asked_and_the_same_for_all_methods():
    y = tensors()["y"].clone()
    y[0] = math.nan
    hidden = hidden_entries(y, 0.2, 5)
    assert not hidden[0].any(), "what was not observed is not hidden"
    assert abs(float(hidden[1:].double().mean()) - 0.2) < 0.05
    assert torch.equal(hidden, hidden_entries(y, 0.2, 5))
    assert not torch.equal(hidden, hidden_entries(y, 0.2, 6))
    assert not hidden_entries(y, 0.0, 5).any()


def test_the_search_learns_the_kernels_and_so_do_known_times():
    given = task()
    for name in ("known_times", "search"):
        fit = learn(given, {"kind": name}, SEARCH | {"sweeps": 20, "starts": 2})
        # A kernel that ends in zeros can begin earlier.
        assert kernel_errors(fit.kernels, KERNELS, lags=1).errors.max() < 0.15, name
    fit = learn(given, {"kind": "known_kernels"}, SEARCH | {"sweeps": 20})
    assert torch.allclose(fit.kernels, KERNELS)
    assert event_scores(fit.events, given.events, 1)["hit_rate"] > 0.9


def test_known_times_keep_the_times_and_need_some():
    given = task()
    fit = learn(given, {"kind": "known_times"}, SEARCH)
    assert all(torch.equal(x, y) for x, y in zip(fit.events[:3], given.events[:3], strict=True))
    with pytest.raises(ValueError, match="the recording has no events"):
        learn(given._replace(events=None), {"kind": "known_times"}, SEARCH)
    with pytest.raises(ValueError, match="the recording has no kernels"):
        learn(given._replace(kernels=None), {"kind": "known_kernels"}, SEARCH)


def test_only_where_numbers_of_events_differ_does_an_event_cost_something():
    assert task().penalty is None
    recorded = tensors()
    fewer = {name: x[1:] if name.startswith("event") else x for name, x in recorded.items()}
    given = task(recorded=fewer)
    assert (given.most, given.exact) == (2, False)
    assert given.penalty == pytest.approx(math.log(2 * (TIMES - 6 + 1)))


def test_without_events_a_task_has_what_it_is_told():
    recorded = {"y": tensors()["y"]}
    given = task(recorded=recorded)
    assert (given.most, given.exact, given.count, given.baseline) == (2, False, 1, None)
    assert learn(given, {"kind": "search"}, SEARCH).kernels.shape == (1, 6)
    assert task(recorded=recorded, told={"count": 3}).count == 3
    assert task(told={"count": 3}).count == 2, "true kernels say how many there are"


def test_the_gaussian_search_takes_counts_for_traces():
    given = task()
    std = float(given.y.std())
    mean = given.model.mean(given.baseline)
    traces = given._replace(law="gaussian", law_options={"std": std}, baseline=mean)
    found, wanted = (
        learn(t, s, SEARCH) for t, s in ((given, SPECS["gaussian"]), (traces, SPECS["search"]))
    )
    assert torch.equal(found.kernels, wanted.kernels)
    assert torch.equal(found.rate, wanted.rate)


def test_neurons_apart_are_trials_of_their_own():
    given = task()
    single = apart(given)
    assert single.y.shape == (TRIALS * NEURONS, 1, TIMES)
    assert single.baseline.shape == (TRIALS * NEURONS, 1)
    assert torch.equal(single.y[NEURONS * 3 + 1, 0], given.y[3, 1])
    assert single.events.size == given.events.size * NEURONS
    events, own = given.events, single.events
    for row in range(0, own.size, 7):
        trial, neuron = divmod(int(own.trial[row]), NEURONS)
        same = (events.trial == trial) & (events.time == own.time[row])
        same &= events.kernel == own.kernel[row]
        assert own.amplitude[row, 0] == events.amplitude[same, neuron][0]


def test_neurons_apart_have_the_events_in_which_they_have_a_part():
    recorded = tensors()
    recorded["event_amplitude"][::2, 1] = 0  # the first kernel is of the first neuron alone
    single = apart(task(recorded=recorded))
    assert torch.bincount(single.events.trial).tolist() == [2, 1] * TRIALS
    assert (single.most, single.exact) == (2, False)
    assert (apart(task()).most, apart(task()).exact) == (2, True)
    unknown = task(recorded=recorded | {"event_amplitude": torch.full((2 * TRIALS, 2), math.nan)})
    assert apart(unknown).events.size == 4 * TRIALS


def test_neurons_apart_without_a_truth_stay_without_and_come_together_again():
    given = task()._replace(events=None, baseline=None)
    single = apart(given)
    assert single.events is single.baseline is None
    fit = learn(single, {"kind": "search"}, SEARCH)
    back = together(fit, NEURONS)
    assert back.rate.shape == given.y.shape
    assert torch.equal(back.rate[3, 1], fit.rate[NEURONS * 3 + 1, 0])
    assert back.events is fit.events


def test_one_neuron_is_the_same_apart():
    given = task(recorded=tensors(neurons=1))
    one, other = (learn(given, SPECS[name], SEARCH) for name in ("search", "apart"))
    assert torch.equal(one.kernels, other.kernels)
    assert torch.equal(one.rate, other.rate)


def wave(period: float) -> torch.Tensor:
    """Counts (8, 1, 400) of a rate that goes up and down."""
    times = torch.arange(400)
    p = (0.5 + 0.45 * torch.sin(2 * math.pi * times / period)).expand(8, 1, -1).contiguous()
    return torch.binomial(torch.full_like(p, 20.0), p, generator=torch.Generator().manual_seed(0))


def test_smoothing_is_wider_where_the_rate_is_slower():
    mean = []
    for period in (12, 200):
        y = wave(period)
        rate = smoothed(task(y=y), {}, {}).rate
        true = 20 * (0.5 + 0.45 * torch.sin(2 * math.pi * torch.arange(400) / period))
        error = (rate - true)[..., 20:-20].square().mean()
        assert error < 0.5 * (y.mean() - true).square().mean()
        mean.append(float(rate.diff().square().mean()))
    assert mean[1] < 0.05 * mean[0]
    noise = torch.binomial(
        torch.full((8, 1, 400), 20.0), torch.full((8, 1, 400), 0.5),
        generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    flat = smoothed(task(y=noise), {}, {}).rate
    assert flat.std() < 0.3, "of a constant rate the widest smoothing is best"


def test_a_smoothed_bin_is_predicted_from_the_others_alone():
    y = wave(50)
    changed = y.clone()
    changed[3, 0, 200] = 0 if y[3, 0, 200] > 10 else 20
    rates = [smoothed(task(y=x), {}, {}).rate for x in (y, changed)]
    # The mean of the neuron counts for a tenth of a bin.
    assert abs(float(rates[0][3, 0, 200] - rates[1][3, 0, 200])) < 0.01
    assert abs(float(rates[0][3, 0, 201] - rates[1][3, 0, 201])) > 0.5


def test_a_smoothed_rate_ignores_bins_that_were_not_observed():
    y = wave(50)
    y[:, :, 100:105] = math.nan
    rate = smoothed(task(y=y), {}, {}).rate
    true = 20 * (0.5 + 0.45 * torch.sin(2 * math.pi * torch.arange(400) / 50))
    assert (rate - true)[..., 100:105].abs().max() < 5
    assert rate.isfinite().all()


def test_weights_are_of_lags_before_and_after():
    x = torch.zeros(1, 1, 9)
    x[0, 0, 4] = 1
    weights = torch.exp(-0.5 * torch.arange(-8, 9).square())
    assert torch.allclose(filtered(x, weights)[0, 0], weights[4:13])
    assert list(WIDTHS) == sorted(WIDTHS)


def test_the_events_of_chance_do_not_depend_on_the_data():
    given = task()
    order = torch.randperm(TRIALS, generator=torch.Generator().manual_seed(3))
    fits = [learn(given._replace(y=y), {"kind": CHANCE}, {}) for y in (given.y, given.y[order])]
    for one, other in zip(fits[0].events, fits[1].events, strict=True):
        assert torch.equal(one, other)
    assert fits[0].events.size == given.most * TRIALS
    again = learn(given._replace(seed=1), {"kind": CHANCE}, {})
    assert not torch.equal(again.events.time, fits[0].events.time)
    assert torch.allclose(fits[0].rate[5], given.y.mean((0, 2), keepdim=True)[0].expand(-1, TIMES))
