"""The training script: what it writes, from start to scores, and that it resumes exactly."""

import json
import sys

import pytest
import torch

from evidence.tables import load_table
from groupsparse import training
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.autoencoder import Autoencoder
from mixtures import methods, start, train

SETTINGS = {
    "shape": [8, 8], "clusters": 3, "atoms": 4, "lambda": 0.1, "layers": 5, "scales": 2,
    "components": 8, "sample": 60, "dimension": 2, "passes": 5, "replicates": 2,
    "training": {"epochs": 3, "lr": 1.0e-2, "batch_size": 20},
}  # fmt: skip
MIXTURE = {"kind": "mixture", "prox": "soft", "objective": "expected", "weight": 1.0}
METHODS = {
    "mixture": MIXTURE,
    "autoencoder": {"kind": "autoencoder", "prox": "group_soft", "lambda": 0.5},
    "subspaces": {"kind": "subspaces"},
}


@pytest.fixture
def files(tmp_path):
    """Images and features of three planes, and the start from their classes."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(90) % 3
    values = {}
    for name, n in (("data", 64), ("features", 8)):
        planes = torch.linalg.qr(torch.randn(3, n, 2, generator=draw)).Q
        codes = torch.randn(90, 2, generator=draw) * 3
        rows = torch.einsum("ink,ik->in", planes[labels], codes)
        rows += 0.05 * torch.randn(rows.shape, generator=draw)
        values[name] = {"train_data": rows[:60], "test_data": rows[60:]}
    values["data"] |= {"train_labels": labels[:60], "test_labels": labels[60:]}
    for name, tensors in values.items():
        tensors = {key: value.clone() for key, value in tensors.items()}
        save_tensors(tmp_path / name, tensors, kind=name, dataset="digits")
    return tmp_path


def call(monkeypatch, script, *arguments):
    monkeypatch.setattr(sys, "argv", ["script", *map(str, arguments)])
    script.main()


def started(files, monkeypatch, name="class", protocol="joined"):
    call(
        monkeypatch, start, "--data", files / "data", "--features", files / "features", "--start",
        name, "--protocol", protocol, "--settings", json.dumps(SETTINGS), "--replicates", 2,
        "--seed", 0, "--output", files / "start",
    )  # fmt: skip


def run(files, monkeypatch, kind, output="out"):
    call(
        monkeypatch, train, "--data", files / "data", "--features", files / "features", "--start",
        files / "start", "--method", kind, "--spec", json.dumps(METHODS[kind]), "--settings",
        json.dumps(SETTINGS), "--replicates", 2, "--seed", 0, "--checkpoint", files / "state",
        "--output", files / output, "--metrics", files / f"{output}.csv",
    )  # fmt: skip
    table = load_table(files / f"{output}.csv")
    return load_tensors(files / output)[0], table[~table.metric.str.contains("seconds")]


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("protocol", ["joined", "held_out"])
def test_every_kind_of_method_is_scored_on_the_images_of_its_protocol(
    files, monkeypatch, protocol, kind
):
    started(files, monkeypatch, protocol=protocol)
    tensors, table = run(files, monkeypatch, kind)
    learnt, scored = (90, 90) if protocol == "joined" else (60, 30)
    assert tensors["learnt"].shape == (2, learnt)
    assert tensors["scored"].shape == (2, scored)
    last = table[table.epoch > 0]
    assert set(last.replicate) == {0, 1}
    assert (last[last.metric == "acc"].value > 0.9).all()
    assert (table[table.metric == "sample_acc"].value == 1).all()
    assert not list(files.glob("state*"))


def test_codes_of_zeros_are_a_cluster_of_their_own_and_use_no_group():
    # sigma(A^T y) with A = I and threshold 0.5: the first sample has no active group.
    model = Autoencoder(torch.eye(4), "group_soft", 0.5, 2)
    images = torch.tensor([[0.1, 0, 0, 0.1], [1, 0, 0, 0], [0, 0, 0, 2]])
    found = methods.result(model, images, images, {})
    assert found.learnt.tolist() == [-1, 0, 1]
    assert found.values["used"] == 2


@pytest.mark.parametrize("kind", ["mixture", "autoencoder"])
def test_an_interrupted_training_goes_on_and_ends_with_the_same_bits(files, monkeypatch, kind):
    started(files, monkeypatch, "pca")
    whole, rows = run(files, monkeypatch, kind, "whole")
    count, epoch = [0], training._run_epoch

    def interrupted(*arguments):
        count[0] += 1
        if count[0] == 5:  # in the second epoch of the second replicate
            raise KeyboardInterrupt
        return epoch(*arguments)

    monkeypatch.setattr(training, "_run_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(files, monkeypatch, kind)
    again, same = run(files, monkeypatch, kind)
    assert count[0] == 5 + 2, "what was done was not done again"
    for name in whole:
        assert torch.equal(whole[name], again[name]), name
    assert rows.equals(same)


def test_replicates_differ_and_labels_do_not_enter(files, monkeypatch):
    started(files, monkeypatch, "kmeans")
    first, _ = run(files, monkeypatch, "mixture", "first")
    assert not torch.equal(*first["dictionary"])
    tensors, about = load_tensors(files / "data")
    for name in ("train_labels", "test_labels"):
        tensors[name] = tensors[name].flip(0)
    save_tensors(files / "data", tensors, kind="data", dataset=about["dataset"])
    started(files, monkeypatch, "kmeans")
    second, _ = run(files, monkeypatch, "mixture", "second")
    assert torch.equal(first["dictionary"], second["dictionary"])
