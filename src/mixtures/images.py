"""Images and features that a study learns from and is scored on."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.artifacts import load_tensors
from groupsparse.preprocess import preprocess
from groupsparse.seeds import derive_seed
from mixtures.conditions import JOINED


class Part(NamedTuple):
    """Rows to learn from, rows to score (the same ones if joined), and the labels of both."""

    learnt: Tensor
    scored: Tensor
    learnt_labels: Tensor
    scored_labels: Tensor


def pixels(path: str | Path, protocol: str, settings: dict) -> Part:
    """Images (N, n) of an artefact of data.prepare, scaled as the settings say."""
    tensors, _ = load_tensors(path)
    names = ("train_data", "test_data")
    scaled = preprocess(
        *(tensors[name] for name in names), center=False, unit_norm=False,
        mean_norm=settings.get("mean_norm"),
    )  # fmt: skip
    return _part(dict(zip(names, scaled, strict=True)), tensors, protocol)


def features(path: str | Path, data: str | Path, protocol: str) -> Part:
    """Features (N, k) of an artefact of mixtures.features, with the labels of its images."""
    return _part(load_tensors(path)[0], load_tensors(data)[0], protocol)


def _part(values: dict[str, Tensor], labels: dict[str, Tensor], protocol: str) -> Part:
    train, test = values["train_data"], values["test_data"]
    train_labels, test_labels = labels["train_labels"], labels["test_labels"]
    if protocol != JOINED:
        return Part(train, test, train_labels, test_labels)
    both, names = torch.cat([train, test]), torch.cat([train_labels, test_labels])
    return Part(both, both, names, names)


def seeds_of(seed: int, dataset: str, replicates: int) -> list[int]:
    """One seed for each replicate, whatever the method: all have the same starts and batches."""
    return [derive_seed(seed, "mixtures", dataset, r) for r in range(replicates)]
