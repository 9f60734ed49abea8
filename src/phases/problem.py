"""The problem of one cell and replicate, where a method starts, and what the oracle finds."""

import json
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.dictionary import perturb
from groupsparse.discovery import discover
from groupsparse.generative import coherent_dictionary, dense_codes, random_dictionary, sample
from groupsparse.seeds import derive_seed, generator

OF_DICTIONARY = ("n", "groups", "group_size", "coherence")


class Problem(NamedTuple):
    """A* (n, m), data (N, n), the oracle's dictionary (n, m), and the parts of its seeds."""

    truth: Tensor
    data: Tensor
    oracle: Tensor
    seed: tuple


def draw(model: dict, seed: int, replicate: int) -> Problem:
    """Draw a problem. Cells of one model are the same problem, whatever plane they are in.

    Problems that differ only in samples, noise or active groups share A* and its near start.
    """
    of_dictionary = json.dumps([model[key] for key in OF_DICTIONARY])
    parts = (seed, "phases", replicate, of_dictionary)
    n, groups, d = model["n"], model["groups"], model["group_size"]
    random = generator(*parts, "dictionary")
    if model["coherence"] is None:
        truth = random_dictionary(n, groups * d, random)
    else:
        truth = coherent_dictionary(n, groups, d, model["coherence"], random)
    noise = {"std": 0.0} if model["snr_db"] is None else {"snr_db": model["snr_db"]}
    drawn = sample(
        truth, d, model["active_groups"], tuple(model["amplitude"]), model["samples"],
        generator(*parts, "data", json.dumps(model, sort_keys=True)), **noise,
    )  # fmt: skip
    return Problem(truth, drawn.data, oracle(drawn.data, dense_codes(drawn.codes, groups)), parts)


def oracle(data: Tensor, codes: Tensor) -> Tensor:
    """Least squares given the true codes, of least norm where samples are too few: -> (n, m).

    No dictionary explains the data better with these codes. It is no bound of the error: shrinkage
    or a start that knows more can beat it.
    """
    return torch.linalg.lstsq(codes.double(), data.double(), driver="gelsd").solution.mT.to(data)


def start(name: str, problem: Problem, model: dict, correlation: float) -> Tensor:
    """Where a method starts (n, m): only ``near`` and ``truth``, a control, use A*."""
    if name == "truth":
        return problem.truth
    if name == "near":
        return perturb(problem.truth, correlation, generator(*problem.seed, "init"), True)
    if name == "random":
        return random_dictionary(*problem.truth.shape, generator(*problem.seed, "random"))
    order = derive_seed(*problem.seed, "discover")
    return discover(problem.data, model["groups"], model["group_size"], order)
