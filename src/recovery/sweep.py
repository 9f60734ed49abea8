"""Train small problems over a grid of lambda and noise levels, all at once in one batch."""

import argparse
import json
import logging

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse import recovery
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.batches import FixedData
from groupsparse.device import choose_device
from groupsparse.dictionary import perturb
from groupsparse.generative import dense_codes, random_dictionary, sample
from groupsparse.seeds import derive_seed, generator
from groupsparse.training import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep", type=json.loads, required=True, help="recovery.sweep (JSON)")
    add_options(parser, "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)
    sweep, model = args.sweep, args.sweep["model"]
    d, groups = model["group_size"], model["groups"]

    problems = [(r, snr) for r in range(sweep["replicates"]) for snr in sweep["snr_db"]]
    truths, inits, samples = [], [], []
    for replicate, snr in problems:
        # Noise levels share dictionary and init, as in the simulation.
        seed = (args.seed, "lambda sweep", replicate)
        truths.append(random_dictionary(model["n"], groups * d, generator(*seed, "dictionary")))
        noise = generator(*seed, "init")
        inits.append(perturb(truths[-1], sweep["correlation"], noise, normalized=True))
        options = {k: v for k, v in model.items() if k not in ("n", "groups")}
        samples.append(
            sample(truths[-1], **options, generator=generator(*seed, "data", snr), snr_db=snr)
        )
    supports = [dense_codes(s.codes, groups) != 0 for s in samples]

    # One batch: every lambda meets every problem.
    points = [(lambda_, p) for lambda_ in sweep["lambda"] for p in range(len(problems))]
    thresholds = torch.tensor([lambda_ for lambda_, _ in points])
    init = torch.stack([inits[p] for _, p in points])
    truth = torch.stack([truths[p] for _, p in points])
    data = torch.stack([samples[p].data for _, p in points])
    seeds = [derive_seed(args.seed, "lambda sweep", "order", p) for _, p in points]
    rows = []
    for prox in sweep["prox"]:
        logging.info("%s: %d problems at once", prox, len(points))
        autoencoder = Autoencoder(init, prox, thresholds, d).to(device)
        train(autoencoder, FixedData(data.to(device), seeds), **sweep["training"])
        errors = recovery.squared_error(autoencoder.dictionary.detach().cpu(), truth).tolist()
        codes = encode_in_batches(autoencoder, data)
        for (lambda_, p), error, x in zip(points, errors, codes, strict=True):
            found, true = (recovery.group_support(s, d) for s in (x, supports[p].to(x)))
            scores = {f"group_{k}": v for k, v in recovery.support_scores(found, true).items()}
            replicate, snr = problems[p]
            point = {"prox": prox, "snr": snr, "lambda": lambda_, "replicate": replicate}
            head = {"experiment": "lambda_sweep", **point}
            rows += records(head, {"squared_error": error, **scores})
    save_table(args.output, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
