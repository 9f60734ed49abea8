"""The estimator is timed beside what it calls: the same groups, and scikit-learn's learner."""

import json
import sys

import pandas as pd
import torch

from bench import estimator
from bench.timing import simulate

MODEL = {
    "n": 20, "groups": 4, "group_size": 2, "active_groups": 1, "samples": 300,
    "amplitude": [4.0, 5.0], "snr_db": 15,
}  # fmt: skip
SETTINGS = {
    "model": MODEL, "sklearn": {"alpha": 1.0, "max_iter": 2, "batch_size": 100}, "repetitions": 2,
}  # fmt: skip


def test_every_candidate_has_seconds_memory_and_error(tmp_path, monkeypatch):
    path = tmp_path / "estimator.csv"
    given = ["--settings", json.dumps(SETTINGS), "--threads", "1", "--seed", "1"]
    monkeypatch.setattr(sys, "argv", ["estimator", *given, "--output", str(path)])
    estimator.main()
    table = pd.read_csv(path)
    counts = table.groupby(["metric", "candidate"]).size().to_dict()
    assert counts == {
        (metric, name): 2 if metric == "seconds" else 1
        for metric in ("seconds", "memory_mb", "error")
        for name in ("estimator", "library", "scikit-learn")
    }
    error = table[table.metric == "error"].set_index("candidate").value
    assert error["estimator"] < 1 < error["scikit-learn"]


def test_the_library_does_what_the_estimator_does():
    _, data = simulate(MODEL, 1)
    fits = estimator.candidates(SETTINGS, data, passes=1)
    mine, bare = torch.from_numpy(fits["estimator"]().copy()), fits["library"]()
    assert mine.shape == bare.shape
    assert float(((mine.mT @ bare).square().sum()) / 8) > 0.99, "the same span"
