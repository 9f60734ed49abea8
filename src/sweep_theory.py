"""Measure support recovery and the paper's bounds over a grid of delta and lambda."""

import argparse
import json

import pandas as pd
import torch

from groupsparse import theory
from groupsparse.dictionary import orthonormalize_groups, tilt_groups
from groupsparse.generative import random_dictionary, sample
from groupsparse.seeds import generator
from groupsparse.tables import save_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep", type=json.loads, required=True, help="theory.sweep (JSON)")
    parser.add_argument("--replicates", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True, help="root seed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = args.sweep["model"]
    d, amplitude = model["group_size"], tuple(model["amplitude"])

    rows = []
    for r in range(args.replicates):
        seed = (args.seed, "theory sweep", r)
        atoms = model["groups"] * d
        truth = random_dictionary(model["n"], atoms, generator(*seed, "dictionary"))
        truth = orthonormalize_groups(truth, d)
        drawn = sample(
            truth, d, model["active_groups"], amplitude, model["samples"],
            generator(*seed, "data"), std=0.0,
        )  # fmt: skip
        for delta in args.sweep["delta"]:
            # One direction for all delta: the inits lie on one path away from A*.
            dictionary = tilt_groups(truth, delta, d, generator(*seed, "init"))
            for fraction in args.sweep["lambda"]:
                lambda_ = fraction * amplitude[0]
                values = theory.measure(dictionary, truth, drawn, lambda_, amplitude, d)
                head = {"experiment": "theory_sweep", "replicate": r}
                point = {"delta": delta, "lambda": fraction}
                rows += [
                    {**head, **point, "metric": k, "value": v} for k, v in values.items() if v == v
                ]
    save_table(args.output, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
