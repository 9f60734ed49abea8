"""Draw the error curves of all readings beside the paper's."""

import argparse

from evidence import style
from evidence.options import add_figures
from evidence.tables import load_table
from readings import plots
from readings.tables import paper_curve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curves", required=True, help="summary/readings_curves.csv")
    add_figures(parser)
    args = parser.parse_args()
    scores = load_table(args.curves)
    papers = {network: paper_curve(network) for network in scores.network.unique()}
    style.save({"readings_curves": plots.curves(scores, papers)}, args.output)


if __name__ == "__main__":
    main()
