"""Draw one figure of the theory section from the summary tables."""

import argparse

from groupsparse import plots
from groupsparse.artifacts import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    figures = ["theory_constants", "theory_support", "theory_gradients"]
    parser.add_argument("--figure", choices=figures, required=True)
    parser.add_argument("--theory", required=True, help="summary/theory.csv")
    parser.add_argument("--sweep", required=True, help="summary/theory_sweep.csv")
    parser.add_argument("--output", nargs="+", required=True, help="PNG and/or SVG files")
    args = parser.parse_args()
    theory, sweep = load_table(args.theory), load_table(args.sweep)
    if args.figure == "theory_constants":
        figure = plots.theory_constants(theory)
    elif args.figure == "theory_support":
        figure = plots.theory_support(sweep)
    else:
        figure = plots.theory_gradients(theory)
    plots.save(figure, args.output)


if __name__ == "__main__":
    main()
