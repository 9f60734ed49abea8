"""Dictionary learners on the same data: errors beside those of least squares on the true codes.

A learner with a lambda runs at several multiples of it. Nothing else runs at the same time.
"""

import logging

import torch

from bench.bounded import DONE, fitted
from bench.rivals import RIVALS, Task
from bench.timing import arguments, save, size
from groupsparse.dictionary import perturb
from groupsparse.generative import dense_codes, random_dictionary, sample
from groupsparse.init import initialize
from groupsparse.recovery import (
    aligned_squared_error,
    invariant_squared_error,
    least_squares_dictionary,
)
from groupsparse.seeds import derive_seed, generator


def main() -> None:
    args = arguments(__doc__)
    table = []
    for case, settings in args.settings["cases"].items():
        for repetition in range(settings["repetitions"]):
            truth, tasks, limits = problem(settings, args.seed, repetition)
            for candidate, start, scale in candidates(settings):
                task = tasks[start]._replace(scale=scale)
                values, found = fitted(candidate, task, settings["budget_s"])
                if values["status"] == DONE:
                    values |= errors(found, truth, task.group_size)
                logging.info("%s, %s from %s, %g: %s", case, candidate, start, scale, values)
                table += [
                    {
                        "case": case, "candidate": candidate, "start": start, "scale": scale,
                        **size(settings["model"]), "passes": settings["passes"], "device": "cpu",
                        "threads": 1, "repetition": repetition, "metric": metric, "value": value,
                    }
                    for metric, value in (values | limits).items()
                ]  # fmt: skip
    save(args.output, "learners", table)


def candidates(settings: dict) -> list[tuple[str, str, float]]:
    """(learner, start, multiple of lambda); data are the start of those that have none."""
    return [
        (name, start, scale)
        for name, rival in RIVALS.items()
        for start in (("near", "data") if rival.starts else ("none",))
        for scale in (settings["scales"] if rival.penalty else [1.0])
    ]


def problem(
    settings: dict, seed: int, repetition: int
) -> tuple[torch.Tensor, dict[str, Task], dict[str, float]]:
    """A*, a task for each start, and the errors of least squares on the true codes."""
    model, parts = settings["model"], (seed, "bench", "learners", repetition)
    d, groups = model["group_size"], model["groups"]
    truth = random_dictionary(model["n"], groups * d, generator(*parts, "dictionary"))
    rest = {key: value for key, value in model.items() if key not in ("n", "groups")}
    drawn = sample(truth, generator=generator(*parts, "data"), **rest)
    order = derive_seed(*parts, "order")
    near = perturb(truth, settings["correlation"], generator(*parts, "init"), True)
    data = initialize("data", drawn.data, groups, d, order)
    tasks = {
        name: Task(drawn.data, start, d, model["active_groups"], settings["passes"], order)
        for name, start in (("near", near), ("data", data), ("none", data))
    }
    oracle = least_squares_dictionary(drawn.data, dense_codes(drawn.codes, groups))
    limits = {f"oracle_{name}": value for name, value in errors(oracle, truth, d).items()}
    return truth, tasks, limits


def errors(found: torch.Tensor, truth: torch.Tensor, d: int) -> dict[str, float]:
    return {
        "error": invariant_squared_error(found, truth, d),
        "aligned": aligned_squared_error(found, truth, d),
    }


if __name__ == "__main__":
    main()
