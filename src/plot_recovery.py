"""Draw one panel of Fig. 3 from the summary tables."""

import argparse
import json

from groupsparse import plots
from groupsparse.files import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--figure", choices=["fig3a", "fig3b", "fig3c", "fig3d", "inits"], required=True
    )
    parser.add_argument("--history", required=True, help="summary/recovery_history.csv")
    parser.add_argument("--recovery", required=True, help="summary/recovery.csv")
    parser.add_argument("--choices", type=json.loads, required=True, help="config.report (JSON)")
    parser.add_argument("--output", nargs="+", required=True, help="PNG and/or SVG files")
    args = parser.parse_args()
    history, recovery = load_table(args.history), load_table(args.recovery)
    method, start = args.choices["method"], args.choices["simulation_init"]
    everything = history
    history, recovery = (table[table.init == start] for table in (history, recovery))
    if args.figure == "inits":
        figure = plots.inits_compared(everything, method, args.choices["snr_db"])
    elif args.figure == "fig3a":
        figure = plots.error_per_epoch(history, method)
    elif args.figure == "fig3b":
        figure = plots.loss_per_epoch(history, method)
    elif args.figure == "fig3c":
        figure = plots.methods_compared(history, args.choices["snr_db"])
    else:
        figure = plots.support_recovery(recovery)
    plots.save(figure, args.output)


if __name__ == "__main__":
    main()
