"""Draw the study of missing pixels, or that of the number of clusters, of one data set."""

import argparse

from evidence.options import add_figures
from evidence.style import save
from evidence.tables import load_table
from mixtures import curve_plots


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missing", help="summary/mixtures_missing.csv")
    parser.add_argument("--counts", help="summary/mixtures_counts.csv")
    parser.add_argument("--dataset", required=True)
    add_figures(parser)
    args = parser.parse_args()
    name = "missing" if args.missing else "counts"
    table = load_table(args.missing or args.counts, ("dataset", "replicate", "metric", "value"))
    table = table[table.dataset == args.dataset]
    draw = curve_plots.missing if args.missing else curve_plots.counts
    save({f"mixtures_{name}-{args.dataset}": draw(table)}, args.output)


if __name__ == "__main__":
    main()
