"""What the clustering experiment scores: codes of trained models, and controls."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch import Tensor

from groupsparse import clustering
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.preprocess import preprocess


class Case(NamedTuple):
    """What is scored: features (N, k) to cluster, and clusterings (N,) that need no algorithm."""

    condition: dict  # method, init and centering
    replicate: int
    features: dict[str, np.ndarray]
    assignments: dict[tuple[str, str], np.ndarray]  # (features, algorithm) -> clusters
    sparsity: dict[str, float]


def trained(tensors: dict[str, Tensor], model: dict[str, Tensor], about: dict) -> Iterator[Case]:
    """Codes of the test set by every dictionary of a model, each encoded by its own method."""
    spec, settings = about["spec"], about["settings"]
    size = settings["group_size"]
    _, test = preprocess(
        tensors["train_data"],
        tensors["test_data"],
        center=about["centered"],
        unit_norm=settings["unit_norm"],
    )
    for init in about["inits"]:
        condition = {"method": about["method"], "init": init, "centered": about["centered"]}
        for replicate, dictionary in enumerate(model[f"dictionary.{init}"]):
            network = Autoencoder.from_spec(dictionary, spec, size)
            codes = encode_in_batches(network, test)
            array, assignments = codes.numpy(), {}
            if network.activation.grouped:
                assignments["group", "argmax"] = clustering.active_group(codes, size)
            features = {"codes": array, "codes+": clustering.nonnegative_normalized(array)}
            sparsity = clustering.sparsity(array, size)
            yield Case(condition, replicate, features, assignments, sparsity)


def controls(
    data: np.ndarray, labels: np.ndarray, classes: int, seeds: list[int]
) -> Iterator[Case]:
    """Raw pixels, the labels themselves, and chance."""
    for replicate, seed in enumerate(seeds):
        random = np.random.default_rng(seed).integers(classes, size=len(labels))
        for method, features, assignments in (
            ("raw", {"raw": data}, {}),
            ("oracle", {}, {("labels", "none"): labels}),
            ("chance", {}, {("random", "none"): random}),
        ):
            # Not repeated centred: k-means and nearest neighbours do not depend on the origin.
            condition = {"method": method, "init": "none", "centered": False}
            yield Case(condition, replicate, features, assignments, {})
