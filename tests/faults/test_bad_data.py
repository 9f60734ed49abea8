"""Data that no method expects: scores that are numbers, or a refusal with its reason."""

import math

import numpy as np
import pytest
import torch
from faults import run_script

from clustering import evaluate as clustering_evaluate
from clustering import train as clustering_train
from evidence.tables import load_table
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.clustering import class_contrast
from groupsparse.init import initialize
from groupsparse.preprocess import preprocess
from groupsparse.thresholds import matched_threshold
from recovery import evaluate as recovery_evaluate
from recovery import train as recovery_train

SPEC = {"prox": "group_soft", "lambda": 0.2, "encoder": "fista", "layers": 3}
TRAINING = {"epochs": 2, "optimizer": "adam", "lr": 1e-3, "normalize": False, "checkpoint_every": 1}
SETTINGS = {
    "groups": 3, "group_size": 2, "unit_norm": True, "neighbors": 5,
    "training": {**TRAINING, "batch_size": 16},
}  # fmt: skip
SCORED = {"groups": 3, "neighbors": 5}
INITS = ["random", "data", "kmeans", "spectral", "pca", "class"]
REFUSED = "refused with the reason, or scored with numbers"
bad_data = pytest.mark.fault("data: NaN, infinite, constant, zero, one class, too few", REFUSED)


def images(train: int = 60, test: int = 40) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return {
        "train_data": torch.rand(train, 16, generator=random),
        "test_data": torch.rand(test, 16, generator=random),
        "train_labels": torch.arange(train) % 3,
        "test_labels": torch.arange(test) % 3,
    }


def changed(part: str, index: object, value: float, **sizes: int) -> dict[str, torch.Tensor]:
    """Images with some values of the train or the test set, or of both, replaced."""
    tensors = images(**sizes)
    for name in tensors:
        if name.endswith(part):
            tensors[name][index] = value
    return tensors


EVERYWHERE = slice(None)
VARIANTS = {
    "NaN in training": (changed("train_data", (3, 4), torch.nan), "train", "NaN or infinite.*3"),
    "infinite in training": (changed("train_data", (3, 4), torch.inf), "train", "NaN or infinite"),
    "NaN in test": (changed("test_data", (5, 4), torch.nan), "evaluate", "NaN or infinite.*5"),
    "-infinite in test": (changed("test_data", (5, 4), -torch.inf), "evaluate", "NaN or infinite"),
    "constant columns": (changed("_data", (EVERYWHERE, [2, 5, 9]), 0.5), None, None),
    "zero images": (changed("_data", slice(20), 0.0), None, None),
    "all images zero": (changed("_data", EVERYWHERE, 0.0), "train", "zeros do not count"),
    "all images the same": (changed("_data", EVERYWHERE, 0.3), None, None),
    "one class": (changed("_labels", EVERYWHERE, 0), None, None),
    "fewer samples than atoms": (images(train=5), "train", "5 samples cannot initialise 6 atoms"),
    "fewer samples than clusters": (
        {**images(test=2), "test_labels": torch.tensor([0, 2])},
        "evaluate",
        "2 samples cannot form 3 clusters",
    ),
}


@bad_data
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:.*single")
@pytest.mark.parametrize("variant", VARIANTS)
def test_bad_images_are_scored_or_refused_with_the_reason(variant, tmp_path, monkeypatch):
    tensors, where, reason = VARIANTS[variant]
    save_tensors(tmp_path / "data", tensors, dataset="digits")
    common = {"data": tmp_path / "data", "replicates": 2, "seed": 1}
    model, metrics = tmp_path / "model", tmp_path / "metrics.csv"
    trained = {
        **common, "method": "m", "inits": INITS, "spec": SPEC, "settings": SETTINGS,
        "device": "cpu", "output": model, "history": tmp_path / "history.csv",
    }  # fmt: skip
    evaluated = {**common, "model": model, "settings": SCORED, "output": metrics}
    if where == "train":
        with pytest.raises((ValueError, FloatingPointError), match=reason):
            run_script(clustering_train, monkeypatch, **trained)
        assert not model.exists()
        return
    run_script(clustering_train, monkeypatch, **trained)
    assert all(t.isfinite().all() for t in load_tensors(model)[0].values())
    if where == "evaluate":
        with pytest.raises(ValueError, match=reason):
            run_script(clustering_evaluate, monkeypatch, **evaluated)
        assert not metrics.exists()
        return
    run_script(clustering_evaluate, monkeypatch, **evaluated)
    table = load_table(metrics)
    # The contrast of classes needs two of them, and samples that differ.
    assert table[table.metric != "class_contrast"].value.notna().all()
    assert set(table.init) == set(INITS)


