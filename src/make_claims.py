"""Confront the claims of the paper with the summary tables of a run."""

import argparse
import json

from groupsparse.claims import claims
from groupsparse.claims_theory import theory_claims
from groupsparse.tables import load_table, save_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recovery", required=True, help="summary/recovery.csv")
    parser.add_argument("--history", required=True, help="summary/recovery_history.csv")
    parser.add_argument("--clustering", required=True, help="summary/clustering.csv")
    parser.add_argument("--theory", required=True, help="summary/theory.csv")
    parser.add_argument("--sweep", required=True, help="summary/theory_sweep.csv")
    parser.add_argument("--choices", type=json.loads, required=True, help="config.report (JSON)")
    parser.add_argument(
        "--model", type=json.loads, required=True, help="config.simulation.model (JSON)"
    )
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    tables = [load_table(path) for path in (args.recovery, args.history, args.clustering)]
    theory = theory_claims(load_table(args.theory), load_table(args.sweep))
    save_table(args.output, claims(*tables, args.choices, args.model, theory))


if __name__ == "__main__":
    main()
