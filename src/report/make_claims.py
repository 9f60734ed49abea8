"""Confront the claims of the paper with the summary tables of a run."""

import argparse
import json

from clustering import claims as clustering
from evidence.claims import collect
from evidence.tables import load_table, save_table
from recovery import claims as recovery
from theory import claims as theory


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
    tables = {
        name: load_table(path)
        for name in ("recovery", "history", "clustering", "theory", "sweep")
        if (path := getattr(args, name))
    }
    experiments = [recovery, clustering, theory]
    save_table(args.output, collect(experiments, tables, args.choices, args.model))


if __name__ == "__main__":
    main()
