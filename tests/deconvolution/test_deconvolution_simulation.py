"""Simulations: they have the statistics of the authors' files, and do what their config says."""

import json
import math
import sys

import numpy as np
import pytest
import torch
from conftest import CONFIG, ROOT, merged
from scipy.optimize import minimize
from scipy.special import expit

from deconvolution import simulate as script
from deconvolution.conditions import KERNELS, places
from deconvolution.kernels import FORMULAS, kernels, read_kernels
from deconvolution.simulation import law_of_entry, signal, simulate
from groupsparse.artifacts import load_tensors
from groupsparse.likelihood import Binomial
from groupsparse.seeds import generator

SIMULATIONS = CONFIG["deconvolution"]["simulations"]
BASELINE = math.log(0.008 / 0.992)  # 8 Hz in bins of 1 ms
EVENTS = ("event_trial", "event_kernel", "event_time")


def shapes(entry: dict) -> torch.Tensor:
    table = KERNELS[entry["kernels"]].file
    return kernels(entry["kernels"], entry["bin_ms"], table and ROOT / table)


def drawn(name: str, replicate: int = 0, **changes) -> dict:
    entry = merged(SIMULATIONS[name], changes)
    return simulate(entry, shapes(entry), generator(1, name, replicate))


def published(trials: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Counts (N, 1, T) and events (3, E) of the authors' file."""
    with np.load(ROOT / f"data/dunl/long-{trials}.npz") as held:
        counts = torch.from_numpy(held["y"] * 25).round()
        return counts, torch.from_numpy(held["x"]).nonzero().T


def statistics(counts: torch.Tensor) -> torch.Tensor:
    """Spikes per bin, of all and of the start; shares of bins that are empty and over half full."""
    parts = counts, counts[..., :16], counts == 0, counts > 12
    return torch.stack([part.double().mean() for part in parts])


def of_the_authors_events(trials: int, replicate: int) -> torch.Tensor:
    """Counts drawn at the events of the authors' file, with amplitudes as in our config."""
    entry, (trial, kernel, time) = SIMULATIONS["long"], published(trials)[1]
    random, amplitude = generator(1, "file", replicate), entry["amplitude"]
    heights = torch.tensor(amplitude["mean"])[kernel].float()
    heights += amplitude["std"] * torch.randn(len(heights), generator=random)
    tensors = dict(zip(EVENTS, (trial, kernel, time), strict=True))
    tensors["event_amplitude"] = heights.unsqueeze(1) / 5
    tensors["baseline"] = torch.full((trials, 1), BASELINE)
    eta = signal(tensors | {"kernels": shapes(entry)}, 240)
    return Binomial(25).draw(eta, random)


def assert_one_of(value: torch.Tensor, draws: list[torch.Tensor]) -> None:
    """A value lies within four standard deviations of draws, whose mean is uncertain too."""
    found = torch.stack(draws)
    slack = 4 * math.sqrt(1 + 1 / len(found)) * found.std(0)
    assert ((value - found.mean(0)).abs() < slack).all()


@pytest.mark.parametrize("trials", [25, 50, 100])
def test_counts_given_the_authors_events_are_as_in_their_files(trials):
    draws = [statistics(of_the_authors_events(trials, i)) for i in range(20)]
    assert_one_of(statistics(published(trials)[0]), draws)


def test_draws_of_the_config_are_as_the_authors_file():
    draws = [statistics(drawn("long", i)["y"]) for i in range(10)]
    assert_one_of(statistics(published(100)[0]), draws)


def fitted(counts: torch.Tensor, events: torch.Tensor) -> torch.Tensor:
    """Amplitudes (N, 2, 3) of three events of two kernels, of largest likelihood."""
    shape, found = shapes(SIMULATIONS["long"]).double().numpy(), []
    for i, y in enumerate(counts[:, 0].double().numpy()):
        design = np.zeros((240, 6))
        for j, (_, k, t) in enumerate(events[:, events[0] == i].T.tolist()):
            design[t : t + 16, j] = shape[k]

        def value(w, y=y, design=design):
            eta = BASELINE + design @ w
            nll = (25 * np.logaddexp(0, eta) - y * eta).sum()
            return nll, design.T @ (25 * expit(eta) - y)

        found.append(minimize(value, np.full(6, 10.0), jac=True).x)
    return torch.tensor(np.array(found)).view(-1, 2, 3)


def test_amplitudes_have_the_size_and_the_spread_of_the_authors():
    counts, events = published(100)

    def spread(y: torch.Tensor) -> torch.Tensor:
        """Of both kernels: mean, standard deviation of trials' means, and within trials."""
        found = fitted(y, events)
        between, within = found.mean(2).std(0), found.var(2).mean(0).sqrt()
        return torch.cat([found.mean((0, 2)), between, within])

    theirs = spread(counts)
    assert_one_of(theirs, [spread(of_the_authors_events(100, i)) for i in range(10)])
    # 300 of each, of standard deviation 0.4 by themselves and 0.75 by their estimate.
    assert (theirs[:2] - torch.tensor([10.0, 11.0])).abs().max() < 4 * math.hypot(0.4, 0.75) / 17.3


def test_events_lie_on_the_authors_grid():
    assert [*places(SIMULATIONS["long"])] == published(100)[1][2].unique().tolist()


@pytest.mark.parametrize("name", SIMULATIONS)
def test_a_published_setting_is_drawn(name):
    entry = merged(SIMULATIONS[name], {"trials": min(SIMULATIONS[name]["trials"], 10)})
    made = drawn(name, trials=entry["trials"])
    times = entry["ms"] // entry["bin_ms"]
    assert made["y"].shape == (entry["trials"], entry["neurons"], times)
    law, options = law_of_entry(entry)
    assert (law, options) == ("binomial", {"trials": entry["bin_ms"]})
    assert Binomial(**options).valid(made["y"]).all()
    length = made["kernels"].shape[1]
    assert length == KERNELS[entry["kernels"]].ms // entry["bin_ms"]
    assert torch.allclose(made["kernels"].norm(dim=1), torch.ones(len(made["kernels"])))
    assert made["event_time"].min() >= entry.get("silent_ms", 0) / entry["bin_ms"]
    assert (
        made["event_time"].max() + length + entry.get("silent_end_ms", 0) / entry["bin_ms"] <= times
    )
    if "events" in entry:
        least, most = entry["events"]
        cells = made["event_trial"] * len(made["kernels"]) + made["event_kernel"]
        numbers = cells.bincount(minlength=entry["trials"] * len(made["kernels"]))
        assert least <= numbers.min() <= numbers.max() <= most
    eta = signal(made, times)
    expected, variance = Binomial(**options).mean(eta), Binomial(**options).bend(eta)
    assert (made["y"] - expected).sum().abs() < 4 * variance.sum().sqrt()


def test_the_signal_is_the_sum_of_kernels_at_events():
    made = drawn("short", trials=3)
    eta = made["baseline"][:, :, None].repeat(1, 1, 80)
    for i, k, t, height in zip(
        *(made[n].tolist() for n in EVENTS), made["event_amplitude"], strict=True
    ):
        eta[i, :, t : t + 16] += height[:, None] * made["kernels"][k]
    assert torch.allclose(signal(made, 80), eta, atol=1e-5)


def test_amplitudes_are_shared_as_the_config_says():
    def spread(shared: str) -> torch.Tensor:
        how = {"mean": 30, "std": 20, "shared": shared}
        made = drawn("whisker", neurons=4, trials=6, amplitude=how, shared_events=True)
        return made["event_amplitude"].view(6, 5, 4)  # five events in each trial

    assert (spread("event").std(1) > 0.1).all()
    assert spread("trial").std(1).max() < 1e-6
    assert (spread("trial")[:, 0].std(0) > 0.1).all()
    assert spread("neuron").std((0, 1)).max() < 1e-6
    assert spread("neuron")[0, 0].std() > 0.1


def test_neurons_have_their_own_events_or_the_same():
    own = drawn("long", neurons=3, trials=5)
    assert own["event_amplitude"].shape[1] == 3
    assert ((own["event_amplitude"] != 0).sum(0) == 5 * 2 * 3).all()
    shared = drawn("long", neurons=3, trials=5, shared_events=True)
    assert len(shared["event_time"]) == 5 * 2 * 3
    assert (shared["event_amplitude"] != 0).all()


def test_given_times_take_turns():
    made = drawn("dopamine")
    events = torch.stack([made[name] for name in EVENTS]).T.tolist()
    assert events[:5] == [[0, 0, 40], [0, 1, 100], [0, 2, 100], [1, 1, 40], [1, 2, 40]]


@pytest.mark.parametrize(
    ("law", "baseline", "options"),
    [("gaussian", {"baseline": {"mean": 1.0, "std": 0.0}}, {"std": 0.5}),
     ("poisson", {"rate_hz": 40.0}, {"largest": 1000.0})],
)  # fmt: skip
def test_other_laws_have_their_means(law, baseline, options):
    entry = {k: v for k, v in SIMULATIONS["long"].items() if k != "rate_hz"}
    entry |= baseline | {"law": law, "law_options": options}
    y = simulate(entry, shapes(entry), generator(1))["y"][..., :16]
    # 1600 bins without events: of standard deviation 0.5, and of one spike each.
    assert abs(y.mean() - 1) < 4 * (0.5 if law == "gaussian" else 1) / 40


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("size", [5, 25])
def test_a_formula_keeps_its_shape_in_other_bins(name, size):
    fine, coarse = kernels(name, 1), kernels(name, size)
    means = fine.view(len(fine), -1, size).mean(2)
    likeness = (means / means.norm(dim=1, keepdim=True) * coarse).sum(1)
    assert (likeness > 0.999).all()


def test_kernels_have_the_properties_of_their_names():
    waves = kernels("orthogonal", 5)
    assert torch.allclose(waves @ waves.T, torch.eye(5), atol=1e-5)
    assert (kernels("dopamine", 25) >= 0).all()
    with pytest.raises(ValueError, match="kernels-local"):
        kernels("local", 25)


@pytest.mark.parametrize(("name", "size"), [("whisker", 250), ("orthogonal", 100)])
def test_kernels_that_wide_bins_hide_are_refused(name, size):
    """A wave at its zeros, and five waves in four bins."""
    with pytest.raises(ValueError, match=f"bin_ms: .* cannot be told apart in bins of {size} ms"):
        kernels(name, size)


def test_kernels_of_a_table_are_interpolated_and_bad_tables_are_refused(tmp_path):
    table = ROOT / "data/dunl/kernels-local.csv"
    same, fine = read_kernels(table, 25), read_kernels(table, 5)
    assert same.shape == (2, 16)
    assert fine.shape == (2, 80)
    assert torch.allclose(fine[:, 2::5] / fine[:, 2::5].norm(dim=1, keepdim=True), same, atol=1e-5)
    for text in ("", "a,b\n0,1\n5,2\n", "time_ms,a\n0,1\n5,x\n", "time_ms,a\n0,1\n5,2\n7,2\n",
                 "time_ms\n0\n5\n", "time_ms,a\n0,1\n", "time_ms,a\n0\n5\n",
                 "time_ms,a\n0,1,2\n5,1,3\n", "time_ms,a,b\n0,1,0\n5,2,0\n"):  # fmt: skip
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(ValueError, match=r"bad\.csv"):
            read_kernels(tmp_path / "bad.csv", 5)


def test_the_script_saves_what_its_seed_determines(tmp_path, monkeypatch):
    def run(seed: int, replicate: int) -> tuple[dict, dict]:
        arguments = ["--name", "whisker", "--entry", json.dumps(SIMULATIONS["whisker"])]
        arguments += ["--seed", seed, "--replicate", replicate, "--output", tmp_path / "made"]
        monkeypatch.setattr(sys, "argv", ["simulate", *map(str, arguments)])
        script.main()
        return load_tensors(tmp_path / "made")

    tensors, header = run(1, 0)
    assert header["kind"] == "recording"
    assert (header["name"], header["law"], header["bin_ms"]) == ("whisker", "binomial", 5.0)
    assert (header["law_options"], header["length"]) == ({"trials": 5}, 100)
    assert torch.equal(run(1, 0)[0]["y"], tensors["y"])
    assert not torch.equal(run(1, 1)[0]["y"], tensors["y"])
    assert not torch.equal(run(2, 0)[0]["y"], tensors["y"])
