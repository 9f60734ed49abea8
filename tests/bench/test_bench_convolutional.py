"""Training steps of the convolutional autoencoder are timed on each case and along each axis."""

import json
import sys

import pandas as pd

from bench import convolutional

CASE = {
    "trials": 2, "neurons": 2, "times": 30, "kernels": 2, "length": 5, "layers": 3, "lambda": 0.5,
    "group_lambda": 0.5,
}  # fmt: skip


def test_every_case_and_axis_has_all_candidates(tmp_path, monkeypatch):
    settings = {"cases": {"small": CASE}, "base": CASE, "axes": {"length": [3, 7]}}
    path = tmp_path / "convolutional.csv"
    given = ["--settings", json.dumps(settings | {"repetitions": 2}), "--threads", "1"]
    monkeypatch.setattr(
        sys, "argv", ["convolutional", *given, "--seed", "1", "--output", str(path)]
    )
    convolutional.main()
    table = pd.read_csv(path)
    assert set(table["case"]) == {"small", "length 3", "length 7"}
    assert set(table["candidate"]) == {"library", "plain autograd", "bare products"}
    assert len(table) == 3 * 3 * 2
    assert (table["value"] > 0).all()
