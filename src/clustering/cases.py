"""What the clustering experiment scores: codes of trained models, and controls."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch import Tensor

from clustering.images import images
from evidence.features import active_groups, features_of
from groupsparse import clustering
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.groups import group_norms
from groupsparse.metrics import explained_variance
from groupsparse.topk import acts_on_groups


class Case(NamedTuple):
    """What is scored: features (N, k) to cluster, and clusterings (N,) that need no algorithm."""

    condition: dict  # method, init and centering
    replicate: int
    last: bool  # whether this is the end of the training
    features: dict[str, np.ndarray]
    assignments: dict[tuple[str, str], np.ndarray]  # (features, algorithm) -> clusters
    values: dict[str, float]  # of codes: how sparse they are, and what they explain


def trained(tensors: dict[str, Tensor], model: dict[str, Tensor], about: dict) -> Iterator[Case]:
    """Codes of the test set by every dictionary of a model, each encoded by its own method."""
    spec, size = about["spec"], about["settings"]["group_size"]
    _, test = images(tensors, about["settings"], about["centered"], "test_data")
    *earlier, _ = about["scored"]
    for init in about["inits"]:
        condition = {"method": about["method"], "init": init, "centered": about["centered"]}
        names = [*(f"dictionary.{init}.{epoch}" for epoch in earlier), f"dictionary.{init}"]
        for replicate in range(len(model[names[-1]])):
            for name in names:
                network = Autoencoder.from_spec(model[name][replicate], spec, size)
                codes = encode_in_batches(network, test)
                values = clustering.sparsity(codes.numpy(), size)
                values["groups"] = about["settings"]["groups"]
                if acts_on_groups(network.activation):
                    values["unused_groups"] = int((group_norms(codes, size) == 0).all(0).sum())
                values["explained"] = explained_variance(test, network.decode(codes).detach())
                found = features_of(codes, network), active_groups(codes, network)
                yield Case(condition, replicate, name == names[-1], *found, values)


def controls(
    data: np.ndarray, labels: np.ndarray | None, classes: int, seeds: list[int]
) -> Iterator[Case]:
    """Raw pixels, scaled as networks see them, the labels themselves if any, and chance."""
    variances = data.var(axis=0)
    scale = {"largest_variance_share": float(variances.max() / max(variances.sum(), 1e-300))}
    for replicate, seed in enumerate(seeds):
        random = np.random.default_rng(seed).integers(classes, size=len(data))
        for method, array, assignments, values in (
            ("raw", {"raw": data}, {}, scale),
            ("oracle", {}, {("labels", "none"): labels}, {}),
            ("chance", {}, {("random", "none"): random}, {}),
        ):
            if method == "oracle" and labels is None:
                continue
            # Not repeated centred: k-means and nearest neighbours do not depend on the origin.
            condition = {"method": method, "init": "none", "centered": False}
            yield Case(condition, replicate, True, array, assignments, values)
