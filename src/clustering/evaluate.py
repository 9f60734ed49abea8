"""Cluster the test set by its codes (or by controls) and score it: ACC, NMI, ARI."""

import argparse
import logging
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from clustering.advice import clustering_advice
from evidence.tables import save_table
from groupsparse import clustering
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.preprocess import preprocess
from groupsparse.prox import group_norms
from groupsparse.seeds import derive_seed


class Case(NamedTuple):
    """What is scored: features (N, k) to cluster, and clusterings (N,) that need no algorithm."""

    condition: dict  # method, init and centering
    replicate: int
    features: dict[str, np.ndarray]
    assignments: dict[tuple[str, str], np.ndarray]  # (features, algorithm) -> clusters
    sparsity: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of prepare_dataset.py")
    parser.add_argument("--model", help="artefact of train_clustering.py; without it, controls")
    parser.add_argument("--neighbors", type=int, required=True, help="of the spectral graph")
    parser.add_argument("--replicates", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True, help="root seed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    parser.add_argument("--codes", help="artefact with the test codes of the first replicate")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)

    tensors, header = load_tensors(args.data)
    labels = tensors["test_labels"].numpy()
    classes = int(labels.max()) + 1
    seeds = [
        derive_seed(args.seed, "clustering", header["dataset"], r, "evaluate")
        for r in range(args.replicates)
    ]
    if args.model:
        model, about = load_tensors(args.model)
        cases = trained(tensors, model, about)
    else:
        cases = controls(tensors["test_data"].numpy(), labels, classes, seeds)
    rows, kept = [], {}
    for condition, replicate, features, assignments, sparsity in cases:
        scored = [("codes", "none", sparsity)]
        for name, array in features.items():
            contrast = {"class_contrast": clustering.class_contrast(array, labels)}
            scored.append((name, "none", contrast))
            for algorithm in clustering.ALGORITHMS:
                logging.info("%s, replicate %d: %s on %s", condition, replicate, algorithm, name)
                assignments[name, algorithm] = clustering.cluster(
                    array, classes, algorithm, seeds[replicate], args.neighbors
                )
        scored += [(*key, clustering.scores(labels, a)) for key, a in assignments.items()]
        head = {"experiment": "clustering", "dataset": header["dataset"], **condition}
        rows += [
            {
                **head,
                "features": name,
                "algorithm": algorithm,
                "replicate": replicate,
                "metric": metric,
                "value": value,
            }
            for name, algorithm, values in scored
            for metric, value in values.items()
        ]
        if args.codes and replicate == 0:
            kept[f"codes.{condition['init']}"] = torch.from_numpy(features["codes"])
    table = pd.DataFrame(rows)
    groups = {header["dataset"]: about["settings"]["groups"]} if args.model else {}
    for line in clustering_advice(table, groups):
        logging.warning("Warning: %s", line)
    save_table(args.output, table)
    if args.codes:
        about = {key: about[key] for key in ("dataset", "method", "inits", "centered")}
        save_tensors(args.codes, kept, kind="codes", **about)


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
                # The active group itself is a clustering.
                assignments["group", "argmax"] = group_norms(codes, size).argmax(-1).numpy()
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


if __name__ == "__main__":
    main()
