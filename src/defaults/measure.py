"""Fit the estimator with its defaults: to planted groups, or to the images of a data set."""

import argparse
import json
import logging
import time

import numpy as np
import pandas as pd
import torch

from defaults.conditions import AXES, CODER, PLANTED, Problem, problems
from defaults.images import explained
from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import save_tensors
from groupsparse.estimator import GroupSparseCoder
from groupsparse.generative import dense_codes, random_dictionary, sample
from groupsparse.pairwise import NoGroupsError
from groupsparse.recovery import invariant_squared_error, least_squares_dictionary
from groupsparse.seeds import derive_seed, generator

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", type=json.loads, required=True, help="defaults (JSON)")
    parser.add_argument("--job", required=True, help="planted, or a data set")
    parser.add_argument("--data", help="artefact of data.prepare, for a data set")
    add_options(parser, "--seed", "--threads")
    parser.add_argument("--dictionaries", required=True, help="artefact: those of the first seed")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    rows, learnt = [], {}
    for replicate in range(args.section["replicates"]):
        seed = derive_seed(args.seed, "defaults", args.job, replicate)
        head = {"experiment": "defaults", "job": args.job, "replicate": replicate}
        if args.job == PLANTED:
            found = [_planted(problem, seed) for problem in problems(args.section)]
        else:
            found = explained(args.data, args.section["images"][args.job], seed)
        for number, (condition, values, components) in enumerate(found):
            rows += records(head | condition, values)
            if not replicate:
                learnt[str(number)] = torch.as_tensor(components)
            log.info("%s: %s", head | condition, values)
    save_table(args.output, pd.DataFrame(rows))
    save_tensors(
        args.dictionaries, learnt, kind="dictionaries", job=args.job, seed=args.seed,
        section=args.section,
    )  # fmt: skip


def _planted(problem: Problem, seed: int) -> tuple[dict, dict[str, float], np.ndarray]:
    """Subspace error, that of least squares on the true codes, and the sizes that were found."""
    model, told = problem
    groups, d = model["groups"], model["group_size"]
    truth = random_dictionary(model["n"], groups * d, generator(seed, "dictionary"))
    options = {key: value for key, value in model.items() if key not in ("n", "groups")}
    drawn = sample(truth, **options, generator=generator(seed, "data"))
    sizes = (groups, d) if told else (None, None)
    began = time.perf_counter()
    condition = {axis: model[axis] for axis in AXES} | {"method": CODER, "told": told}
    try:
        coder = GroupSparseCoder(*sizes, random_state=seed % 2**31).fit(drawn.data)
    except NoGroupsError as error:  # an answer, and one that counts as wrong
        log.info("%s", error)
        return condition, {"estimated_size": 0, "estimated_groups": 0}, np.zeros((1, model["n"]))
    values = {"seconds": time.perf_counter() - began}
    found, size = torch.as_tensor(coder.components_.T), coder.groups_.shape[1]
    values |= {"estimated_size": size, "estimated_groups": len(coder.groups_)}
    if found.shape == truth.shape and size == d:
        oracle = least_squares_dictionary(drawn.data, dense_codes(drawn.codes, groups))
        values["error"] = invariant_squared_error(found, truth, d)
        values["oracle_error"] = invariant_squared_error(oracle, truth, d)
    return condition, values, coder.components_


if __name__ == "__main__":
    main()
