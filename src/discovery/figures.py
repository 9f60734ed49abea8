"""Draw how often discovery succeeds."""

import argparse
import json

from discovery import plots
from discovery.scores import wide
from evidence import style
from evidence.options import add_figures
from evidence.tables import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="summary/discovery.csv")
    parser.add_argument("--section", type=json.loads, required=True, help="discovery (JSON)")
    add_figures(parser)
    args = parser.parse_args()
    axes, factor = args.section["success"]["axes"], args.section["factor"]
    figure = plots.success(wide(load_table(args.table)), axes, factor)
    style.save({"discovery_success": figure}, args.output)


if __name__ == "__main__":
    main()
