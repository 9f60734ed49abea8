"""Errors and seconds of dictionary learning methods on the same group-sparse data.

Each fit has a process of its own, with one thread and a limit in seconds, and one runs at a time.
"""

import logging
import math
import time
from importlib.util import find_spec

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from threadpoolctl import threadpool_limits
from torch import Tensor

from bench.budget import FailedError, OverBudgetError, within
from bench.learners import LEARNERS, Task
from bench.timing import arguments, save, size
from groupsparse.dictionary import blocks, orthonormalize_groups, perturb
from groupsparse.generative import dense_codes, random_dictionary, sample
from groupsparse.init import initialize
from groupsparse.recovery import (
    aligned_squared_error,
    invariant_squared_error,
    least_squares_dictionary,
)
from groupsparse.seeds import derive_seed, generator

NO_START, ORACLE = "none", "oracle"


def main() -> None:
    args = arguments(__doc__)
    settings, table = args.settings, []
    for case, problem in settings["problems"].items():
        for repetition in range(settings["repetitions"]):
            logging.info("%s, repetition %d", case, repetition)
            table += measure(case, problem, settings, args.seed, repetition)
    save(args.output, "recovery", table)


def measure(case: str, problem: dict, settings: dict, seed: int, repetition: int) -> list[dict]:
    """Rows of all methods and starts on one draw of the data."""
    model, purpose = problem["model"], (seed, "bench", "recovery", case, repetition)
    d, rng = model["group_size"], generator(*purpose)
    truth = random_dictionary(model["n"], model["groups"] * d, rng)
    rest = {key: value for key, value in model.items() if key not in ("n", "groups")}
    drawn = sample(truth, generator=rng, **rest)
    data = drawn.data
    oracle = least_squares_dictionary(data, dense_codes(drawn.codes, model["groups"]))
    condition = {"case": case, **size(model), "device": "cpu", "threads": 1}
    condition |= {"repetition": repetition, "baseline": False}
    table = rows(condition, ORACLE, NO_START, errors(oracle, truth, d))
    for name in settings["methods"]:
        learner = LEARNERS[name]
        for kind in problem["starts"] if learner.start else [NO_START]:
            order = derive_seed(*purpose, "order")
            start = starting(kind, truth, data, model, settings, purpose)
            task = Task(
                data.numpy(), start.numpy(), d, model["active_groups"], drawn.noise_std,
                problem["passes"], settings["batch_size"], settings["lr"], order,
            )  # fmt: skip
            values, note = {"seconds": math.nan}, ""
            if learner.package and not find_spec(learner.package):
                note = "not installed"
            else:
                try:
                    learnt, seconds = within(problem["budget"], fit, name, task)
                    learnt = torch.from_numpy(learnt)
                    if not learner.grouped:
                        learnt = grouped(learnt, truth, d)
                    values = {"seconds": seconds, **errors(learnt, truth, d)}
                except OverBudgetError:
                    note = f"over budget of {problem['budget']:g} s"
                except FailedError as error:
                    note = f"failed: {error}"
            logging.info("  %s, start %s: %s %s", name, kind, values, note)
            table += rows(condition, name, kind, values, note)
    return table


def starting(kind: str, truth: Tensor, data: Tensor, model: dict, settings: dict, purpose) -> Tensor:
    """Unit atoms (n, m): near the truth, or those of an init of the library."""
    if kind == "near":
        return perturb(truth, settings["correlation"], generator(*purpose, "near"), True)
    kind = "data" if kind == NO_START else kind
    seed = derive_seed(*purpose, kind)
    return initialize(kind, data, model["groups"], model["group_size"], seed)


def fit(name: str, task: Task) -> tuple[np.ndarray, float]:
    """The dictionary of a method and the seconds of its fit, in one thread."""
    torch.set_num_threads(1)
    run = LEARNERS[name].prepare(task)
    with threadpool_limits(1):
        start = time.perf_counter()
        learnt = run()
        seconds = time.perf_counter() - start
    return np.ascontiguousarray(learnt, dtype=np.float32), seconds


def grouped(atoms: Tensor, truth: Tensor, group_size: int) -> Tensor:
    """Atoms of a method that knows no groups, in the groups of A* in whose spans most of them lies.

    This uses the truth in favour of the method: each group of A* gets ``group_size`` atoms, such
    that the sum of ||V_g^T a||^2 over atoms a is largest.
    """
    spans = blocks(orthonormalize_groups(truth, group_size), group_size)
    atoms = torch.nn.functional.normalize(atoms.nan_to_num(), dim=0)
    inside = (spans.mT @ atoms).square().sum(-2)  # (G, m)
    places, chosen = linear_sum_assignment(
        inside.repeat_interleave(group_size, 0).numpy(), maximize=True
    )
    return atoms[:, chosen[places.argsort()]]


def errors(learnt: Tensor, truth: Tensor, group_size: int) -> dict[str, float]:
    return {
        "subspace_error": invariant_squared_error(learnt, truth, group_size),
        "aligned_error": aligned_squared_error(learnt, truth, group_size),
    }


def rows(
    condition: dict, name: str, start: str, values: dict[str, float], note: str = ""
) -> list[dict]:
    return [
        {**condition, "candidate": name, "start": start, "note": note, "metric": m, "value": v}
        for m, v in values.items()
    ]


if __name__ == "__main__":
    main()
