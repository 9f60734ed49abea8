"""Train one method on a data set, from all initialisations and replicates side by side."""

import argparse
import json
import logging

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import long_form, save_table
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.device import choose_device
from groupsparse.files import digest, remove
from groupsparse.init import initialize
from groupsparse.preprocess import preprocess
from groupsparse.seeds import derive_seed
from groupsparse.supervision import SUPERVISED_INITS
from groupsparse.training import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--method", required=True, help="name of the method")
    parser.add_argument("--inits", nargs="+", required=True, help="inits of the dictionary")
    parser.add_argument("--spec", type=json.loads, required=True, help="the method's config (JSON)")
    parser.add_argument("--settings", type=json.loads, required=True, help="settings of the data")
    parser.add_argument("--center", action="store_true", help="subtract the training mean")
    add_options(parser, "--replicates", "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--checkpoint", help="file to resume an interrupted run from")
    parser.add_argument("--output", required=True, help="artefact with the dictionaries")
    parser.add_argument("--history", required=True, help="CSV: loss per epoch and replicate")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)
    spec, settings = args.spec, args.settings

    tensors, header = load_tensors(args.data)
    options = {"center": args.center, "unit_norm": settings["unit_norm"]}
    (data,) = preprocess(tensors["train_data"], **options)
    # No method in the seeds: all methods start from the same atoms and see the same batches.
    seeds = [
        derive_seed(args.seed, "clustering", header["dataset"], r) for r in range(args.replicates)
    ]
    size = settings["groups"], settings["group_size"]
    supervised = [name for name in args.inits if name in SUPERVISED_INITS]
    inits = {}
    for name in args.inits:
        logging.info("init %s of %d replicates", name, args.replicates)
        # Only an initialisation that uses labels by its name gets them.
        labels = tensors["train_labels"] if name in supervised else None
        inits[name] = torch.stack(
            [initialize(name, data, *size, derive_seed(seed, name), labels) for seed in seeds]
        )
    starts = torch.cat(list(inits.values()))
    model = Autoencoder.from_spec(starts, spec, settings["group_size"]).to(device)
    training = settings["training"]
    # Epochs are not included: an interrupted training may continue to more.
    same_start = {k: settings[k] for k in ("groups", "group_size", "unit_norm")}
    data_and_start = [digest(__file__), digest(args.data), args.seed, args.center, same_start]
    history = train(
        model,
        # No initialisation either: a replicate sees the same batches from each.
        FixedData(data.to(device), seeds * len(inits), training["batch_size"]),
        **{k: v for k, v in training.items() if k != "batch_size"},
        checkpoint=args.checkpoint,
        fingerprint=[*data_and_start, args.inits, args.replicates, training["batch_size"]],
    )
    trained, tables, condition = {}, [], {"dataset": header["dataset"], "method": args.method}
    for i, name in enumerate(inits):
        here = slice(i * args.replicates, (i + 1) * args.replicates)
        trained[f"dictionary.{name}"], trained[f"init.{name}"] = model.dictionary[here], inits[name]
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
        labels_used_by=supervised,
        spec=spec,
        settings=settings,
        seed=args.seed,
    )
    if args.checkpoint:
        remove(args.checkpoint)


if __name__ == "__main__":
    main()
