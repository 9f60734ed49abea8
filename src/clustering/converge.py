"""Train one method for many epochs and score its test codes at snapshots."""

import argparse
import json
import logging

import torch

from clustering.images import images
from clustering.settings import resolved
from clustering.snapshots import forget, train_and_keep
from clustering.start import seeds_of, starts
from evidence.options import add_options
from evidence.tables import long_form, save_table
from groupsparse import clustering
from groupsparse.artifacts import load_tensors
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.batches import FixedData
from groupsparse.device import choose_device
from groupsparse.files import digest
from groupsparse.seeds import derive_seed
from groupsparse.topk import acts_on_groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--method", required=True, help="name of the method")
    parser.add_argument("--init", required=True, help="init of the dictionary")
    parser.add_argument("--spec", type=json.loads, required=True, help="the network (JSON)")
    parser.add_argument("--settings", type=json.loads, required=True, help="settings of the data")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--snapshots", type=int, nargs="+", required=True, help="epochs to score")
    parser.add_argument(
        "--algorithms", nargs="*", default=[], choices=clustering.ALGORITHMS, help="of the codes"
    )
    add_options(parser, "--replicates", "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--checkpoint", help="file to resume an interrupted run from")
    parser.add_argument("--output", required=True, help="CSV: loss and ACC per epoch, long form")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)
    tensors, header = load_tensors(args.data)
    spec, settings = args.spec, resolved(args.settings, tensors)
    training = settings["training"]
    data, test = images(tensors, settings, False, "test_data")
    # The first replicates of clustering.train, trained longer: same init, batches and seeds.
    seeds = seeds_of(args.seed, header["dataset"], args.replicates)
    begin = starts(args.init, data, tensors["train_labels"], settings, spec["prox"], seeds)
    model = Autoencoder.from_spec(begin, spec, settings["group_size"]).to(device)
    same_start = {k: v for k, v in settings.items() if k not in ("training", "neighbors")}
    history, dictionaries = train_and_keep(
        model,
        FixedData(data.to(device), seeds, training["batch_size"]),
        args.snapshots,
        epochs=args.epochs,
        **{k: v for k, v in training.items() if k != "batch_size"},
        checkpoint=args.checkpoint,
        fingerprint=[digest(__file__), digest(args.data), same_start, training["batch_size"]],
    )
    labels = tensors["test_labels"].numpy()
    for epoch, dictionary in dictionaries.items():
        logging.info("scoring epoch %d", epoch)
        codes = encode_in_batches(Autoencoder.from_spec(dictionary, spec, model.group_size), test)
        for r, replicate in enumerate(codes):
            seed = derive_seed(args.seed, "clustering", header["dataset"], r, "evaluate")
            found = scores(replicate, labels, model, args.algorithms, seed, settings["neighbors"])
            for name, value in found.items():
                empty = torch.full((args.epochs + 1, args.replicates), torch.nan)
                history.setdefault(name, empty)[epoch, r] = value
    condition = {"dataset": header["dataset"], "method": args.method, "init": args.init}
    save_table(args.output, long_form(history, "convergence", condition))
    forget(args.checkpoint, args.snapshots)


def scores(codes, labels, model, algorithms, seed, neighbors=None) -> dict[str, float]:
    """ACC of codes (N, m) by each algorithm and by the active group, and how sparse they are.

    ``neighbors`` are those of spectral clustering.
    """
    assignments = {
        name: clustering.cluster(codes.numpy(), int(labels.max()) + 1, name, seed, neighbors)
        for name in algorithms
    }
    sparsity = clustering.sparsity(codes, model.group_size)
    found = {"active_entries": sparsity["active_entries"]}
    if acts_on_groups(model.activation):
        assignments["argmax"] = clustering.active_group(codes, model.group_size)
        found["active_groups"] = sparsity["active_groups"]
    accuracy = {f"acc_{k}": clustering.accuracy(labels, a) for k, a in assignments.items()}
    return accuracy | found


if __name__ == "__main__":
    main()
