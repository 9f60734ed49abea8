"""Dictionaries and noiseless samples for tests of the theory, in float64."""

import math

import torch

from groupsparse.dictionary import orthonormalize_groups
from groupsparse.generative import Codes, Sample, dense_codes, random_dictionary, sample

N, D, GROUPS, LAMBDA = 60, 2, 6, 0.5
M = D * GROUPS
EXACT = {"rtol": 1e-10, "atol": 1e-12}  # float64 rounding of sums of about 1e3 terms


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def orthonormal(seed: int = 0, n: int = N, groups: int = GROUPS) -> torch.Tensor:
    return orthonormalize_groups(random_dictionary(n, groups * D, rng(seed)).double(), D)


def draw(truth: torch.Tensor, seed: int = 1, active: int = 2, samples: int = 200) -> Sample:
    """Noiseless samples in float64, codes of norm sqrt(d) as assumption 3 asks."""
    norm = math.sqrt(D)
    drawn = sample(truth.float(), D, active, (norm, norm), samples, rng(seed), std=0.0)
    codes = Codes(drawn.codes.groups, drawn.codes.values.double())
    return Sample(dense_codes(codes, truth.shape[1] // D) @ truth.T, codes, 0.0)


def one_group_at_a_time(truth: torch.Tensor) -> Sample:
    """Every group alone, at equally spaced angles: second moments are exactly those of E."""
    groups = truth.shape[1] // D
    angles = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)
    circle = math.sqrt(D) * torch.stack([angles.cos(), angles.sin()], -1)
    support = torch.arange(groups).repeat_interleave(8).unsqueeze(1)
    codes = Codes(support, circle.repeat(groups, 1).unsqueeze(1))
    return Sample(dense_codes(codes, groups) @ truth.T, codes, 0.0)


def alone(delta: float):
    """Every group by itself, all orthogonal, tilted by delta into directions of its own."""
    basis = torch.linalg.qr(torch.randn(N, 2 * M, generator=rng(0)).double()).Q
    truth, away = basis[:, :M], basis[:, M:]
    cosine = 1 - delta**2 / (2 * D)
    estimate = cosine * truth + math.sqrt(1 - cosine**2) * away
    return estimate, truth, one_group_at_a_time(truth)
