"""Confront the claims of the paper with the summary tables of a run."""

import argparse
import json

import pandas as pd

from groupsparse.claims import COLUMNS, _clustering_claims, claims
from groupsparse.claims_theory import _propositions, _theorem1, _theorem2, _wide, theory_claims
from groupsparse.tables import load_table, save_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recovery", nargs="?", help="summary/recovery.csv, if any")
    parser.add_argument("--history", nargs="?", help="summary/recovery_history.csv, if any")
    parser.add_argument("--clustering", nargs="?", help="summary/clustering.csv, if any")
    parser.add_argument("--theory", nargs="?", help="summary/theory.csv, if any")
    parser.add_argument("--sweep", nargs="?", help="summary/theory_sweep.csv, if any")
    parser.add_argument("--choices", type=json.loads, required=True, help="config.report (JSON)")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    further = about_theory(args.theory, args.sweep)
    clustering = load_table(args.clustering) if args.clustering else pd.DataFrame({"dataset": []})
    if args.recovery:
        tables = load_table(args.recovery), load_table(args.history), clustering
        table = claims(*tables, args.choices, further)
    else:
        rows = [
            row
            for dataset in clustering.dataset.unique()
            for row in _clustering_claims(clustering, dataset, args.choices)
        ]
        rows = [{"id": i, **row} for i, row in enumerate([*rows, *further], 1)]
        table = pd.DataFrame(rows, columns=COLUMNS)
    save_table(args.output, table)


def about_theory(theory: str | None, sweep: str | None) -> list[dict]:
    """Claims about Sec. 3.2; where a table is missing, those that need the other alone."""
    if theory and sweep:
        return theory_claims(load_table(theory), load_table(sweep))
    if theory:
        points = _wide(load_table(theory), ["regime", "replicate", "epoch"])
        return [*_propositions(points.droplevel(["regime", "epoch"])), *_theorem2(points)]
    if sweep:
        grid = _wide(load_table(sweep), ["delta", "lambda", "replicate"])
        return [*_propositions(grid.droplevel(["delta", "lambda"])), *_theorem1(grid)]
    return []


if __name__ == "__main__":
    main()
