"""Follow the training of one replicate: dictionaries, errors and learning rates on the way."""

import logging
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FreshData
from groupsparse.theory import largest_step
from groupsparse.training import OPTIMIZERS, DivergedError, train
from theory import quantities
from theory.problem import Problem

log = logging.getLogger(__name__)


class Followed(NamedTuple):
    """A training: the dictionary at ``measure_at``, errors and learning rate of every epoch."""

    snapshots: list[Tensor]
    errors: list[dict[str, Tensor]]
    rates: list[float]  # of the step after each epoch, which is one batch
    diverged: bool


def follow(problem: Problem, spec: dict, seed: int, device: torch.device) -> Followed:
    """Train from the init of a problem; ``seed`` draws the samples of every epoch."""
    (truth, init, held_out), model, training = problem, spec["model"], spec["training"]
    d = model["group_size"]

    def learning_rate(dictionary):
        if training["lr_unit"] == "absolute":
            return training["lr"]
        return training["lr"] * largest_step(dictionary, truth, held_out, spec["lambda"], d)

    autoencoder = Autoencoder(init.unsqueeze(0), "group_soft", spec["lambda"], d).to(device)
    snapshots, errors, rates = [], [], [learning_rate(init)]
    optimizer = OPTIMIZERS[training["optimizer"]]([autoencoder.dictionary], lr=rates[0])
    batches = FreshData(
        truth.unsqueeze(0), [held_out.noise_std], [seed], group_size=d,
        active_groups=model["active_groups"], amplitude=tuple(model["amplitude"]),
        samples=model["samples"],
    )  # fmt: skip
    reference = truth.unsqueeze(0).to(device)

    def adapt(epoch, model):
        every = training["lr_unit"] == "limit_every_epoch"
        rates.append(learning_rate(model.dictionary.detach().cpu()[0]) if every else rates[0])
        optimizer.param_groups[0]["lr"] = rates[-1]

    def record(dictionary):
        if len(errors) in spec["measure_at"]:
            snapshots.append(dictionary[0].cpu().clone())
        errors.append(quantities.errors(dictionary, reference, d))
        return errors[-1]

    try:
        train(
            autoencoder, batches, epochs=training["epochs"], optimizer=optimizer,
            normalize=training["normalize"], metrics=record, callback=adapt,
        )  # fmt: skip
    except DivergedError as error:
        log.warning("%s", error)
        return Followed(snapshots, errors, rates, diverged=True)
    return Followed(snapshots, errors, rates, diverged=False)
