"""The scripts of the theory: learning rates along a training, and the power of the sweep."""

import json

import pandas as pd
import pytest
import torch

from groupsparse.artifacts import load_tensors
from theory import measure as measure_theory
from theory import sweep as sweep_theory
from theory.problem import draw

MODEL = {
    "n": 120, "groups": 5, "group_size": 2, "active_groups": 2, "samples": 400,
    "amplitude": [2**0.5, 2**0.5],
}  # fmt: skip


@pytest.fixture
def call(monkeypatch, tmp_path):
    """Run a script with options: what it writes, a row per point."""

    def run(script, keys, *options, replicates=2):
        output = tmp_path / "out.csv"
        arguments = [script.__name__, *options, "--replicates", str(replicates), "--seed", "1"]
        arguments += ["--dictionaries", str(tmp_path / "out.safetensors")]
        monkeypatch.setattr("sys.argv", [*arguments, "--output", str(output)])
        script.main()
        return pd.read_csv(output).pivot_table(index=keys, columns="metric", values="value")

    return run


def trained(call, replicates=2, **training):
    spec = {
        "model": {**MODEL, "snr_db": None}, "init": {"delta": 0.08}, "lambda": 0.65,
        "training": {"epochs": 4, "optimizer": "sgd", "normalize": True, **training},
        "measure_at": [0, 1, 2, 4],
    }  # fmt: skip
    options = ("--regime", "r", "--spec", json.dumps(spec), "--samples", "300", "--device", "cpu")
    return call(measure_theory, ["epoch", "replicate"], *options, replicates=replicates)


def test_the_limit_of_every_epoch_is_the_learning_rate_after_it(call):
    table = trained(call, lr=0.5, lr_unit="limit_every_epoch")
    assert table.step_limit.nunique() == 8
    # float32 sums in another order
    assert table.lr.tolist() == pytest.approx((0.5 * table.step_limit).tolist(), rel=1e-6)


def test_the_limit_at_the_init_is_kept(call):
    table = trained(call, lr=0.5, lr_unit="limit")
    rates, limits = table.lr.groupby("replicate"), table.step_limit.loc[0]
    assert rates.min().tolist() == rates.max().tolist()
    assert rates.max().tolist() == pytest.approx((0.5 * limits).tolist(), rel=1e-6)


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


def test_a_replicate_does_not_depend_on_the_others(call):
    # Two replicates have two largest steps; one of them may diverge alone.
    both = trained(call, lr=1.0, lr_unit="limit", normalize=False)
    alone = trained(call, replicates=1, lr=1.0, lr_unit="limit", normalize=False)
    pd.testing.assert_frame_equal(both.xs(0, level="replicate"), alone.xs(0, level="replicate"))
    assert both.loc[0].lr.nunique() == 2


def test_the_artefact_has_the_last_dictionary_of_every_replicate(call, tmp_path):
    table = trained(call, lr=0.5, lr_unit="limit")
    tensors, header = load_tensors(tmp_path / "out.safetensors")
    assert header["kind"] == "theory"
    for r, dictionary in enumerate(tensors["dictionary"]):
        truth = draw(header["spec"], 1, (1, "theory", r)).truth
        raw = float((dictionary - truth).square().sum())
        assert raw == pytest.approx(table.raw.loc[4, r], rel=1e-5)  # float32 sums


def test_an_init_of_a_given_correlation_has_unit_atoms_as_in_experiment_1():
    model = {**MODEL, "snr_db": 1}
    start = draw({"model": model, "init": {"correlation": 0.56}}, 10, (0,)).init
    torch.testing.assert_close(start.norm(dim=0), torch.ones(10))
