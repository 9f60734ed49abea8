"""The problems: a dictionary, a start near it, one data set, and new samples of every epoch."""

from typing import NamedTuple

from torch import Tensor

from groupsparse.batches import FixedData, FreshData
from groupsparse.dictionary import perturb
from groupsparse.generative import Sample, dense_codes, random_dictionary, sample
from groupsparse.recovery import least_squares_dictionary
from groupsparse.seeds import derive_seed, generator


class Problem(NamedTuple):
    """A* and a start (n, m), one data set, and the batches of either sampling by name."""

    truth: Tensor
    start: Tensor
    sample: Sample
    batches: dict[str, FixedData | FreshData]


def draw(model: dict, correlation: float, snr: float, seed: int, replicate: int) -> Problem:
    """Draw a replicate; noise levels and methods share A* and the start. ``snr`` inf: no noise."""
    parts, d = (seed, "limits", replicate), model["group_size"]
    truth = random_dictionary(model["n"], model["groups"] * d, generator(*parts, "dictionary"))
    start = perturb(truth, correlation, generator(*parts, "init"), normalized=True)
    generative = {key: value for key, value in model.items() if key not in ("n", "groups")}
    noise = {"std": 0.0} if snr == float("inf") else {"snr_db": snr}
    drawn = sample(truth, **generative, generator=generator(*parts, "data", snr), **noise)
    order = derive_seed(*parts, "training", snr)
    batches = {
        "fixed": FixedData(drawn.data.unsqueeze(0), [order]),
        "fresh": FreshData(truth.unsqueeze(0), [drawn.noise_std], [order], **generative),
    }
    return Problem(truth, start, drawn, batches)


def fixed_oracle(problem: Problem, groups: int) -> Tensor:
    """Least squares given the true codes of the data set: (n, m)."""
    return least_squares_dictionary(problem.sample.data, dense_codes(problem.sample.codes, groups))
