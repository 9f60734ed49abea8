"""Concatenate long-form tables into one."""

import argparse

import pandas as pd

from evidence.tables import load_table, save_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+", help="CSV files in long form")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    columns = ("experiment", "replicate", "metric", "value")
    save_table(args.output, pd.concat([load_table(t, columns) for t in args.tables]))


if __name__ == "__main__":
    main()
