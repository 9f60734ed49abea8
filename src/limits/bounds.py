"""What the errors are compared with: least squares given the true codes, a random dictionary."""

import argparse
import json
import logging
from collections.abc import Iterator

import pandas as pd
import torch
from torch import Tensor

from evidence.options import add_options
from evidence.oracle import PooledOracle
from evidence.tables import records, save_table
from groupsparse.generative import random_dictionary
from groupsparse.seeds import generator
from limits.conditions import CHANCE, FIXED, ORACLE, SAMPLINGS, oracle_epochs
from limits.methods import errors
from limits.problem import Problem, draw, fixed_oracle

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", type=json.loads, required=True, help="limits (JSON)")
    add_options(parser, "--seed", "--threads")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)

    rows = [row for sampling in SAMPLINGS for row in bounds(args.section, sampling, args.seed)]
    save_table(args.output, pd.DataFrame(rows))


def bounds(section: dict, sampling: str, seed: int) -> Iterator[dict]:
    """Rows of both controls with one sampling."""
    model = section["model"]
    d, atoms = model["group_size"], model["groups"] * model["group_size"]
    for snr, needed in oracle_epochs(section, sampling).items():
        for replicate in range(max(needed.values())):
            problem = draw(model, section["correlation"], snr, seed, replicate)
            last = max(epochs for epochs, count in needed.items() if replicate < count)
            head = {"experiment": "limits", "sampling": sampling, "snr": snr}
            random = generator(seed, "limits", replicate, "chance")
            chance = errors(random_dictionary(model["n"], atoms, random), problem.truth, d)
            yield from records(
                {**head, "method": CHANCE, "replicate": replicate, "epoch": 1}, chance
            )
            for epoch, estimate in oracles(problem, model, sampling, last, set(needed)):
                found = errors(estimate, problem.truth, d)
                here = {**head, "method": ORACLE, "replicate": replicate, "epoch": epoch}
                yield from records(here, found)
                log.info("%s: %s", here, found)


def oracles(
    problem: Problem, model: dict, sampling: str, last: int, wanted: set[int]
) -> Iterator[tuple[int, Tensor]]:
    """The oracle's dictionary after the wanted epochs up to the last one."""
    if sampling == FIXED:
        yield 1, fixed_oracle(problem, model["groups"])
        return
    pooled = PooledOracle(model["n"], problem.truth.shape[1])
    for epoch in range(1, last + 1):
        pooled.add(problem.batches[sampling].samples(epoch)[0])
        if epoch in wanted:
            yield epoch, pooled.dictionary()


if __name__ == "__main__":
    main()
