"""Run one method on one problem and follow its error and its time."""

import time
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from groupsparse.alternating import alternate
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import Batches
from groupsparse.recovery import aligned_squared_error, invariant_squared_error
from groupsparse.training import train
from limits.conditions import is_network


class Followed(NamedTuple):
    """The dictionary (n, m) at the end, and epoch -> metric -> value on the way."""

    dictionary: Tensor
    history: dict[int, dict[str, float]]


def errors(dictionary: Tensor, truth: Tensor, group_size: int) -> dict[str, float]:
    """Both errors that order, signs and rotations inside groups do not change."""
    return {
        "invariant": invariant_squared_error(dictionary, truth, group_size),
        "aligned": aligned_squared_error(dictionary, truth, group_size),
    }


class Watch:
    """A callback that records errors and seconds, and stops its clock meanwhile."""

    def __init__(self, score: Callable[[Tensor], dict], every: int, last: int) -> None:
        self.score, self.every, self.last = score, every, last
        self.history: dict[int, dict[str, float]] = {}
        self.paused, self.began = 0.0, time.perf_counter()

    def __call__(self, epoch: int, learnt: Tensor | Autoencoder) -> None:
        now = time.perf_counter()
        if epoch % self.every == 0 or epoch == self.last:
            dictionary = learnt.dictionary.detach() if isinstance(learnt, Autoencoder) else learnt
            seconds = now - self.began - self.paused
            self.history[epoch] = {**self.score(dictionary[0]), "seconds": seconds}
        self.paused += time.perf_counter() - now


def follow(
    settings: dict, batches: Batches, start: Tensor, truth: Tensor, group_size: int, *,
    epochs: int, training: dict, every: int,
) -> Followed:  # fmt: skip
    """Run a method of the config for a number of epochs (passes, if it alternates).

    Parameters
    ----------
    settings : the method's entry
    training : optimizer and lr of a network
    every : epochs of a network between two values; every pass of the alternation has one
    """
    network = is_network(settings)

    def score(dictionary: Tensor) -> dict[str, float]:
        return errors(dictionary, truth, group_size)

    at_start = {**score(start), "seconds": 0.0}
    watch = Watch(score, every if network else 1, epochs)
    if network:
        model = Autoencoder.from_spec(start.unsqueeze(0), settings, group_size)
        options = {key: settings[key] for key in ("normalize", "decay") if key in settings}
        train(model, batches, epochs=epochs, **training, **options, callback=watch)
        learnt = model.dictionary.detach()
    else:
        learnt = alternate(
            start.unsqueeze(0), batches, group_size, passes=epochs, basis=settings["basis"],
            lambda_=settings.get("lambda"), memory=settings.get("memory", 0.0), callback=watch,
        ).dictionary  # fmt: skip
    return Followed(learnt[0], {0: at_start, **watch.history})
