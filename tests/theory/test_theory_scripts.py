"""The scripts of the theory: learning rates along a training, and the power of the sweep."""

import json

import pandas as pd
import pytest

from theory import measure as measure_theory
from theory import sweep as sweep_theory

MODEL = {
    "n": 120, "groups": 5, "group_size": 2, "active_groups": 2, "samples": 400,
    "amplitude": [2**0.5, 2**0.5],
}  # fmt: skip


@pytest.fixture
def call(monkeypatch, tmp_path):
    """Run a script with options: what it writes, a row per point."""

    def run(script, keys, *options):
        output = tmp_path / "out.csv"
        arguments = [script.__name__, *options, "--replicates", "2", "--seed", "1"]
        monkeypatch.setattr("sys.argv", [*arguments, "--output", str(output)])
        script.main()
        return pd.read_csv(output).pivot_table(index=keys, columns="metric", values="value")

    return run


def trained(call, **training):
    spec = {
        "model": {**MODEL, "snr_db": None}, "init": {"delta": 0.08}, "lambda": 0.65,
        "training": {"epochs": 4, "optimizer": "sgd", "normalize": True, **training},
        "measure_at": [0, 1, 2, 4],
    }  # fmt: skip
    options = ("--regime", "r", "--spec", json.dumps(spec), "--samples", "300", "--device", "cpu")
    return call(measure_theory, ["epoch", "replicate"], *options)


def test_the_limit_of_every_epoch_is_the_learning_rate_after_it(call):
    table = trained(call, lr=0.5, lr_unit="limit_every_epoch")
    limits = table.step_limit.groupby("epoch").min()
    rates = table.lr.groupby("epoch").agg(["min", "max"])
    assert limits.nunique() == 4
    for end in ("min", "max"):
        # float32 sums in another order
        assert rates[end].tolist() == pytest.approx(0.5 * limits, rel=1e-6)


def test_the_limit_at_the_init_is_kept(call):
    table = trained(call, lr=0.5, lr_unit="limit")
    assert table.lr.min() == table.lr.max()
    assert table.lr.max() == pytest.approx(0.5 * table.loc[0].step_limit.min(), rel=1e-6)


def test_the_rate_in_use_moves_the_dictionary(call):
    slow, fast = (trained(call, lr=lr, lr_unit="limit_every_epoch") for lr in (0.01, 0.5))
    moved = [(t.raw.loc[4] / t.raw.loc[0]).max() for t in (slow, fast)]
    assert moved[1] < 0.8 < 0.9 < moved[0] < 1


@pytest.mark.parametrize(("optimizer", "descent"), [("sgd", 1.0), ("adam", 0.0)])
def test_only_plain_gradient_descent_is_called_so(call, optimizer, descent):
    table = trained(call, lr=1e-3, lr_unit="absolute", optimizer=optimizer)
    assert (table.gradient_descent == descent).all()
    assert (table.lr == 1e-3).all()


def test_a_training_that_diverges_is_measured_until_it_does(call):
    table = trained(call, lr=1.0, lr_unit="limit", normalize=False)
    assert (table.diverged == 1).all()
    assert table.loc[0].orthonormality_defect.max() < 1e-5
    assert table.loc[1].orthonormality_defect.min() > 1, "what broke assumption 4"


def test_the_sweep_tells_a_small_gradient_from_sampling_error(call):
    sweep = {"model": {**MODEL, "samples": 4000}, "delta": [0.0, 0.02, 0.3], "lambda": [0.5]}
    table = call(sweep_theory, ["delta", "replicate"], "--sweep", json.dumps(sweep))
    assert table.index.unique("delta").tolist() == [0.0, 0.02, 0.3]
    for delta in (0.0, 0.02, 0.3):
        # The dictionary is the one that was asked for, in float32.
        assert table.delta.loc[delta].tolist() == pytest.approx([delta] * 2, abs=1e-5)
    assert "neighbourhood" not in table
    # 1,600 samples of each group; unbalanced codes have 0.7 at delta = 0.02.
    assert table.outside_monte_carlo_error.loc[0.02].max() < 0.3
    assert table.outside_monte_carlo_error.loc[0.3].max() < 0.1