def simulation(value: float | None) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    data = torch.randn(2, 30, 8, generator=random)
    if value is not None:
        data[1, 3, 4] = value
    dictionary = torch.nn.functional.normalize(torch.randn(2, 8, 6, generator=random), dim=1)
    return {
        "dictionary": dictionary, "init.near": dictionary + 0.1, "data": data,
        "groups": torch.zeros(2, 30, 1, dtype=torch.int64), "values": torch.ones(2, 30, 1, 2),
        "noise_std": torch.zeros(2),
    }  # fmt: skip


MODEL = {
    "n": 8, "groups": 3, "group_size": 2, "active_groups": 1, "samples": 30, "amplitude": [1, 2],
}  # fmt: skip


@bad_data
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize(
    "spec", [{"prox": "soft", "lambda": 0.1}, {"prox": "soft", "lambda": {"matched_to": 1.0}}]
)
def test_simulated_data_that_are_not_finite_are_refused(value, spec, tmp_path, monkeypatch):
    header = {"model": MODEL, "snr": 5.0, "seed": 1}
    train = {
        "data": tmp_path / "data", "init": "near", "sampling": "fixed", "method": "m", "spec": spec,
        "training": {**TRAINING, "batch_size": 0}, "device": "cpu", "output": tmp_path / "model",
        "history": tmp_path / "history.csv",
    }  # fmt: skip
    save_tensors(tmp_path / "data", simulation(value), **header)
    with pytest.raises((ValueError, RuntimeError), match="finite"):
        run_script(recovery_train, monkeypatch, **train)
    assert not (tmp_path / "model").exists()
    save_tensors(tmp_path / "data", simulation(None), **header)
    run_script(recovery_train, monkeypatch, **train)
    save_tensors(tmp_path / "data", simulation(value), **header)
    metrics = tmp_path / "metrics.csv"
    evaluate = {"data": tmp_path / "data", "models": [tmp_path / "model"], "output": metrics}
    with pytest.raises(ValueError, match=r"1 samples have NaN or infinite values, the first \[3\]"):
        run_script(recovery_evaluate, monkeypatch, **evaluate)
    assert not metrics.exists()


@bad_data
@pytest.mark.parametrize("name", INITS)
@pytest.mark.parametrize("value", [torch.nan, -torch.inf])
def test_no_init_takes_data_that_are_not_finite(name, value):
    data = changed("train_data", (7, 0), value)["train_data"]
    with pytest.raises(ValueError, match="1 samples have NaN or infinite values, the first"):
        initialize(name, data, 3, 2, 0, torch.arange(60) % 3)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_preprocessing_names_the_samples_that_are_not_finite(value):
    good, bad = images()["train_data"], changed("test_data", ([5, 9], 0), value)["test_data"]
    with pytest.raises(ValueError, match=r"2 samples have NaN or infinite .*\[5, 9\]"):
        preprocess(good, bad, center=True, unit_norm=True)


@pytest.mark.parametrize("std", [0.0, float("nan"), float("inf")])
def test_no_threshold_is_matched_to_data_without_scale(std):
    with pytest.raises(ValueError, match="positive and finite"):
        matched_threshold(1.0, 2, std)


def test_the_contrast_of_one_class_is_not_a_number():
    assert math.isnan(class_contrast(images()["test_data"].numpy(), np.zeros(40)))
