"""The scripts of the recovery: where the sweep starts."""

import json

import pytest
import torch

from recovery import sweep

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
