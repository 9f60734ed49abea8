"""Cluster the test set by its codes (or by a control) and score it: ACC, NMI, ARI."""

import argparse
import logging

import numpy as np
import pandas as pd
import torch

from groupsparse import clustering
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.files import save_table
from groupsparse.preprocess import preprocess
from groupsparse.prox import group_norms
from groupsparse.seeds import derive_seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of prepare_dataset.py")
    parser.add_argument("--model", help="artefact of train_clustering.py")
    parser.add_argument("--control", choices=["raw", "oracle", "chance"], help="instead of a model")
    parser.add_argument("--neighbors", type=int, required=True, help="of the spectral graph")
    parser.add_argument("--replicates", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True, help="root seed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    parser.add_argument("--codes", help="artefact with the test codes of the first replicate")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    if (args.model is None) == (args.control is None):
        parser.error("give exactly one of --model and --control")

    tensors, header = load_tensors(args.data)
    labels = tensors["test_labels"].numpy()
    classes = int(labels.max()) + 1
    model, about = load_tensors(args.model) if args.model else ({}, {})
    condition = {
        "experiment": "clustering",
        "dataset": header["dataset"],
        "method": about.get("method", args.control),
        "init": about.get("init", "none"),
        # Controls run once: k-means and nearest neighbours do not depend on the origin.
        "centered": about.get("centered", False),
    }
    rows, kept = [], {}
    for replicate in range(args.replicates):
        seed = derive_seed(args.seed, "clustering", header["dataset"], replicate, "evaluate")
        if args.control == "oracle":
            assignments = {("labels", "none"): labels}
        elif args.control == "chance":
            random = np.random.default_rng(seed).integers(classes, size=len(labels))
            assignments = {("random", "none"): random}
        else:
            if args.control == "raw":
                features, assignments = {"raw": tensors["test_data"].numpy()}, {}
            else:
                codes = codes_of(tensors, model["dictionary"][replicate], about)
                features, assignments = features_of(codes, about)
                kept = kept or {"codes": codes}
                size = about["settings"]["group_size"]
                density = clustering.sparsity(codes.numpy(), size)
                rows += rows_of(condition, replicate, "codes", "none", density)
            for name, array in features.items():
                contrast = {"class_contrast": clustering.class_contrast(array, labels)}
                rows += rows_of(condition, replicate, name, "none", contrast)
                for algorithm in clustering.ALGORITHMS:
                    logging.info("replicate %d: %s on %s", replicate, algorithm, name)
                    assignments[name, algorithm] = clustering.cluster(
                        array, classes, algorithm, seed, args.neighbors
                    )
        for (name, algorithm), assignment in assignments.items():
            rows += rows_of(
                condition, replicate, name, algorithm, clustering.scores(labels, assignment)
            )
    save_table(args.output, pd.DataFrame(rows))
    if args.codes:
        save_tensors(args.codes, kept, kind="codes", **condition)


def codes_of(tensors: dict, dictionary: torch.Tensor, about: dict) -> torch.Tensor:
    """Test codes (N, m) of one trained dictionary."""
    spec, settings = about["spec"], about["settings"]
    _, test = preprocess(
        tensors["train_data"],
        tensors["test_data"],
        center=about["centered"],
        unit_norm=settings["unit_norm"],
    )
    model = Autoencoder(
        dictionary,
        spec["prox"],
        spec["lambda"],
        settings["group_size"],
        spec["encoder"],
        spec["layers"],
    )
    return encode_in_batches(model, test)


def features_of(codes: torch.Tensor, about: dict) -> tuple[dict, dict]:
    """Features to cluster, and for group methods the active group itself as a clustering."""
    array = codes.numpy()
    features = {"codes": array, "codes+": clustering.nonnegative_normalized(array)}
    if not about["spec"]["prox"].startswith("group"):
        return features, {}
    norms = group_norms(codes, about["settings"]["group_size"])
    return features, {("group", "argmax"): norms.argmax(-1).numpy()}


def rows_of(condition: dict, replicate: int, features: str, algorithm: str, scores: dict) -> list:
    """Long-form rows of one clustering."""
    where = {"features": features, "algorithm": algorithm, "replicate": replicate}
    return [{**condition, **where, "metric": k, "value": v} for k, v in scores.items()]


if __name__ == "__main__":
    main()
