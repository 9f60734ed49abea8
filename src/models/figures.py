"""Draw the ratios of all methods in all generative models."""

import argparse
import json

from evidence import style
from evidence.options import add_figures
from evidence.tables import load_table
from models import plots


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="summary/models.csv")
    parser.add_argument("--section", type=json.loads, required=True, help="models (JSON)")
    add_figures(parser)
    args = parser.parse_args()
    scores = load_table(args.table)
    style.save({"models_ratios": plots.ratios(scores, args.section)}, args.output)


if __name__ == "__main__":
    main()
