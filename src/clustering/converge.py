"""Train one method for many epochs and score its test codes at snapshots."""

import argparse
import json
import logging

import torch

from evidence.options import add_options
from evidence.tables import long_form, save_table
from groupsparse import clustering
from groupsparse.artifacts import load_tensors
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.batches import FixedData
from groupsparse.device import choose_device
from groupsparse.init import initialize
from groupsparse.preprocess import preprocess
from groupsparse.seeds import derive_seed
from groupsparse.supervision import SUPERVISED_INITS
from groupsparse.training import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--method", required=True, help="name of the method")
    parser.add_argument("--init", required=True, help="init of the dictionary")
    parser.add_argument("--spec", type=json.loads, required=True, help="the method's config (JSON)")
    parser.add_argument("--settings", type=json.loads, required=True, help="settings of the data")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--snapshots", type=int, nargs="+", required=True, help="epochs to score")
    add_options(parser, "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--output", required=True, help="CSV: loss and ACC per epoch, long form")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)
    spec, settings = args.spec, args.settings

    tensors, header = load_tensors(args.data)
    data, test = preprocess(
        tensors["train_data"],
        tensors["test_data"],
        center=False,
        unit_norm=settings["unit_norm"],
    )
    test_labels = tensors["test_labels"].numpy()
    classes = int(test_labels.max()) + 1
    # The first replicate of clustering.train, trained longer: same init, batches and seeds.
    seed = derive_seed(args.seed, "clustering", header["dataset"], 0)
    scoring_seed = derive_seed(args.seed, "clustering", header["dataset"], 0, "evaluate")
    labels = tensors["train_labels"] if args.init in SUPERVISED_INITS else None
    size = settings["groups"], settings["group_size"]
    init = initialize(args.init, data, *size, derive_seed(seed, args.init), labels)
    size = settings["group_size"]
    model = Autoencoder.from_spec(init.unsqueeze(0), spec, size).to(device)
    grouped = model.activation.grouped
    scores = {}  # epoch -> ACC by algorithm

    def score(epoch: int, model: Autoencoder) -> None:
        if epoch not in args.snapshots:
            return
        logging.info("scoring epoch %d", epoch)
        codes = encode_in_batches(model, test)[0]
        assignments = {
            algorithm: clustering.cluster(
                codes.numpy(), classes, algorithm, scoring_seed, settings["neighbors"]
            )
            for algorithm in clustering.ALGORITHMS
        }
        if grouped:
            assignments["argmax"] = clustering.active_group(codes, size)
        scores[epoch] = {k: clustering.accuracy(test_labels, a) for k, a in assignments.items()}

    score(0, model)
    training = settings["training"]
    history = train(
        model,
        FixedData(data.to(device), [seed], training["batch_size"]),
        epochs=args.epochs,
        callback=score,
        **{k: training[k] for k in ("lr", "optimizer", "normalize")},
    )
    for name in (*clustering.ALGORITHMS, *(["argmax"] if grouped else [])):
        accuracy = torch.full((args.epochs + 1, 1), torch.nan)
        for epoch, values in scores.items():
            accuracy[epoch] = values[name]
        history[f"acc_{name}"] = accuracy
    condition = {"dataset": header["dataset"], "method": args.method, "init": args.init}
    save_table(args.output, long_form(history, "convergence", condition))


if __name__ == "__main__":
    main()
