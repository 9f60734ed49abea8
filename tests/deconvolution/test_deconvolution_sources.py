"""Recordings from every source: what is read, and what is refused in one line."""

import json
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from conftest import CONFIG, ROOT

from deconvolution import prepare as script
from deconvolution.sources import packaged, prepare, windows
from deconvolution.traces import detrended, noise
from groupsparse.artifacts import load_tensors
from groupsparse.likelihood import law_of

RECORDINGS = CONFIG["deconvolution"]["recordings"]
MINE = {
    "file": "mine.npz",
    "law": "binomial",
    "law_options": {"trials": 5},
    "bin_ms": 5,
    "length": 4,
}
GENERATOR = np.random.default_rng(0)
GOOD = {
    "y": GENERATOR.integers(0, 6, (3, 2, 20)).astype(float),
    "baseline": np.zeros((3, 2)),
    "event_trial": np.array([0, 2]),
    "event_kernel": np.array([0, 1]),
    "event_time": np.array([16, 0]),
    "kernels": np.ones((2, 4)),
    "event_amplitude": np.array([[1.0, 2.0], [3.0, np.nan]]),
}
needs = {
    package: pytest.mark.skipif(find_spec(package) is None, reason=f"{package} is not installed")
    for package in ("nitime", "pywt")
}


def read(recording: str, **changes) -> tuple[dict, dict]:
    """A recording of the default config."""
    entry = RECORDINGS[recording] | changes
    return prepare(
        entry, *(entry.get(key) and str(ROOT / entry[key]) for key in ("file", "kernels"))
    )


@pytest.fixture
def mine(tmp_path):
    """Prepare a file of a user, with changes of its arrays (None: without) and of its entry."""

    def run(entry: dict | None = None, **changes):
        arrays = {name: x for name, x in (GOOD | changes).items() if x is not None}
        np.savez(tmp_path / "mine.npz", **arrays)
        return prepare(MINE | (entry or {}), str(tmp_path / "mine.npz"))

    return run


def changed(index: tuple, value: float) -> np.ndarray:
    y = GOOD["y"].copy()
    y[index] = value
    return y


@pytest.mark.parametrize("trials", [25, 50, 100])
def test_the_authors_files_are_counts_with_events_and_kernels(trials):
    tensors, header = read(f"dunl_{trials}")
    assert tensors["y"].shape == (trials, 1, 240)
    assert law_of(header["law"], **header["law_options"]).valid(tensors["y"]).all()
    with np.load(ROOT / f"data/dunl/long-{trials}.npz") as held:
        raster, given = held["raster"], held["a"]
    spikes = torch.from_numpy(raster.reshape(trials, 1, 240, 25).sum(3))
    assert torch.equal(tensors["y"], spikes.float())
    assert torch.equal(tensors["event_trial"].bincount(), torch.full((trials,), 6))
    assert tensors["event_amplitude"].isnan().all()
    assert tensors["kernels"].shape == (2, 16)
    rate = 1000 * torch.sigmoid(tensors["baseline"])
    assert rate.unique().numel() == 1
    # About 8 Hz: a count of that mean in 0.4 s of every trial.
    assert abs(rate[0, 0] - 8) < 4 * np.sqrt(8 / (0.4 * trials))
    entry = {k: v for k, v in RECORDINGS[f"dunl_{trials}"].items() if k != "silent_ms"}
    own, _ = prepare(entry, str(ROOT / entry["file"]))
    assert torch.equal(own["baseline"], torch.from_numpy(given[:, :, 0]))
    assert "kernels" not in own


@needs["nitime"]
def test_bold_is_twelve_runs_of_six_kinds_of_events():
    tensors, header = read("bold")
    assert tensors["y"].shape == (12, 1, 280)
    cells = tensors["event_trial"] * 6 + tensors["event_kernel"]
    assert torch.equal(cells.bincount(), torch.full((72,), 8))
    assert header["law"] == "gaussian"
    assert abs(1.4826 * tensors["y"].abs().median() - 1) < 0.05
    assert [note.split()[0] for note in header["source"]["notes"][1:]] == ["minus", "divided"]
    assert not torch.equal(read("bold", noise="differences")[0]["y"], tensors["y"])


@needs["nitime"]
def test_spikes_of_the_receptor_are_counted_in_bins_and_cut_into_trials():
    tensors, _ = read("receptor")
    assert tensors["y"].shape == (10, 1, 250)
    assert tensors["y"].sum() == 929
    coarse = {"bin_ms": 20, "length": 2, "law": "poisson", "law_options": {"largest": 5.0}}
    fives, header = read("receptor", **coarse)
    assert torch.equal(fives["y"], tensors["y"].view(10, 1, 50, 5).sum(3))
    assert header["law_options"] == {"largest": 5.0}
    fast, _ = prepare(RECORDINGS["receptor"] | {"name": "receptor_fast"})
    assert fast["y"].sum() == 868


