"""Events of many neurons: looked for in a few of them, then fitted to all.

Neurons that share their events say the same about them many times over. The search, which costs
most, sees the few that say most; then every event is looked for once more in all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from groupsparse.annealing import sweep
from groupsparse.event_learning import Fit, Search, State, learn, with_known_times
from groupsparse.slots import Trials

log = logging.getLogger(__name__)

SMOOTHED = 8  # bins of a kernel over which a residual is averaged to see that neurons respond
LOOKS, ROUNDS = 2, 2  # in all neurons: looks for every event, and rounds of fits after each


def learn_in_few(
    trials: Trials, starts: Sequence[Tensor], search: Search, neurons: int, low: Tensor,
    high: Tensor, options: Fit, generator: torch.Generator,
) -> State:  # fmt: skip
    """As :func:`groupsparse.event_learning.learn`, with a search in so many neurons."""
    few = most_telling(trials, starts[0].shape[-1], neurons)
    found = learn(trials.of_neurons(few), starts, search, low, high, options, generator)
    log.info("search in %d neurons: loss %.6g", len(few), found.loss())
    state = with_known_times(
        trials, found.slots.events(), found.kernels, low, high, options, rounds=ROUNDS
    )
    for _ in range(LOOKS):
        trials, kernels, slots, prior = state
        prior = prior._replace(penalty=search.penalty)  # with known times an event costs nothing
        slots = sweep(trials, slots, kernels, prior, 0.0, search.spacing, generator, search.screen)
        state = with_known_times(trials, slots.events(), kernels, low, high, options, rounds=ROUNDS)
    return state


def most_telling(trials: Trials, length: int, neurons: int) -> Tensor:
    """Neurons whose residual from the baseline is largest beside what chance gives, in order.

    The residual is averaged over times as short as the details of a kernel.
    """
    bins, count = max(1, length // SMOOTHED), trials.values.shape[1]
    square, chance = (trials.values.new_zeros(count) for _ in range(2))
    for one in range(len(trials.values)):
        trial = trials.take(slice(one, one + 1))
        eta = trial.baseline.expand_as(trial.values)
        means = torch.nn.functional.avg_pool1d(trial.slope(eta), bins, 1)
        square += means.square().sum((0, 2))
        chance += trial.bend(eta).sum((0, 2)) / bins
    score = square / chance.clamp_min(1e-12)
    return score.topk(min(neurons, count)).indices.sort().values
