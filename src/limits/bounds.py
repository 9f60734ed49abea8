"""What bounds the errors: least squares given the true codes, and a random dictionary."""

import argparse
import json
import logging

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.generative import random_dictionary
from groupsparse.seeds import generator
from limits.conditions import CHANCE, FIXED, ORACLE, SAMPLINGS, oracle_epochs
from limits.methods import errors
from limits.problem import PooledOracle, draw, fixed_oracle

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", type=json.loads, required=True, help="limits (JSON)")
    parser.add_argument("--sampling", choices=SAMPLINGS, required=True)
    add_options(parser, "--seed", "--threads")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    section, model = args.section, args.section["model"]
    d, atoms = model["group_size"], model["groups"] * model["group_size"]

    rows = []
    for snr, needed in oracle_epochs(section, args.sampling).items():
        for replicate in range(max(needed.values())):
            problem = draw(model, section["correlation"], snr, args.seed, replicate)
            last = max(epochs for epochs, count in needed.items() if replicate < count)
            head = {"experiment": "limits", "sampling": args.sampling, "snr": snr}
            random = generator(args.seed, "limits", replicate, "chance")
            chance = errors(random_dictionary(model["n"], atoms, random), problem.truth, d)
            rows += records({**head, "method": CHANCE, "replicate": replicate, "epoch": 1}, chance)
            pooled = PooledOracle(model["n"], atoms)
            for epoch in range(1, last + 1):
                if args.sampling == FIXED:
                    estimate = fixed_oracle(problem, model["groups"])
                else:
                    pooled.add(problem.batches[args.sampling].samples(epoch)[0])
                    estimate = pooled.dictionary() if epoch in needed else None
                if estimate is not None:
                    found = errors(estimate, problem.truth, d)
                    here = {"method": ORACLE, "replicate": replicate, "epoch": epoch}
                    rows += records({**head, **here}, found)
                    log.info("%s: %s", {**head, **here}, found)
    save_table(args.output, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
