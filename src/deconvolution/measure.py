"""Run one method on the draws of a recording, and score what it learns."""

import argparse
import json
import logging
import time

import pandas as pd
import torch
from torch import Tensor

from deconvolution.conditions import CHANCE, KNOWN_KERNELS
from deconvolution.methods import apart, learn
from deconvolution.scores import (
    held_out,
    kernel_scores,
    of_events,
    rate_score,
    recorded_events,
    trace_score,
)
from deconvolution.task import Fit, Task
from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.seeds import derive_seed, generator

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", required=True, help="artefacts, one or one per draw")
    parser.add_argument("--name", required=True, help="of the recording")
    parser.add_argument("--method", required=True, help="its name")
    parser.add_argument("--spec", type=json.loads, required=True, help="its entry (JSON)")
    parser.add_argument("--search", type=json.loads, required=True, help="its settings (JSON)")
    parser.add_argument("--told", type=json.loads, required=True, help="of the recording (JSON)")
    parser.add_argument("--tolerances", type=int, nargs="*", default=[], help="of events, in bins")
    add_options(parser, "--replicates", "--seed", "--threads")
    parser.add_argument("--learnt", required=True, help="artefact: what was learnt")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    rows, learnt = [], {}
    for replicate in range(args.replicates):
        tensors, about = load_tensors(args.data[replicate % len(args.data)])
        seed = derive_seed(args.seed, "deconvolution", args.name, replicate)
        task = task_of(tensors, about, args.told, seed)
        hidden = hidden_entries(task.y, args.spec.get("hidden", 0.0), seed)
        seen = task._replace(y=task.y.masked_fill(hidden, torch.nan))
        head = {
            "experiment": "deconvolution", "data": args.name, "method": args.method,
            "replicate": replicate,
        }  # fmt: skip
        began = time.perf_counter()
        try:
            fit = learn(seen, args.spec, args.search)
        except ImportError as error:
            log.warning("%s is left out: %s", args.method, error)
            rows += records(head, {"missing": 1.0})
            continue
        seconds = time.perf_counter() - began
        values = scores(fit, task, tensors, args.spec, args.tolerances)
        if hidden.any():
            values |= held_out(fit, seen, task.y, hidden)
        values |= trace_score(fit, seen)
        rows += records(head, values | {"seconds": seconds})
        log.info("replicate %d: %s, %.1f s", replicate, values, seconds)
        learnt |= {f"{name}.{replicate}": value for name, value in as_tensors(fit).items()}
    save_table(args.output, pd.DataFrame(rows))
    save_tensors(
        args.learnt, learnt, kind="deconvolved", data=args.name, method=args.method,
        spec=args.spec, search=args.search, told=args.told, seed=args.seed,
    )  # fmt: skip


def task_of(tensors: dict[str, Tensor], about: dict, told: dict, seed: int) -> Task:
    """The task of a recording: how many events a trial has is read off the true ones, if any."""
    events, kernels = recorded_events(tensors), tensors.get("kernels")
    most, exact, count = told["most"], False, told["count"]
    if events is not None:
        counts = torch.bincount(events.trial, minlength=len(tensors["y"]))
        most, exact = int(counts.max()), bool((counts == counts.max()).all())
        count = int(events.kernel.max()) + 1
    return Task(
        tensors["y"], tensors.get("baseline"), about["law"], about["law_options"],
        count if kernels is None else len(kernels), about["length"], most, exact, told["spacing"],
        events, kernels, seed,
    )  # fmt: skip


def hidden_entries(y: Tensor, share: float, seed: int) -> Tensor:
    """Which entries of y a fit does not see, bool: a share of them at random."""
    return (torch.rand(y.shape, generator=generator(seed, "hidden")) < share) & ~y.isnan()


def scores(
    fit: Fit, task: Task, tensors: dict[str, Tensor], spec: dict, tolerances: list[int]
) -> dict[str, float]:
    """All that can be scored with what is known of the truth."""
    values = {"events_per_trial": fit.events.size / len(task.y)}
    if task.kernels is not None and spec["kind"] != KNOWN_KERNELS:
        values |= kernel_scores(fit, task.kernels)
    if task.events is not None:
        truth = apart(task).events if spec.get("apart") else task.events
        values |= of_events(fit, truth, task.kernels, tolerances)
    return values | ({} if spec["kind"] == CHANCE else rate_score(fit, tensors, task))


def as_tensors(fit: Fit) -> dict[str, Tensor]:
    """Kernels and events of a fit, and its rate in the first trials."""
    named = {f"event_{name}": x for name, x in zip(fit.events._fields, fit.events, strict=True)}
    return {"kernels": fit.kernels, "rate": fit.rate[:4], **named}


if __name__ == "__main__":
    main()
