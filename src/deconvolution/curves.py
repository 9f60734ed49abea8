"""Draw the sweeps."""

import argparse
import json

from deconvolution import plots
from deconvolution.results import wide
from evidence import style
from evidence.options import add_figures
from evidence.tables import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="summary/deconvolution.csv")
    parser.add_argument("--section", type=json.loads, required=True, help="deconvolution (JSON)")
    add_figures(parser)
    args = parser.parse_args()
    figure = plots.sweeps(wide(load_table(args.table)), args.section)
    style.save({"deconvolution_sweeps": figure}, args.output)


if __name__ == "__main__":
    main()
