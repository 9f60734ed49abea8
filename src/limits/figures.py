"""Draw error against seconds."""

import argparse
import json

from evidence import style
from evidence.options import add_figures
from evidence.tables import load_table
from limits import plots


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="summary/limits.csv")
    parser.add_argument("--section", type=json.loads, required=True, help="limits (JSON)")
    add_figures(parser)
    args = parser.parse_args()
    style.save({"limits_race": plots.race(load_table(args.table), args.section)}, args.output)


if __name__ == "__main__":
    main()
