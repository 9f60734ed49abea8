"""One problem of a regime: a true dictionary, the init of a training, and held-out samples."""

from typing import NamedTuple

from torch import Tensor

from groupsparse.dictionary import orthonormalize_groups, perturb, tilt_groups
from groupsparse.generative import Sample, random_dictionary, sample
from groupsparse.seeds import generator


class Problem(NamedTuple):
    """A* and the init, both (n, m), and samples of A*."""

    truth: Tensor
    init: Tensor
    held_out: Sample


def draw(spec: dict, samples: int, seed: tuple) -> Problem:
    """Draw the problem of one replicate; ``spec`` is the regime's config entry.

    With ``delta`` in the init, groups of A* are orthonormal and those of the init too, at that
    distance; else A* is perturbed to a correlation, and its atoms have unit norm as those of A*.
    """
    model, init = spec["model"], spec["init"]
    d = model["group_size"]
    truth = random_dictionary(model["n"], model["groups"] * d, generator(*seed, "dictionary"))
    if "delta" in init:
        truth = orthonormalize_groups(truth, d)
        start = tilt_groups(truth, init["delta"], d, generator(*seed, "init"))
    else:
        start = perturb(truth, init["correlation"], generator(*seed, "init"), normalized=True)
    noise = {"std": 0.0} if model["snr_db"] is None else {"snr_db": model["snr_db"]}
    drawn = sample(
        truth, d, model["active_groups"], tuple(model["amplitude"]), samples,
        generator(*seed, "held out"), **noise,
    )  # fmt: skip
    return Problem(truth, start, drawn)
