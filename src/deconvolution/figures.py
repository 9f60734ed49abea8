"""Draw what a method learns from one recording: kernels, a trial, the errors of its events."""

import argparse
import json

import pandas as pd
import torch

from deconvolution import plots
from deconvolution.conditions import KNOWN_TIMES, Job
from deconvolution.results import of, wide
from deconvolution.scores import LAGS, recorded_events
from evidence import style
from evidence.options import add_figures
from evidence.tables import load_table
from groupsparse.artifacts import load_tensors
from groupsparse.detection import kernel_errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="summary/deconvolution.csv")
    parser.add_argument("--section", type=json.loads, required=True, help="deconvolution (JSON)")
    parser.add_argument("--name", required=True, help="of the recording")
    parser.add_argument("--data", required=True, help="artefact of the recording to show")
    parser.add_argument("--learnt", required=True, help="artefact of the method to show")
    add_figures(parser)
    args = parser.parse_args()
    runs = wide(load_table(args.table))
    style.save({f"deconvolution-{args.name}": shown(args, runs)}, args.output)


def shown(args: argparse.Namespace, runs: pd.DataFrame):
    """The figure of the recording and method."""
    tensors, about = load_tensors(args.data)
    learnt, _ = load_tensors(args.learnt)
    truth, events = tensors.get("kernels"), recorded_events(tensors)
    # Without true kernels those of the first replicate say which is which.
    reference, kernels, first = tensors.get("kernels", learnt["kernels.0"]), [], None
    while (name := f"kernels.{len(kernels)}") in learnt:
        found, order = learnt[name], None
        if len(found) >= len(reference):
            order = kernel_errors(found, reference, reference.shape[-1] // LAGS).order
            found = found[order]
        first = order if first is None else first
        kernels.append(found.numpy())
    # The trial of the most events says most.
    counts = torch.bincount(learnt["event_trial.0"], minlength=1)
    trial = int(counts[: len(learnt["rate.0"])].argmax())
    own = learnt["event_trial.0"] == trial
    kernel = learnt["event_kernel.0"][own]
    if first is not None:
        names = torch.full((len(learnt["kernels.0"]),), -1)
        names[first] = torch.arange(len(first))
        kernel = names[kernel]
    true = None
    if events is not None:
        here = events.trial == trial
        true = events.time[here].numpy(), events.kernel[here].numpy()
    found = learnt["event_time.0"][own].numpy(), kernel.numpy()
    y, rate = tensors["y"][trial, 0].numpy(), learnt["rate.0"][trial, 0].numpy()
    return plots.kernels(
        kernels, None if truth is None else truth.numpy(), about["bin_ms"], y, rate, found, true,
        errors_of_events(runs, args.section, args.name),
    )  # fmt: skip


def errors_of_events(runs: pd.DataFrame, section: dict, data: str) -> pd.DataFrame:
    """Missed and false events by tolerance, of all methods on a recording."""
    rows = []
    for method in section["runs"].get(data, []):
        if section["methods"][method]["kind"] == KNOWN_TIMES:
            continue
        for tolerance in section["tolerances"]:
            job = Job(data, method)
            hit, false = (of(runs, job, f"{m}_{tolerance}").mean() for m in ("hit", "false"))
            rows.append((method, tolerance, 1 - hit, false))
    found = pd.DataFrame(rows, columns=["method", "tolerance", "missed", "false"])
    return found.dropna()


if __name__ == "__main__":
    main()
