"""What is trained from a start, and the clusters that it gives."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.alternating import alternate
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.batches import FixedData
from groupsparse.clustering import active_group
from groupsparse.dictionary import from_blocks
from groupsparse.mixture import Mixture
from groupsparse.pursuit import refit_codes, select_groups
from groupsparse.training import train

BATCH = 1000  # samples that are encoded at a time: their codes stay in cache
STILL = 1e-3  # share of samples that change their group at which subspaces have settled


class Result(NamedTuple):
    """Clusters of learnt and scored images, the dictionary, and numbers that use no label."""

    learnt: Tensor
    scored: Tensor
    dictionary: Tensor
    values: dict[str, float]


def mixture_of(dictionary: Tensor, entry: dict, settings: dict) -> Mixture:
    """The mixture of a method's entry and the settings of a data set."""
    known = ("objective", "weight", "temperature", "step", "backprop", "learn_bias")
    options = {name: entry[name] for name in known if name in entry}
    group_size, layers = entry.get("group_size", 1), settings["layers"]
    return Mixture(
        dictionary, entry["prox"], settings["lambda"], group_size, layers=layers, **options
    )


def network_of(dictionary: Tensor, entry: dict, settings: dict) -> Autoencoder:
    """One autoencoder whose groups are the components (K, n, h) of a start."""
    options = {"step": entry["step"]} if "step" in entry else {}
    size = dictionary.shape[-1]
    return Autoencoder(
        from_blocks(dictionary), entry["prox"], entry["lambda"], size, "fista", settings["layers"],
        **options,
    )  # fmt: skip


def assigned(model: Mixture | Autoencoder, images: Tensor) -> tuple[Tensor, dict[str, float]]:
    """The cluster (N,) of every image, by component or active group, and a mean free energy.

    Codes of zeros have no active group: -1.
    """
    if isinstance(model, Mixture):
        found = model.explain(images, BATCH, reconstruct=False)
        free_energy = float(found.free_energy.double().mean())
        return found.probabilities.argmax(-1), {"free_energy": free_energy}
    codes = encode_in_batches(model, images, BATCH)
    return torch.from_numpy(active_group(codes, model.group_size)), {}


def trained(
    model: Mixture | Autoencoder, learnt: Tensor, scored: Tensor, settings: dict, seed: int,
    checkpoint: Path, made_from: list[str],
) -> Result:  # fmt: skip
    """Train a model, and assign all images to clusters."""
    loss = fit(model, learnt, settings, seed, checkpoint, made_from)
    return result(model, learnt, scored, {"loss": loss})


def fit(
    model: Mixture | Autoencoder, images: Tensor, settings: dict, seed: int, checkpoint: Path,
    made_from: list[str],
) -> float:  # fmt: skip
    """Train a model: the loss of the last epoch."""
    training = settings["training"]
    data = FixedData(images, [seed], training["batch_size"], missing=True)
    options = {"epochs": training["epochs"], "lr": training["lr"], "normalize": True}
    history = train(
        model, data, **options, checkpoint=checkpoint, checkpoint_every=1, fingerprint=made_from
    )
    return float(history["loss"][-1])


def result(
    model: Mixture | Autoencoder, learnt: Tensor, scored: Tensor, values: dict[str, float]
) -> Result:
    """What a model makes of all images."""
    here, of_all = assigned(model, learnt)
    there = here if scored is learnt else assigned(model, scored)[0]
    # Codes of zeros are a cluster, but of no component.
    used = len(here[here >= 0].unique())
    values = {**values, "parameters": model.dictionary.numel(), "used": used}
    return Result(here, there, model.dictionary.detach(), values | of_all)


def subspaces(
    learnt: Tensor, scored: Tensor, sample: Tensor, clusters: Tensor, count: int, dimension: int,
    passes: int,
) -> Result:  # fmt: skip
    """Group-sparse coding of features with one active group, from clusters of a sample.

    Groups start as the principal directions of their cluster and then alternate: the group that
    explains most of a sample, its codes by least squares, and all groups in closed form. The passes
    stop once fewer samples than :data:`STILL` change their group.
    """
    here = learnt[sample]
    members = [here[clusters == k] for k in range(count)]
    start = from_blocks(torch.stack([_directions(part, here, dimension) for part in members]))
    rule = {"active_groups": 1}
    before: list[Tensor] = []

    def settled(number: int, dictionary: Tensor) -> bool:
        now = select_groups(learnt, dictionary, dimension, **rule).float().argmax(-1)
        moved = (now != before[-1]).double().mean() if before else 1.0
        before.append(now)
        return bool(moved < STILL)

    found = alternate(start, learnt, dimension, passes=passes, callback=settled, **rule)
    chosen = [select_groups(part, found.dictionary, dimension, **rule) for part in (learnt, scored)]
    codes = refit_codes(learnt, found.dictionary, chosen[0], dimension)
    residual = (learnt - codes @ found.dictionary.mT).square().sum(-1)
    values = {
        "parameters": found.dictionary.numel(),
        "used": len(before[-1].unique()),
        "residual": float(residual.double().mean() / learnt.square().sum(-1).double().mean()),
        "passes": len(before),
    }
    groups = [support.float().argmax(-1) for support in chosen]
    return Result(*groups, found.dictionary, values)


def _directions(members: Tensor, everything: Tensor, dimension: int) -> Tensor:
    """Orthonormal top directions (n, d) of a cluster, or of all samples if it has too few."""
    members = members if len(members) >= dimension else everything
    gram = (members.mT @ members).double()
    return torch.linalg.eigh(gram).eigenvectors.flip(-1)[:, :dimension].to(members)
