"""Where trainings start: a dictionary from every init and replicate."""

import logging

import torch
from torch import Tensor

from groupsparse.init import initialize
from groupsparse.seeds import derive_seed
from groupsparse.supervision import SUPERVISED_INITS
from groupsparse.topk import acts_on_groups


def seeds_of(seed: int, dataset: str, replicates: int) -> list[int]:
    """One seed for each replicate, whatever the method: all see the same batches."""
    return [derive_seed(seed, "clustering", dataset, r) for r in range(replicates)]


def starts(
    name: str, data: Tensor, labels: Tensor | None, settings: dict, prox: str, seeds: list[int]
) -> Tensor:
    """Dictionaries (R, n, m) from an init. Methods with groups start from the same atoms.

    An element-wise activation knows no groups, and neither does its ``pca``: it starts from as many
    principal directions as it has atoms.
    """
    logging.info("init %s of %d replicates", name, len(seeds))
    groups, size = settings["groups"], settings["group_size"]
    if name == "pca" and not acts_on_groups(prox):
        groups, size = groups * size, 1
    # Only an init that uses labels by its name gets them.
    labels = labels if name in SUPERVISED_INITS else None
    return torch.stack(
        [initialize(name, data, groups, size, derive_seed(seed, name), labels) for seed in seeds]
    )
