"""Draw the figures of the theory section from the summary tables."""

import argparse

from groupsparse import plots
from groupsparse.tables import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--theory", required=True, help="summary/theory.csv")
    parser.add_argument("--sweep", required=True, help="summary/theory_sweep.csv")
    parser.add_argument(
        "--output", nargs="+", required=True, help="PNG and/or SVG files named after the figures"
    )
    args = parser.parse_args()
    theory, sweep = load_table(args.theory), load_table(args.sweep)
    figures = {
        "theory_constants": plots.theory_constants(theory),
        "theory_gradients": plots.theory_gradients(theory),
        "theory_support": plots.theory_support(sweep),
    }
    plots.save(figures, args.output)


if __name__ == "__main__":
    main()
