"""Draw the figures of the theory section from the summary tables."""

import argparse

from evidence.options import add_figures
from evidence.style import save
from evidence.tables import load_table
from theory import plots


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--theory", nargs="?", help="summary/theory.csv, if there is one")
    parser.add_argument("--sweep", nargs="?", help="summary/theory_sweep.csv, if there is one")
    add_figures(parser)
    args = parser.parse_args()
    figures = {}
    if args.theory:
        theory = load_table(args.theory)
        figures["theory_constants"] = plots.theory_constants(theory)
        figures["theory_gradients"] = plots.theory_gradients(theory)
    if args.sweep:
        figures["theory_support"] = plots.theory_support(load_table(args.sweep))
    save(figures, args.output)


if __name__ == "__main__":
    main()
