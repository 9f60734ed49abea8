"""Draw scores against the number of epochs, or against lambda, of one data set."""

import argparse

from clustering import curve_plots
from evidence.options import add_figures
from evidence.style import save
from evidence.tables import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--convergence", help="summary/clustering_convergence.csv")
    parser.add_argument("--epochs", type=int, help="epochs behind Table 1")
    parser.add_argument("--sweep", help="summary/clustering_sweep.csv")
    parser.add_argument("--dataset", required=True)
    add_figures(parser)
    args = parser.parse_args()
    name = "convergence" if args.convergence else "sweep"
    table = load_table(args.convergence or args.sweep, ("dataset", "replicate", "metric", "value"))
    table = table[table.dataset == args.dataset]
    figure = (
        curve_plots.convergence(table, args.epochs)
        if args.convergence
        else curve_plots.sweep(table)
    )
    save({f"{name}-{args.dataset}": figure}, args.output)


if __name__ == "__main__":
    main()
