"""Confront the claims of the paper with the summary tables of a run."""

import argparse
import json

from groupsparse.claims import claims
from groupsparse.claims_theory import theory_claims
from groupsparse.tables import load_table, save_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recovery", nargs="?", help="summary/recovery.csv, if any")
    parser.add_argument("--history", nargs="?", help="summary/recovery_history.csv, if any")
    parser.add_argument("--clustering", nargs="?", help="summary/clustering.csv, if any")
    parser.add_argument("--theory", nargs="?", help="summary/theory.csv, if any")
    parser.add_argument("--sweep", nargs="?", help="summary/theory_sweep.csv, if any")
    parser.add_argument("--choices", type=json.loads, required=True, help="config.report (JSON)")
    parser.add_argument(
        "--model", type=json.loads, help="config.simulation.model (JSON), with --recovery"
    )
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    recovery, history, clustering, theory, sweep = (
        load_table(path) if path else None
        for path in (args.recovery, args.history, args.clustering, args.theory, args.sweep)
    )
    further = theory_claims(theory, sweep)
    table = claims(recovery, history, clustering, args.choices, args.model, further)
    save_table(args.output, table)


if __name__ == "__main__":
    main()
