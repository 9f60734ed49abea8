"""Draw the share of heads of every replicate."""

import argparse

import seaborn as sns
from matplotlib.figure import Figure

from evidence import style
from evidence.options import add_figures
from evidence.tables import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="summary/toy.csv")
    add_figures(parser)
    args = parser.parse_args()
    figure = Figure(figsize=(5, 3))
    ax = figure.subplots()
    sns.barplot(load_table(args.table), x="replicate", y="value", ax=ax)
    ax.set(ylabel="share of heads", ylim=(0, 1))
    style.save({"toy_heads": figure}, args.output)


if __name__ == "__main__":
    main()
