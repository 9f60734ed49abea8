"""Train one method on a data set, from all initialisations and replicates side by side."""

import argparse
import json
import logging

import pandas as pd
import torch

from clustering.images import images
from clustering.settings import resolved
from clustering.snapshots import forget, train_and_keep
from clustering.start import seeds_of, starts
from evidence.options import add_options
from evidence.tables import long_form, save_table
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.device import choose_device
from groupsparse.files import digest
from groupsparse.supervision import SUPERVISED_INITS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--method", required=True, help="name of the method")
    parser.add_argument("--inits", nargs="+", required=True, help="inits of the dictionary")
    parser.add_argument("--spec", type=json.loads, required=True, help="the network (JSON)")
    parser.add_argument("--settings", type=json.loads, required=True, help="settings of the data")
    parser.add_argument("--center", action="store_true", help="subtract the training mean")
    parser.add_argument("--scored", type=int, nargs="*", default=[], help="epochs to keep too")
    add_options(parser, "--replicates", "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--checkpoint", help="file to resume an interrupted run from")
    parser.add_argument("--output", required=True, help="artefact with the dictionaries")
    parser.add_argument("--history", required=True, help="CSV: loss per epoch and replicate")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)
    tensors, header = load_tensors(args.data)
    spec, settings = args.spec, resolved(args.settings, tensors)
    training = settings["training"]
    (data,) = images(tensors, settings, args.center)
    seeds = seeds_of(args.seed, header["dataset"], args.replicates)
    problem = data, tensors.get("train_labels"), settings, spec["prox"], seeds
    inits = {name: starts(name, *problem) for name in args.inits}
    begin = torch.cat(list(inits.values()))
    model = Autoencoder.from_spec(begin, spec, settings["group_size"]).to(device)
    kept = sorted({*args.scored, training["epochs"]})
    same_start = {k: v for k, v in settings.items() if k != "training"}
    data_and_start = [digest(__file__), digest(args.data), args.seed, args.center, same_start]
    history, snapshots = train_and_keep(
        model,
        # No initialisation in the seeds either: a replicate sees the same batches from each.
        FixedData(data.to(device), seeds * len(inits), training["batch_size"]),
        kept,
        **{k: v for k, v in training.items() if k != "batch_size"},
        checkpoint=args.checkpoint,
        fingerprint=[*data_and_start, args.inits, args.replicates, training["batch_size"]],
    )
    trained, tables, condition = {}, [], {"dataset": header["dataset"], "method": args.method}
    for i, name in enumerate(inits):
        here = slice(i * args.replicates, (i + 1) * args.replicates)
        trained[f"dictionary.{name}"], trained[f"init.{name}"] = model.dictionary[here], inits[name]
        for epoch in kept[:-1]:
            trained[f"dictionary.{name}.{epoch}"] = snapshots[epoch][here]
        part = {metric: values[:, here] for metric, values in history.items()}
        where = {**condition, "init": name, "centered": args.center}
        tables.append(long_form(part, "clustering", where))
    save_table(args.history, pd.concat(tables))
    save_tensors(
        args.output,
        trained,
        kind="dictionary",
        **condition,
        centered=args.center,
        inits=args.inits,
        labels_used_by=[name for name in args.inits if name in SUPERVISED_INITS],
        scored=kept,
        spec=spec,
        settings=settings,
        seed=args.seed,
    )
    forget(args.checkpoint, kept)


if __name__ == "__main__":
    main()
