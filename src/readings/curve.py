"""Train a network on simulated data under one reading; record its errors and supports."""

import argparse
import json
import logging

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import long_form, records, save_table
from groupsparse import recovery
from groupsparse.artifacts import save_tensors
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.batches import FixedData, FreshData, FreshNoise
from groupsparse.device import choose_device
from groupsparse.dictionary import perturb
from groupsparse.generative import Codes, dense_codes, random_dictionary, sample
from groupsparse.seeds import derive_seed, generator
from groupsparse.training import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", required=True, help="the curve of the paper it is held to")
    parser.add_argument("--reading", required=True, help="name of the reading")
    parser.add_argument("--settings", type=json.loads, required=True, help="the reading (JSON)")
    parser.add_argument("--part", type=json.loads, required=True, help="readings.curves (JSON)")
    add_options(parser, "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--dictionary", required=True, help="artefact: the trained dictionary")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)
    settings, part = args.settings, args.part
    model, snr, training = part["model"], part["snr_db"], part["training"]

    # No reading in the seeds: all readings have the same A*, direction of the init and samples.
    d = model["group_size"]
    seed = (args.seed, "readings", 0)
    truth = random_dictionary(model["n"], model["groups"] * d, generator(*seed, "dictionary"))
    noise = generator(*seed, "init")
    start = perturb(truth, settings["correlation"], noise, settings["normalized"])
    generative = {k: v for k, v in model.items() if k not in ("n", "groups")}
    drawn = sample(truth, **generative, generator=generator(*seed, "data", snr), snr_db=snr)
    order = [derive_seed(*seed, "training", snr)]
    if settings["sampling"] == "fixed":
        batches = FixedData(drawn.data.unsqueeze(0), order)
    elif settings["sampling"] == "fresh_noise":
        codes = Codes(*(part.unsqueeze(0) for part in drawn.codes))
        batches = FreshNoise(truth.unsqueeze(0), codes, [drawn.noise_std], order)
    else:
        batches = FreshData(truth.unsqueeze(0), [drawn.noise_std], order, **generative)
    network = Autoencoder(start.unsqueeze(0), settings["prox"], settings["lambda"], d).to(device)
    reference = truth.to(device)
    history = train(
        network,
        batches,
        **training,
        metrics=lambda a: {"squared_error": recovery.squared_error(a, reference)},
    )
    condition = {"network": args.network, "reading": args.reading}
    errors = long_form({"squared_error": history["squared_error"]}, "readings", condition)
    codes = encode_in_batches(network, drawn.data)[0]
    true_codes = dense_codes(drawn.codes, model["groups"])
    scores = supports(codes, true_codes)
    head = {"experiment": "readings", **condition, "replicate": 0, "epoch": training["epochs"]}
    save_table(args.output, pd.concat([errors, pd.DataFrame(records(head, scores))]))
    save_tensors(
        args.dictionary, {"dictionary": network.dictionary}, kind="reading", **condition,
        settings=settings, part=part, seed=args.seed,
    )  # fmt: skip


def supports(codes: torch.Tensor, true_codes: torch.Tensor) -> dict[str, float]:
    """Recall over all true entries, and over the positive ones, which a one-sided code can find."""
    true = {"entry_recall": true_codes != 0, "positive_recall": true_codes > 0}
    return {name: recovery.support_scores(codes != 0, of)["recall"] for name, of in true.items()}


if __name__ == "__main__":
    main()
