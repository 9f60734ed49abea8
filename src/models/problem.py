"""The problems of a generative model: a dictionary, starts, data, and what their truth allows."""

from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.dictionary import normalize_columns, perturb
from groupsparse.generative import Sample, dense_codes, random_dictionary, sample
from groupsparse.groups import split_groups
from groupsparse.recovery import least_squares_dictionary
from groupsparse.seeds import generator
from models.conditions import NEAR, RANDOM


class Problem(NamedTuple):
    """A* and starts (n, m) by name, a sample, and the group structure."""

    truth: Tensor
    starts: dict[str, Tensor]
    sample: Sample
    group_size: int
    sizes: Tensor  # (G,) atoms that each group uses

    @property
    def codes(self) -> Tensor:
        """The true codes (N, m)."""
        return dense_codes(self.sample.codes, len(self.sizes))

    @property
    def support(self) -> Tensor:
        """The true active groups, bool (N, G)."""
        return (split_groups(self.codes, self.group_size) != 0).any(-1)


def draw(model: dict, correlation: float, seed: int, name: str, replicate: int) -> Problem:
    """Draw a replicate of the generative model ``name`` with these settings."""
    parts, d = (seed, "models", name, replicate), model["group_size"]
    n, groups = model["n"], model["groups"]
    truth = random_dictionary(n, groups * d, generator(*parts, "dictionary"))
    noise = torch.randn(truth.shape, generator=generator(*parts, "random"))
    starts = {
        NEAR: perturb(truth, correlation, generator(*parts, "init"), normalized=True),
        RANDOM: normalize_columns(noise),
    }
    options = {key: value for key, value in model.items() if key not in ("n", "groups")}
    drawn = sample(truth, **options, generator=generator(*parts, "data"))
    sizes = torch.as_tensor(model.get("sizes", [d] * groups))
    return Problem(truth, starts, drawn, d, sizes)


def oracle(problem: Problem) -> Tensor:
    """Least squares on the true codes (n, m); atoms that no code uses are zero."""
    return least_squares_dictionary(problem.sample.data, problem.codes)