@needs["pywt"]
def test_the_electrocardiogram_is_flat_between_its_beats():
    tensors, header = read("ecg")
    assert tensors["y"].shape == (1, 1, 1024)
    assert abs(1.4826 * (tensors["y"] - tensors["y"].median()).abs().median() - 1) < 1e-3
    assert tensors["y"].median().abs() < 1
    assert "assumed" in header["source"]["notes"][0]
    (peak, *_) = tensors["y"][0, 0].topk(1).indices.tolist()
    assert peak in (190, 518, 848)


def test_a_package_that_is_missing_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr("deconvolution.sources.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"PyWavelets with its file .* pip install PyWavelets"):
        packaged("pywt", "ecg.npz")


def test_a_users_file_is_read_with_its_events_and_unit_kernels(mine):
    tensors, header = mine()
    assert tensors.keys() == GOOD.keys()
    assert torch.equal(tensors["y"], torch.from_numpy(GOOD["y"]).float())
    assert {t.dtype for t in tensors.values()} == {torch.float32, torch.int64}
    assert torch.allclose(tensors["kernels"], torch.full((2, 4), 0.5))
    # What they put into the signal stays the same.
    expected = torch.tensor([[2.0, 4.0], [6.0, torch.nan]])
    assert torch.allclose(tensors["event_amplitude"], expected, equal_nan=True)
    assert header["source"]["notes"] == ["file mine.npz"]


def test_all_but_y_may_be_missing_and_unobserved_entries_are_kept(mine):
    nothing = dict.fromkeys(GOOD.keys() - {"y"})
    tensors, _ = mine(y=changed((0, 1, slice(3, 6)), np.nan), **nothing)
    assert tensors.keys() == {"y"}
    assert tensors["y"].isnan().sum() == 3
    tensors, _ = mine({"silent_ms": 10}, y=changed((0, 0, slice(3, 6)), np.nan), **nothing)
    start = np.nanmean(GOOD["y"][:, :, :2], (0, 2)) / 5
    assert torch.allclose(torch.sigmoid(tensors["baseline"][2]), torch.from_numpy(start).float())


TRACES = {"law": "gaussian", "law_options": {}}


@pytest.mark.parametrize(
    ("entry", "changes", "reason"),
    [
        ({}, {"y": None}, "y is missing: save"),
        ({}, {"y": GOOD["y"][0]}, r"three axes, trials x neurons x time"),
        ({}, {"y": GOOD["y"][:0]}, "empty"),
        ({}, {"y": GOOD["y"].astype(str)}, "no numbers"),
        ({}, {"y": np.full((3, 2, 20), np.nan)}, "NaN everywhere"),
        ({}, {"y": changed((slice(None), 1), np.nan)}, "neuron 1 is NaN in all trials"),
        ({}, {"y": changed((1, 0, 7), np.inf)}, "trial 1, neuron 0, time 7 is infinite"),
        ({}, {"y": changed((1, 0, 7), -1)}, r"trial 1, neuron 0, time 7 is negative.*gaussian"),
        ({}, {"y": changed((2, 1, 19), 0.5)}, r"time 19 is no whole number.*: 0.5 \(1 such"),
        ({}, {"y": changed((0, 0, slice(0, 3)), 6)}, r"more than the 5 trials.*6 \(3 such.*raise"),
        ({"length": 21}, {}, "kernels of 21 bins do not fit trials of 20"),
        ({"length": 5}, {}, r"kernels have shape \(2, 4\): they must be \(K, 5\)"),
        ({}, {"kernels": np.zeros((2, 4))}, "none of them zero"),
        ({}, {"baseline": np.zeros(2)}, r"baseline has shape \(2,\): it must be \(3, 2\)"),
        ({}, {"baseline": np.full((3, 2), np.nan)}, "baseline is not finite"),
        ({}, {"event_time": None}, "events need all of"),
        ({}, {"event_time": np.array([17, 0])}, "event_time of event 0 is 17, outside 0 to 16"),
        ({}, {"event_time": np.array([16, -1])}, "event_time of event 1 is -1"),
        ({}, {"event_time": np.array([1.5, 0])}, "whole numbers"),
        ({}, {"event_time": np.array([0])}, r"event_time has shape \(1,\)"),
        ({}, {"event_trial": np.array([0, 3])}, "event_trial of event 1 is 3, outside 0 to 2"),
        ({}, {"event_kernel": np.array([0, 2])}, "event_kernel of event 1 is 2, outside 0 to 1"),
        ({}, {"event_kernel": np.array([0, -2]), "kernels": None}, "outside 0 or more"),
        ({}, {"event_amplitude": np.ones(2)}, r"event_amplitude has shape \(2,\)"),
        ({}, {"event_amplitude": np.full((2, 2), np.inf)}, "write NaN"),
        ({}, dict.fromkeys(("event_trial", "event_kernel", "event_time")), "without events"),
        ({}, dict.fromkeys(("event_trial", "event_kernel", "event_time"), np.zeros(0)),
         "there is no event: leave out event_trial"),
        ({}, {"event_trial": np.zeros(2), "event_kernel": np.zeros(2), "event_time": np.ones(2)},
         "same trial, kernel and time"),
        ({}, {"basline": np.zeros((3, 2))}, r"\['basline'\] is none of its keys"),
        ({}, {"y": np.array([{}])}, "nothing is unpickled"),
        ({"format": "dunl"}, {}, "no file of format dunl"),
        ({"law_options": {"trials": 2.5}}, {}, "trials"),
        ({"silent_ms": 5}, {"y": changed((slice(None), 0, 0), np.nan)}, "silent_ms"),
        ({"silent_ms": 100}, {}, "silent_ms: 20 bins are all of a trial, which has 20"),
        (TRACES | {"noise": "spread"}, {"y": np.ones((3, 2, 20))}, "neuron 0 is not above 0"),
        (TRACES | {"trial_ms": 20}, {}, "cuts one trial into some of 4 bins, but there are 3"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_in_one_line(mine, entry, changes, reason):
    with pytest.raises(ValueError, match=reason) as refused:
        mine(entry, **changes)
    assert "\n" not in str(refused.value)


def test_what_is_no_npz_file_is_refused_in_one_line(tmp_path):
    np.save(tmp_path / "array.npy", GOOD["y"])
    np.save(tmp_path / "pickled.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "text.npz").write_text("y")
    (tmp_path / "empty.npz").write_bytes(b"")
    np.savez(tmp_path / "whole.npz", **GOOD)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:300])
    for name in ("array.npy", "pickled.npy", "text.npz", "empty.npz", "cut.npz", ""):
        with pytest.raises(ValueError, match=r"no \.npz file of plain arrays") as refused:
            prepare(MINE, str(tmp_path / name) + "/" * (not name))
        assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match=r"there is no file none\.npz"):
        prepare(MINE, "none.npz")


def test_the_script_saves_an_artefact_or_says_what_is_wrong(tmp_path, monkeypatch):
    np.savez(tmp_path / "mine.npz", **GOOD)

    def run(entry: dict) -> None:
        arguments = [
            "--name",
            "mine",
            "--entry",
            json.dumps(entry),
            "--file",
            tmp_path / "mine.npz",
        ]
        arguments += ["--output", tmp_path / "made"]
        monkeypatch.setattr(sys, "argv", ["prepare", *map(str, arguments)])
        script.main()

    run(MINE)
    tensors, header = load_tensors(tmp_path / "made")
    assert tensors.keys() == GOOD.keys()
    assert (header["kind"], header["name"], header["law"]) == ("recording", "mine", "binomial")
    assert (header["law_options"], header["bin_ms"], header["length"]) == ({"trials": 5}, 5.0, 4)
    with pytest.raises(SystemExit) as stopped:
        run(MINE | {"length": 30})
    assert str(stopped.value).startswith("deconvolution.recordings.mine: kernels of 30 bins")


def test_traces_lose_their_drift_and_keep_events():
    times = np.arange(400)
    trace = 0.1 * times + 5 * (times % 100 == 50)
    flat = detrended(trace[None, None], 20)[0, 0]
    assert abs(flat[[50, 150, 250, 350]] - 5).max() < 0.2
    assert np.median(np.abs(flat)) < 0.1
    gap = np.where(times == 7, np.nan, trace)
    assert np.isnan(detrended(gap[None, None], 20)).sum() == 1


def test_both_estimates_of_noise_find_that_of_white_noise():
    y = np.random.default_rng(1).standard_normal((4, 2, 5000)) * np.array([1.0, 3.0])[:, None]
    y[:, :, ::100] += 50  # rare events
    y[0, 0, :9] = np.nan
    for kind in ("spread", "differences"):
        # A median absolute deviation has 0.37 the efficiency of the standard deviation.
        slack = 4 * np.sqrt(1 / 0.37 / 2 / 20000)
        assert (abs(noise(y, kind) / [1, 3] - 1) < slack + 0.02).all()  # events raise it a little


def test_windows_keep_the_order_of_time():
    y = np.arange(22).reshape(1, 2, 11)
    assert windows(y, 5).tolist() == [[[0, 1, 2, 3, 4], [11, 12, 13, 14, 15]],
                                      [[5, 6, 7, 8, 9], [16, 17, 18, 19, 20]]]  # fmt: skip
