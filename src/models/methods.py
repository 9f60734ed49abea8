"""Learn a dictionary with a method of the config, and code the data with it."""

from typing import NamedTuple

import torch
from torch import Tensor

from evidence.thresholds import threshold
from groupsparse.alternating import alternate
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.batches import FixedData
from groupsparse.discovery import discover
from groupsparse.groups import split_groups
from groupsparse.pursuit import FALSE_ALARM, refit_codes, select_groups
from groupsparse.seeds import derive_seed
from groupsparse.training import train
from models.conditions import NOTHING
from models.problem import Problem


class Learnt(NamedTuple):
    """A dictionary (n, m) with the codes (N, m) that the method gives the data."""

    dictionary: Tensor
    codes: Tensor

    def support(self, group_size: int) -> Tensor:
        """Active groups, bool (N, G)."""
        return (split_groups(self.codes, group_size) != 0).any(-1)


def learn(method: dict, problems: list[Problem], section: dict, seed: int) -> list[Learnt]:
    """Learn from every problem with the method of this entry, replicates side by side."""
    if "prox" in method:
        return _train(method, problems, section["training"], seed)
    learnt = []
    for replicate, problem in enumerate(problems):
        data, d = problem.sample.data, problem.group_size
        if method["start"] == NOTHING:
            groups = problem.truth.shape[1] // d
            dictionary = discover(data, groups, d, derive_seed(seed, "discover", replicate))
        else:
            start = problem.starts[method["start"]]
            dictionary = alternate(start, data, d, passes=section["passes"]).dictionary
        learnt.append(Learnt(dictionary, coded(data, dictionary, d)))
    return learnt


def coded(data: Tensor, dictionary: Tensor, group_size: int) -> Tensor:
    """Codes (N, m) by least squares on the groups that the test of the library finds."""
    support = select_groups(data, dictionary, group_size)
    return refit_codes(data, dictionary, support, group_size)


def _train(method: dict, problems: list[Problem], training: dict, seed: int) -> list[Learnt]:
    data = torch.stack([p.sample.data for p in problems])
    starts = torch.stack([p.starts[method["start"]] for p in problems])
    d, groups = problems[0].group_size, len(problems[0].sizes)
    # A false activation in one sample of twenty.
    lambdas = [threshold(y, FALSE_ALARM / groups, d, method["prox"]) for y in data]
    model = Autoencoder(starts, method["prox"], torch.tensor(lambdas), d)
    order = [derive_seed(seed, "training", r) for r in range(len(problems))]
    train(model, FixedData(data, order), **training)
    codes = encode_in_batches(model, data)
    return [Learnt(*parts) for parts in zip(model.dictionary.detach(), codes, strict=True)]
