"""Measure support recovery and the paper's bounds over a grid of delta and lambda."""

import argparse
import json

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import save_tensors
from groupsparse.dictionary import orthonormalize_groups, tilt_groups
from groupsparse.generative import (
    Sample,
    balance_signs,
    decode,
    random_dictionary,
    sample_codes,
)
from groupsparse.seeds import generator
from theory.quantities import measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep", type=json.loads, required=True, help="theory.sweep (JSON)")
    add_options(parser, "--replicates", "--seed", "--threads")
    parser.add_argument("--dictionaries", required=True, help="artefact: A* and the inits")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = args.sweep["model"]
    d, amplitude = model["group_size"], tuple(model["amplitude"])

    rows, drawn_from = [], []
    for r in range(args.replicates):
        seed = (args.seed, "theory sweep", r)
        atoms = model["groups"] * d
        truth = random_dictionary(model["n"], atoms, generator(*seed, "dictionary"))
        truth = orthonormalize_groups(truth, d)
        # One direction for all delta: the inits are on one path away from A*.
        path = {e: tilt_groups(truth, e, d, generator(*seed, "init")) for e in args.sweep["delta"]}
        drawn_from.append(torch.stack([truth, *path.values()]))
        # Without noise all is in the span of A* and that path: coordinates there are far fewer.
        furthest = path[max(path)]
        basis = torch.linalg.qr(torch.cat([truth, furthest], -1)).Q
        truth = basis.T @ truth
        # Products of co-active groups would hide the small gradients near A*.
        patterns = 1 << (model["active_groups"] - 1).bit_length()
        codes = balance_signs(
            sample_codes(
                max(model["samples"] // patterns, 1), model["groups"], d, model["active_groups"],
                amplitude, generator(*seed, "data"),
            )
        )  # fmt: skip
        drawn = Sample(decode(truth, codes), codes, 0.0)
        for delta, away in path.items():
            dictionary = basis.T @ away
            for fraction in args.sweep["lambda"]:
                lambda_ = fraction * amplitude[0]
                values = measure(dictionary, truth, drawn, lambda_, amplitude, d)
                values.pop("neighbourhood", None)  # it has the n that was left behind
                head = {"experiment": "theory_sweep", "replicate": r}
                rows += records({**head, "delta": delta, "lambda": fraction}, values)
    save_table(args.output, pd.DataFrame(rows).dropna(subset="value"))
    names = ["dictionary", *(f"init.{delta}" for delta in args.sweep["delta"])]
    tensors = dict(zip(names, torch.stack(drawn_from, 1), strict=True))
    save_tensors(args.dictionaries, tensors, kind="theory_sweep", sweep=args.sweep, seed=args.seed)


if __name__ == "__main__":
    main()
