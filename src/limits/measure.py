"""Run methods at all their noise levels on the same problems; record errors and seconds."""

import argparse
import json
import logging

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import save_tensors
from limits.conditions import FIXED, FRESH, SAMPLINGS, runs
from limits.methods import follow
from limits.problem import draw

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", type=json.loads, required=True, help="limits (JSON)")
    parser.add_argument("--sampling", choices=SAMPLINGS, required=True)
    parser.add_argument("--methods", nargs="+", required=True, help="names in the section")
    add_options(parser, "--seed", "--threads")
    parser.add_argument(
        "--dictionaries", required=True, help="artefact: what the first replicate learns"
    )
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    section, rows, learnt = args.section, [], {}

    chosen = [run for run in runs(section, args.sampling) if run.method in args.methods]
    cases = [(run.snr, r, run) for run in chosen for r in range(run.replicates)]
    warm = set()
    # Methods take turns on a problem, so that what slows the machine slows all of them.
    for snr, replicate, run in sorted(cases, key=lambda case: case[:2]):
        problem = draw(section["model"], section["correlation"], snr, args.seed, replicate)
        settings = dict(section["methods"][run.method])
        if args.sampling == FRESH:
            settings["memory"] = 1.0  # samples are new, so those of earlier passes count as well
        inputs = problem.batches[args.sampling], problem.start, problem.truth
        options = {"training": section["training"], "every": section["every"]}
        d = section["model"]["group_size"]
        if args.sampling == FIXED and run.method not in warm:  # first calls load code
            follow(settings, *inputs, d, epochs=1, **options)
            warm.add(run.method)
        found = follow(settings, *inputs, d, epochs=run.epochs, **options)
        head = {"sampling": args.sampling, "snr": snr, "method": run.method, "replicate": replicate}
        for epoch, values in found.history.items():
            rows += records({"experiment": "limits", **head, "epoch": epoch}, values)
        if not replicate:
            learnt[f"{run.method}.snr{snr:g}"] = found.dictionary
        log.info("%s: %s", head, found.history[run.epochs])
    save_table(args.output, pd.DataFrame(rows))
    save_tensors(
        args.dictionaries, learnt, kind="dictionaries", sampling=args.sampling, seed=args.seed,
        section=section,
    )  # fmt: skip


if __name__ == "__main__":
    main()
