"""Draw Table 1 at a glance, or scores against the number of epochs, of one data set."""

import argparse

from groupsparse import plots
from groupsparse.files import load_table
from groupsparse.supervision import SUPERVISED_INITS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", choices=["table1", "convergence"], required=True)
    parser.add_argument("--table", required=True, help="summary/clustering.csv or convergence.csv")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--epochs", type=int, required=True, help="epochs behind Table 1")
    parser.add_argument("--output", nargs="+", required=True, help="PNG and/or SVG files")
    args = parser.parse_args()
    table = load_table(args.table, ("dataset", "method", "init", "metric", "value"))
    table = table[table.dataset == args.dataset]
    if args.figure == "table1":
        figure = plots.clustering_accuracy(table, args.dataset, SUPERVISED_INITS)
    else:
        figure = plots.convergence(table, args.epochs)
    plots.save(figure, args.output)


if __name__ == "__main__":
    main()
