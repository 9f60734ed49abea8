"""Draw Table 1 as a figure, and scores against the number of epochs, of one data set."""

import argparse

import pandas as pd

from clustering import plots
from evidence.options import add_figures
from evidence.paper import paper_table
from evidence.style import save
from evidence.tables import load_table
from groupsparse.supervision import SUPERVISED_INITS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clustering", required=True, help="summary/clustering.csv")
    parser.add_argument("--convergence", nargs="?", help="clustering_convergence.csv, if any")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--epochs", type=int, required=True, help="epochs behind Table 1")
    add_figures(parser)
    args = parser.parse_args()
    columns = ("dataset", "method", "init", "metric", "value")

    def here(path: str) -> pd.DataFrame:
        table = load_table(path, columns)
        return table[table.dataset == args.dataset]

    clustering = here(args.clustering)
    printed = paper_table("table1")
    printed = printed[printed.dataset == args.dataset]
    table1 = plots.clustering_accuracy(clustering, args.dataset, printed, SUPERVISED_INITS)
    figures = {"table1": table1}
    if args.convergence:
        figures["convergence"] = plots.convergence(here(args.convergence), args.epochs)
    save({f"{k}-{args.dataset}": v for k, v in figures.items()}, args.output)


if __name__ == "__main__":
    main()
