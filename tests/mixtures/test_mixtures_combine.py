"""Votes and energies: what is combined, when, and that they name the clusters."""

import sys

import pytest
import torch

from evidence.tables import load_table
from groupsparse.artifacts import save_tensors
from mixtures import combine

CLASSES = torch.arange(90) % 3
SPEC = {"kind": "mixture", "prox": "soft", "objective": "expected", "weight": 1.0}
SETTINGS = {"clusters": 3, "layers": 10, "lambda": 0.01}


@pytest.fixture
def planes():
    """Orthonormal planes (3, 64, 2), and images (90, 64) on them."""
    draw = torch.Generator().manual_seed(0)
    planes = torch.linalg.qr(torch.randn(64, 6, generator=draw)).Q.unflatten(1, (3, 2))
    planes = planes.permute(1, 0, 2).contiguous()
    codes = torch.randn(90, 2, generator=draw) * 3
    return planes, torch.einsum("ink,ik->in", planes[CLASSES], codes)


def wrong_in(part: slice) -> torch.Tensor:
    """The classes under other names, but for some that have the wrong one."""
    clusters = CLASSES.clone()
    clusters[part] = (clusters[part] + 1) % 3
    return torch.tensor([2, 0, 1])[clusters]


def combined(tmp_path, planes, monkeypatch, parts, seeds=2):
    """The table, from a partition for each of ``parts`` in every seed."""
    dictionary, images = planes
    tensors = {"train_data": images[:60], "test_data": images[60:]}
    tensors |= {"train_labels": CLASSES[:60], "test_labels": CLASSES[60:]}
    tensors = {name: value.clone() for name, value in tensors.items()}
    save_tensors(tmp_path / "data", tensors, kind="data", dataset="digits")
    paths = [tmp_path / f"from-{number}" for number in range(len(parts))]
    for number, (path, part) in enumerate(zip(paths, parts, strict=True)):
        clusters = torch.stack([wrong_in(part)] * seeds)
        about = {"start": path.name, "settings": SETTINGS, "seconds": [2.0, 3.0, 4.0][:seeds]}
        # The first seed has the least residual from the last start, the others from the first one.
        about["values"] = [
            {"residual": 0.1 * (number if seed else -number)} for seed in range(seeds)
        ]
        save_tensors(path, {"scored": clusters}, kind="mixture", **about)
    about = {"dataset": "digits", "start": "ssc", "spec": SPEC, "settings": SETTINGS}
    tensors = {"dictionary": torch.stack([dictionary] * 2)}
    save_tensors(tmp_path / "mixture", tensors, kind="mixture", seconds=[5.0, 6.0], **about)
    command = ["combine", "--data", tmp_path / "data", "--voters", *paths]
    command += ["--mixture", tmp_path / "mixture", "--seed", 0, "--output", tmp_path / "out.csv"]
    monkeypatch.setattr(sys, "argv", [str(word) for word in command])
    combine.main()
    table = load_table(tmp_path / "out.csv", ("method", "start", "replicate", "metric", "value"))
    return table.set_index(["method", "metric", "replicate"]).value.sort_index()


THIRDS = slice(0, 30), slice(30, 60), slice(60, 90)


def test_a_majority_is_right_where_every_voter_is_wrong_somewhere(tmp_path, planes, monkeypatch):
    found = combined(tmp_path, planes, monkeypatch, THIRDS)
    assert found["vote_of_starts", "acc"].tolist() == [1.0, 1.0]
    assert found["vote_of_starts", "start_seconds"].tolist() == [6.0, 9.0], "of all voters"
    assert "vote_of_seeds" not in found, "two seeds have no majority"


def test_the_least_residual_chooses_in_every_seed(tmp_path, planes, monkeypatch):
    found = combined(tmp_path, planes, monkeypatch, (slice(0, 45), slice(0, 9)))
    assert found["least_residual", "acc"].tolist() == pytest.approx([0.9, 0.5])
    assert found["least_residual", "start_seconds"].tolist() == [4.0, 6.0], "of all starts"
    found = combined(tmp_path, planes, monkeypatch, THIRDS[:1])
    assert "least_residual" not in found, "one start is no choice"


def test_two_starts_do_not_vote_and_three_seeds_of_the_first_do(tmp_path, planes, monkeypatch):
    found = combined(tmp_path, planes, monkeypatch, THIRDS[:2], seeds=3)
    assert "vote_of_starts" not in found
    # They are alike, so their vote is what each says: a third is wrong.
    assert found["vote_of_seeds", "acc"].tolist() == [pytest.approx(2 / 3)]
    assert found["vote_of_seeds", "start_seconds"].tolist() == [9.0]


def test_energies_as_features_find_the_planes(tmp_path, planes, monkeypatch):
    found = combined(tmp_path, planes, monkeypatch, THIRDS)
    assert found["energies", "acc"].tolist() == [1.0, 1.0]
    assert found["energies", "start_seconds"].tolist() == [5.0, 6.0]
