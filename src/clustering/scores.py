"""Draw Table 1 of one data set as a figure."""

import argparse

from clustering import plots
from clustering.words import named
from evidence.options import add_figures
from evidence.paper import paper_table
from evidence.style import save
from evidence.tables import load_table
from groupsparse.supervision import SUPERVISED_INITS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clustering", required=True, help="summary/clustering.csv")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--own", action="store_true", help="the data are the user's own")
    add_figures(parser)
    args = parser.parse_args()
    table = load_table(args.clustering, ("dataset", "method", "init", "metric", "value"))
    table, printed = table[table.dataset == args.dataset], paper_table("table1")
    printed = printed[printed.dataset == args.dataset]
    raw = named("raw", args.own)
    figure = plots.clustering_accuracy(table, args.dataset, printed, SUPERVISED_INITS, raw)
    save({f"table1-{args.dataset}": figure}, args.output)


if __name__ == "__main__":
    main()
