"""The scripts of the recovery: where the sweep starts, and a lambda that is matched."""

import json

import pandas as pd
import pytest
import torch

from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.generative import random_dictionary
from recovery import evaluate, sweep, train

MODEL = {
    "n": 20, "groups": 4, "group_size": 2, "active_groups": 1, "samples": 30, "amplitude": [4, 5],
}  # fmt: skip


class StartedError(Exception):
    """Ends a script where its training begins."""


def test_the_sweep_starts_at_unit_atoms_as_the_experiment(monkeypatch, tmp_path):
    starts = []

    def train(autoencoder, *_, **__):
        starts.append(autoencoder.dictionary.detach().clone())
        raise StartedError

    settings = {
        "model": MODEL, "correlation": 0.56, "snr_db": [1], "lambda": [1.0], "prox": ["soft"],
        "replicates": 2, "training": {"epochs": 1},
    }  # fmt: skip
    monkeypatch.setattr(sweep, "train", train)
    options = ["--seed", "0", "--device", "cpu", "--output", str(tmp_path / "sweep.csv")]
    monkeypatch.setattr("sys.argv", ["sweep", "--sweep", json.dumps(settings), *options])
    with pytest.raises(StartedError):
        sweep.main()
    torch.testing.assert_close(starts[0].norm(dim=-2), torch.ones(2, 8))


def matched(folder, data, monkeypatch):
    """The model and scores of a method with matched lambda; ``data`` (R, N, n)."""
    count = len(data)
    groups = (torch.arange(30) % 4).repeat(count, 1)
    truth = random_dictionary(20, 8, 0).repeat(count, 1, 1)
    tensors = {
        "dictionary": truth, "init.near": truth.clone(), "data": data,
        "groups": groups.unsqueeze(-1),
        "values": torch.ones(count, 30, 1, 2), "noise_std": torch.ones(count),
    }  # fmt: skip
    save_tensors(folder / "data", tensors, model=MODEL, snr=1.0, seed=0)
    spec = {"prox": "soft", "lambda": {"matched_to": 1.0}, "encoder": "shallow", "layers": 1}
    training = {"epochs": 1, "lr": 1e-3, "batch_size": 0}
    options = ["--init", "near", "--sampling", "fixed", "--method", "m", "--device", "cpu"]
    options += ["--spec", json.dumps(spec), "--training", json.dumps(training)]
    options += ["--data", str(folder / "data"), "--history", str(folder / "history.csv")]
    monkeypatch.setattr("sys.argv", ["train", *options, "--output", str(folder / "model")])
    train.main()
    options = ["--data", str(folder / "data"), "--models", str(folder / "model")]
    monkeypatch.setattr("sys.argv", ["evaluate", *options, "--output", str(folder / "scores.csv")])
    evaluate.main()
    return load_tensors(folder / "model"), pd.read_csv(folder / "scores.csv")


def test_a_matched_lambda_does_not_depend_on_other_replicates(monkeypatch, tmp_path):
    data = torch.randn(2, 30, 20, generator=torch.Generator().manual_seed(0))
    data[1] *= 3
    (both, header), scores = matched(tmp_path, data, monkeypatch)
    (alone, _), its_scores = matched(tmp_path, data[:1], monkeypatch)
    torch.testing.assert_close(both["dictionary"][:1], alone["dictionary"])
    first = scores[scores.replicate == 0].value.tolist()
    assert first == pytest.approx(its_scores.value.tolist(), rel=1e-5, nan_ok=True)
    quiet, loud = header["spec"]["lambda"]
    assert quiet != loud
