"""Toss a coin and count the heads."""

import argparse

import numpy as np
import pandas as pd

from evidence.tables import save_table
from groupsparse.seeds import derive_seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tosses", type=int, required=True)
    parser.add_argument("--replicates", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True, help="root seed")
    parser.add_argument("--output", required=True, help="CSV, one row per value")
    args = parser.parse_args()
    rows = []
    for replicate in range(args.replicates):
        random = np.random.default_rng(derive_seed(args.seed, "toy", replicate))
        share = random.integers(2, size=args.tosses).mean()
        head = {"experiment": "toy", "replicate": replicate}
        rows.append({**head, "metric": "heads", "value": share})
    save_table(args.output, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
