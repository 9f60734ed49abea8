"""Train one method on a data set over a grid of lambda, with unit atoms or free ones.

All lambdas and replicates train side by side. What codes explain and how many groups are active
need no labels, and say which lambda to take. Accuracy only judges.
"""

import argparse
import json
import logging

import pandas as pd
import torch

from clustering.converge import scores
from clustering.images import images
from clustering.settings import resolved
from clustering.start import seeds_of, starts
from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import load_tensors
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.batches import FixedData
from groupsparse.device import choose_device
from groupsparse.metrics import explained_variance
from groupsparse.seeds import derive_seed
from groupsparse.training import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--init", required=True, help="init of the dictionary")
    parser.add_argument("--spec", type=json.loads, required=True, help="the network (JSON)")
    parser.add_argument("--settings", type=json.loads, required=True, help="settings of the data")
    parser.add_argument("--lambdas", type=float, nargs="+", required=True, help="penalties")
    parser.add_argument("--normalize", type=json.loads, required=True, help="list (JSON)")
    add_options(parser, "--replicates", "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--output", required=True, help="CSV, long form")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)
    tensors, header = load_tensors(args.data)
    settings = resolved(args.settings, tensors)
    training = settings["training"]
    data, test = images(tensors, settings, False, "test_data")
    labels = tensors["test_labels"].numpy()
    seeds = seeds_of(args.seed, header["dataset"], args.replicates)
    begin = starts(args.init, data, tensors["train_labels"], settings, args.spec["prox"], seeds)
    grid = [(value, r) for value in args.lambdas for r in range(args.replicates)]
    spec = args.spec | {"lambda": torch.tensor([value for value, _ in grid])}
    batches = FixedData(data.to(device), [seeds[r] for _, r in grid], training["batch_size"])
    options = {k: training[k] for k in ("epochs", "lr", "optimizer", "decay") if k in training}
    rows = []
    for normalize in args.normalize:
        model = Autoencoder.from_spec(
            begin[[r for _, r in grid]], spec, settings["group_size"]
        ).to(device)  # fmt: skip
        history = train(model, batches, normalize=normalize, **options)
        for i, (value, r) in enumerate(grid):
            logging.info("lambda %g, replicate %d", value, r)
            here = args.spec | {"lambda": value}
            network = Autoencoder.from_spec(model.dictionary[i].cpu(), here, model.group_size)
            seed = derive_seed(args.seed, "clustering", header["dataset"], r, "evaluate")
            codes = encode_in_batches(network, test)
            found = scores(codes, labels, network, ["kmeans"], seed)
            head = {
                "experiment": "clustering_sweep", "dataset": header["dataset"],
                "lambda": value, "normalize": normalize, "replicate": r,
            }  # fmt: skip
            found["explained"] = explained_variance(test, network.decode(codes).detach())
            rows += records(head, {**found, "loss": float(history["loss"][-1, i])})
    save_table(args.output, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
