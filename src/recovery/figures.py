"""Draw Fig. 3, the comparison of initialisations and the sweep over lambda from summary tables."""

import argparse
import json

from evidence import plots
from evidence.tables import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", required=True, help="summary/recovery_history.csv")
    parser.add_argument("--recovery", required=True, help="summary/recovery.csv")
    parser.add_argument("--sweep", nargs="?", help="summary/lambda_sweep.csv, if there is one")
    parser.add_argument("--choices", type=json.loads, required=True, help="config.report (JSON)")
    parser.add_argument(
        "--output", nargs="+", required=True, help="PNG and/or SVG files named after the figures"
    )
    args = parser.parse_args()
    history, recovery = load_table(args.history), load_table(args.recovery)
    method, start, snr = (args.choices[k] for k in ("method", "simulation_init", "snr_db"))
    here = history[history.init == start]
    figures = {
        "fig3a": plots.error_per_epoch(here, method),
        "fig3b": plots.loss_per_epoch(here, method),
        "fig3c": plots.methods_compared(here, snr),
        "fig3d": plots.support_recovery(recovery[recovery.init == start]),
        "inits": plots.inits_compared(history, method, snr),
    }
    if args.sweep:
        figures["lambda_sweep"] = plots.lambda_sweep(load_table(args.sweep))
    plots.save(figures, args.output)


if __name__ == "__main__":
    main()
