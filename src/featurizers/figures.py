"""Draw what is found by how often it occurs."""

import argparse
import json

from evidence import style
from evidence.options import add_figures
from evidence.tables import load_table
from featurizers import plots


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="summary/featurizers_concepts.csv")
    parser.add_argument("--section", type=json.loads, required=True, help="featurizers (JSON)")
    add_figures(parser)
    args = parser.parse_args()
    figure = plots.by_rate(load_table(args.table), args.section)
    style.save({"featurizers_rates": figure}, args.output)


if __name__ == "__main__":
    main()
