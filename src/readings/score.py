"""Train a network on images under one reading and cluster the test images by its codes."""

import argparse
import json
import logging

import numpy as np
import pandas as pd
from torch import Tensor

from evidence.features import active_groups, features_of
from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse import clustering
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.batches import FixedData
from groupsparse.device import choose_device
from groupsparse.init import initialize
from groupsparse.preprocess import preprocess
from groupsparse.seeds import derive_seed
from groupsparse.topk import acts_on_groups
from groupsparse.training import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--network", required=True, help="the rows of the paper it is held to")
    parser.add_argument("--reading", required=True, help="name of the reading")
    parser.add_argument("--settings", type=json.loads, required=True, help="the reading (JSON)")
    parser.add_argument("--part", type=json.loads, required=True, help="readings.table1 (JSON)")
    add_options(parser, "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--dictionary", required=True, help="artefact: the trained dictionary")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)
    settings, part = args.settings, args.part

    tensors, header = load_tensors(args.data)
    data, test = centered(tensors, settings["center"], part["unit_norm"])
    # No reading in the seeds: readings share what they do not change. No init sees a label.
    seed = derive_seed(args.seed, "readings", header["dataset"])
    groups, d = part["groups"], part["group_size"]
    size = (groups, d) if acts_on_groups(settings["prox"]) else (groups * d, 1)
    start = initialize(settings["init"], data, *size, derive_seed(seed, settings["init"]))
    spec = {key: settings[key] for key in ("prox", "lambda", "step")}
    spec |= {"encoder": part["encoder"], "layers": part["layers"]}
    network = Autoencoder.from_spec(start.unsqueeze(0), spec, d).to(device)
    training = {**part["training"], "normalize": settings["normalize"]}
    batches = FixedData(data.to(device), [seed], training.pop("batch_size"))
    train(network, batches, **training)

    codes = encode_in_batches(network, test)[0]
    head = {
        "experiment": "readings", "dataset": header["dataset"], "network": args.network,
        "reading": args.reading, "replicate": 0,
    }  # fmt: skip
    sparsity = clustering.sparsity(codes.numpy(), d)
    rows = records({**head, "features": "codes", "algorithm": "none"}, sparsity)
    labels = tensors["test_labels"].numpy()
    options = int(labels.max()) + 1, derive_seed(seed, "evaluate"), part["neighbors"]
    for (features, algorithm), found in clusterings(network, codes, *options).items():
        where = {**head, "features": features, "algorithm": algorithm}
        rows += records(where, {"acc": clustering.accuracy(labels, found)})
    save_table(args.output, pd.DataFrame(rows))
    save_tensors(
        args.dictionary, {"dictionary": network.dictionary}, kind="reading",
        dataset=header["dataset"], network=args.network, reading=args.reading, settings=settings,
        part=part, seed=args.seed,
    )  # fmt: skip


def centered(tensors: dict[str, Tensor], center: str, unit_norm: bool) -> list[Tensor]:
    """Training and test images, without the mean that a reading removes."""
    parts = [tensors["train_data"], tensors["test_data"]]
    if center == "own":
        parts = [images - images.mean(1, keepdim=True) for images in parts]
    return preprocess(*parts, center=center == "training", unit_norm=unit_norm)


def clusterings(
    network: Autoencoder, codes: Tensor, classes: int, seed: int, neighbors: int
) -> dict[tuple[str, str], np.ndarray]:
    """Clusters of the images by (features, algorithm): all features that the paper may mean."""
    found = active_groups(codes, network)
    for name, values in features_of(codes, network).items():
        for algorithm in clustering.ALGORITHMS:
            logging.info("%s on %s", algorithm, name)
            found[name, algorithm] = clustering.cluster(values, classes, algorithm, seed, neighbors)
    return found


if __name__ == "__main__":
    main()
