"""Draw Fig. 3, the comparison of initialisations and the sweep over lambda from summary tables."""

import argparse
import json

from evidence import fig3
from evidence.options import add_figures, add_options
from evidence.style import save
from evidence.tables import load_table
from recovery import plots
from recovery.size import other_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", required=True, help="summary/recovery_history.csv")
    parser.add_argument("--recovery", required=True, help="summary/recovery.csv")
    parser.add_argument("--sweep", nargs="?", help="summary/recovery_sweep.csv, if there is one")
    parser.add_argument("--model", type=json.loads, required=True, help="recovery.model (JSON)")
    add_options(parser, "--shown")
    add_figures(parser)
    args = parser.parse_args()
    history, recovery = load_table(args.history), load_table(args.recovery)
    method, init, snr = (args.shown[key] for key in ("method", "init", "snr_db"))
    here = history[history.init == init]
    # A study of another size does not stand beside the paper's curves.
    papers = fig3.NOTHING if other_size(args.model) else fig3.curves(method)
    figures = {
        "fig3a": plots.error_per_epoch(here, method, papers),
        "fig3b": plots.loss_per_epoch(here, method, args.model["n"], papers),
        "fig3c": plots.methods_compared(here, snr, papers),
        "fig3d": plots.support_recovery(recovery[recovery.init == init], papers),
        "inits": plots.inits_compared(history, method, snr),
    }
    if args.sweep:
        figures["lambda_sweep"] = plots.lambda_sweep(load_table(args.sweep))
    save(figures, args.output)


if __name__ == "__main__":
    main()
