"""Run one study: draw its problems, learn their dictionaries from data, score them."""

import argparse
import json
import logging
import time

import pandas as pd
import torch
from torch import Tensor

from discovery.conditions import ALTERNATE, NO_START, Run, replicates, runs
from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.alternating import alternate
from groupsparse.artifacts import save_tensors
from groupsparse.dictionary import blocks, orthonormalize_groups
from groupsparse.discovery import discover
from groupsparse.generative import Sample, dense_codes, random_dictionary, sample
from groupsparse.group_size import estimate_group_size
from groupsparse.init import initialize
from groupsparse.pairwise import SAME, overlaps
from groupsparse.recovery import invariant_squared_error, least_squares_dictionary
from groupsparse.seeds import derive_seed, generator

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", type=json.loads, required=True, help="discovery (JSON)")
    parser.add_argument("--study", required=True, help="whole, starts, counts or an axis")
    add_options(parser, "--seed", "--threads")
    parser.add_argument("--dictionaries", required=True, help="artefact: those of the first seed")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    rows, learnt = [], {}
    for replicate in range(replicates(args.section, args.study)):
        for number, run in enumerate(runs(args.section, args.study)):
            truth, drawn = problem(run.model, args.seed, replicate)
            began = time.perf_counter()
            size, found = learn(run, drawn.data, derive_seed(args.seed, "discovery", replicate))
            seconds = time.perf_counter() - began
            head = {
                "experiment": "discovery", "study": args.study, "axis": run.axis,
                "setting": run.setting, "active_groups": run.model["active_groups"],
                "method": run.method, "start": run.start, "replicate": replicate,
            }  # fmt: skip
            values = scores(found, truth, drawn, run.model["group_size"], size)
            rows += records(head, values | {"seconds": seconds})
            if not replicate:
                learnt[f"{run.method}.{run.start}.{number}"] = found
            log.info("%s: %s, %.1f s", head, values, seconds)
    save_table(args.output, pd.DataFrame(rows))
    save_tensors(
        args.dictionaries, learnt, kind="dictionaries", study=args.study, seed=args.seed,
        section=args.section,
    )  # fmt: skip


def problem(model: dict, seed: int, replicate: int) -> tuple[Tensor, Sample]:
    """A* and data of a seed; A* is the same where only noise, samples or activity differ."""
    parts = seed, "discovery", replicate
    atoms = model["groups"] * model["group_size"]
    truth = random_dictionary(model["n"], atoms, generator(*parts, "dictionary"))
    options = {k: v for k, v in model.items() if k not in ("n", "groups")}
    return truth, sample(truth, **options, generator=generator(*parts, "data"))


def learn(run: Run, data: Tensor, seed: int) -> tuple[int, Tensor]:
    """The size of the groups, told or estimated, and the dictionary that is learnt."""
    if not run.told:
        size = estimate_group_size(data, seed)
        return size, discover(data, None, size, seed)
    groups, d = run.model["groups"], run.model["group_size"]
    start = None if run.start == NO_START else initialize(run.start, data, groups, d, seed)
    if run.method == ALTERNATE:
        return d, alternate(start, data, d, passes=run.passes).dictionary
    return d, discover(data, groups, d, seed, start=start)


def scores(found: Tensor, truth: Tensor, drawn: Sample, d: int, size: int) -> dict[str, float]:
    """Groups found (overlap above 1/2), subspace error and the oracle's, estimated numbers."""
    groups = truth.shape[1] // d
    oracle = least_squares_dictionary(drawn.data, dense_codes(drawn.codes, groups))
    values = {"estimated_size": size, "estimated_groups": found.shape[1] // size}
    if size == d:
        near = overlaps(*(blocks(orthonormalize_groups(a, d), d) for a in (truth, found)))
        values["found"] = float((near > SAME).any(1).double().mean())
    if found.shape == truth.shape and size == d:
        values["error"] = invariant_squared_error(found, truth, d)
        values["oracle_error"] = invariant_squared_error(oracle, truth, d)
    return values


if __name__ == "__main__":
    main()
