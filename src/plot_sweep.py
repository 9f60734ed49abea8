"""Draw the sweep over lambda."""

import argparse

from groupsparse import plots
from groupsparse.files import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep", required=True, help="table of sweep_lambda.py")
    parser.add_argument("--output", nargs="+", required=True, help="PNG and/or SVG files")
    args = parser.parse_args()
    plots.save({"lambda_sweep": plots.lambda_sweep(load_table(args.sweep))}, args.output)


if __name__ == "__main__":
    main()
