"""Run a method from one start in every cell of a plane, all replicates of a cell in one batch."""

import argparse
import json
import logging

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import save_tensors
from groupsparse.device import choose_device
from groupsparse.dictionary import block_coherence
from groupsparse.recovery import group_overlaps
from phases.conditions import cells
from phases.limits import shares
from phases.methods import learn
from phases.problem import Problem, draw, start

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plane", required=True, help="its name")
    parser.add_argument("--axes", type=json.loads, required=True, help="phases.planes.* (JSON)")
    parser.add_argument("--model", type=json.loads, required=True, help="phases.model (JSON)")
    parser.add_argument("--correlation", type=float, required=True, help="of the near start")
    parser.add_argument("--method", required=True, help="its name")
    parser.add_argument("--settings", type=json.loads, required=True, help="the method (JSON)")
    parser.add_argument("--start", required=True, help="near, random, discover or truth")
    add_options(parser, "--replicates", "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--dictionaries", required=True, help="those of the first replicate")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("groupsparse").setLevel(logging.WARNING)  # thousands of trainings
    device = choose_device(args.device, args.threads, args.precision)

    panel = {"plane": args.plane, "method": args.method, "start": args.start}
    rows, kept, grid = [], {}, cells(args.axes, args.model)
    for number, (coordinates, model) in enumerate(grid):
        problems = [draw(model, args.seed, r) for r in range(args.replicates)]
        starts = [start(args.start, p, model, args.correlation) for p in problems]
        data = torch.stack([p.data for p in problems])
        d = model["group_size"]
        learnt = learn(args.settings, torch.stack(starts).to(device), data.to(device), d).cpu()
        limits = {f"{name}_share": value for name, value in shares(model).items()}
        least = []
        for r, (problem, dictionary) in enumerate(zip(problems, learnt, strict=True)):
            values = scores(problem, dictionary, d) | limits
            least.append(values["least_overlap"])
            rows += records(
                {"experiment": "phases", **panel, **coordinates, "replicate": r}, values
            )
        kept[f"dictionary_{number}"], kept[f"truth_{number}"] = learnt[0], problems[0].truth
        log.info("cell %d/%d %s: least overlaps %s", number + 1, len(grid), coordinates,
                 " ".join(f"{value:.2f}" for value in sorted(least)))  # fmt: skip
    where = [coordinates for coordinates, _ in grid]
    save_tensors(args.dictionaries, kept, kind="phases", **panel, cells=where, seed=args.seed)
    save_table(args.output, pd.DataFrame(rows))


def scores(problem: Problem, dictionary: torch.Tensor, group_size: int) -> dict[str, float]:
    """Subspace error and least overlap of any group, of a method and of the oracle."""
    found = group_overlaps(dictionary, problem.truth, group_size)
    known = group_overlaps(problem.oracle, problem.truth, group_size)
    return {
        "error": group_size * float((1 - found).sum()),
        "oracle_error": group_size * float((1 - known).sum()),
        "least_overlap": float(found.min()),
        "oracle_overlap": float(known.min()),
        "coherence": float(block_coherence(problem.truth, group_size)),
    }


if __name__ == "__main__":
    main()
