"""Train one sparse autoencoder on the stream. Nothing here sees a concept."""

from __future__ import annotations

import torch
from torch import Tensor

from featurizers.conditions import CHANCE, TRUTH, active_groups
from featurizers.truth import Truth
from groupsparse.autoencoder import Autoencoder
from groupsparse.calibration import calibrate
from groupsparse.dictionary import from_blocks
from groupsparse.groups import Groups, group_norms
from groupsparse.iterable import IterableData
from groupsparse.revival import Revival
from groupsparse.seeds import generator
from groupsparse.topk import BatchGroupTopK, GroupTopK
from groupsparse.training import train
from groupsparse.untied import UntiedAutoencoder

HELD = 5_000  # samples beside the stream: for dead groups, thresholds and the level of a batch rule
RARE = 0.0005  # a group that is active less often starts again
REVIVED = 0.7  # share of the training in which it may


def learn(name: str, section: dict, truth: Truth) -> Autoencoder:
    """The encoder of a row: trained, or with the true or a random dictionary."""
    if name == TRUTH:
        atoms, rule = torch.cat(truth.bases(), dim=1), GroupTopK(section["truth"]["active"])
        return Autoencoder(atoms, rule, 0.0, Groups(truth.sizes))
    settings = {"group_size": truth.largest} if name == CHANCE else section["methods"][name]
    d = settings["group_size"]
    start = random_groups(truth.dictionary.shape[0], section["atoms"], d, truth.parts)
    k = active_groups(section, d)
    if name == CHANCE:
        return Autoencoder(start, GroupTopK(k), 0.0, d)
    return trained(settings, start, k, section, truth)


def random_groups(n: int, atoms: int, group_size: int, parts: tuple) -> Tensor:
    """Random orthonormal groups (n, atoms), the start of all methods of that group size."""
    shape = atoms // group_size, n, group_size
    random = torch.randn(shape, generator=generator(*parts, "start", group_size))
    return from_blocks(torch.linalg.qr(random).Q)


def trained(settings: dict, start: Tensor, k: int, section: dict, truth: Truth) -> Autoencoder:
    """Train from a start with k groups active on average."""
    rule, d, held = settings["rule"], settings["group_size"], truth.draw("held", HELD).data
    if rule == "lasso":
        model = Autoencoder(start, "group_soft", level(start, held, k, d), d)
    else:
        prox = GroupTopK(k) if rule == "top_k" else BatchGroupTopK(k)
        if settings.get("tied"):
            model = Autoencoder(start, prox, 0.0, d)
        else:
            model = UntiedAutoencoder(start, prox, 0.0, d, center=truth.mean)
    epochs = -(-section["samples"] // section["epoch"])
    revival = Revival(held, least=RARE, seed=truth.parts[0])

    def callback(epoch: int, model: Autoencoder) -> None:
        if epoch < REVIVED * epochs:
            revival(epoch, model)
        if rule == "lasso":
            model.lambda_ = level(model.dictionary.detach(), held, k, d)

    training = section["training"]
    stream = IterableData(truth.stream(section["epoch"], training["batch_size"]))
    train(
        model, stream, epochs=epochs, lr=training["lr"], normalize=True, decay="cosine",
        callback=callback,
    )  # fmt: skip
    if rule == "batch_top_k":
        calibrate(model, held)
    return model


def level(dictionary: Tensor, data: Tensor, k: int, d: int) -> float:
    """The threshold at which k groups of d atoms are active in a sample of data on average."""
    norms = group_norms(data @ dictionary, d).flatten()
    return float(norms.kthvalue(len(norms) - k * len(data)).values)
