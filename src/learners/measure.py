"""Run dictionary learners on one problem, one after the other, each in a process of its own."""

import argparse
import json
import logging

import pandas as pd
from torch import Tensor

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import save_tensors
from groupsparse.dictionary import perturb
from groupsparse.generative import dense_codes, random_dictionary, sample
from groupsparse.init import initialize
from groupsparse.recovery import (
    aligned_squared_error,
    invariant_squared_error,
    least_squares_dictionary,
)
from groupsparse.seeds import derive_seed, generator
from learners.bounded import DONE, fitted
from learners.grouping import grouped
from learners.methods import LEARNERS, Task

log = logging.getLogger(__name__)
NEAR, DATA, NONE = "near", "data", "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", required=True, help="its name")
    parser.add_argument("--settings", type=json.loads, required=True, help="the case (JSON)")
    add_options(parser, "--seed")
    parser.add_argument("--dictionaries", required=True, help="those of the first replicate")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings, rows, learnt = args.settings, [], {}
    for replicate in range(settings["replicates"]):
        truth, tasks, limits = problem(settings, args.seed, args.case, replicate)
        for learner, start, scale in fits(settings):
            task = tasks[start]._replace(scale=scale)
            values, found = fitted(learner, task, settings["budget_s"])
            if values["status"] == DONE:
                if not LEARNERS[learner].groups:
                    found = grouped(found, truth, task.group_size)
                values |= errors(found, truth, task.group_size) | limits
                if not replicate:
                    learnt[f"{learner}.{start}.{scale:g}"] = found
            head = {
                "experiment": "learners", "case": args.case, "learner": learner, "start": start,
                "scale": scale, "replicate": replicate,
            }  # fmt: skip
            rows += records(head, values)
            log.info("%s: %s", head, values)
    save_table(args.output, pd.DataFrame(rows))
    save_tensors(
        args.dictionaries, learnt, kind="dictionaries", case=args.case, seed=args.seed,
        settings=settings,
    )  # fmt: skip


def fits(settings: dict) -> list[tuple[str, str, float]]:
    """(learner, start, multiple of lambda), of learners without a penalty once."""
    return [
        (name, start, scale)
        for name in settings["learners"]
        for start in ((NEAR, DATA) if LEARNERS[name].starts else (NONE,))
        for scale in (settings["scales"] if LEARNERS[name].penalty else [1.0])
    ]


def problem(
    settings: dict, seed: int, case: str, replicate: int
) -> tuple[Tensor, dict[str, Task], dict[str, float]]:
    """A*, a task for each start, and the errors of least squares on the true codes."""
    model, parts = settings["model"], (seed, "learners", case, replicate)
    d, groups = model["group_size"], model["groups"]
    truth = random_dictionary(model["n"], groups * d, generator(*parts, "dictionary"))
    rest = {key: value for key, value in model.items() if key not in ("n", "groups")}
    drawn = sample(truth, generator=generator(*parts, "data"), **rest)
    order = derive_seed(*parts, "order")
    near = perturb(truth, settings["correlation"], generator(*parts, "init"), True)
    data = initialize("data", drawn.data, groups, d, order)
    starts = {NEAR: near, DATA: data, NONE: data}
    tasks = {
        name: Task(drawn.data, start, d, model["active_groups"], settings["passes"], order)
        for name, start in starts.items()
    }
    oracle = least_squares_dictionary(drawn.data, dense_codes(drawn.codes, groups))
    limits = {f"oracle_{name}": value for name, value in errors(oracle, truth, d).items()}
    return truth, tasks, limits


def errors(found: Tensor, truth: Tensor, d: int) -> dict[str, float]:
    """Subspace and aligned error."""
    return {
        "subspace": invariant_squared_error(found, truth, d),
        "aligned": aligned_squared_error(found, truth, d),
    }


if __name__ == "__main__":
    main()
