"""Train in one regime and hold the paper's theory against it at the listed epochs."""

import argparse
import json
import logging

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import save_tensors
from groupsparse.device import choose_device
from groupsparse.seeds import derive_seed
from theory import quantities
from theory.follow import Followed, follow
from theory.problem import Problem, draw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regime", required=True, help="its name")
    parser.add_argument("--spec", type=json.loads, required=True, help="its config entry (JSON)")
    parser.add_argument("--samples", type=int, required=True, help="held-out samples per measure")
    add_options(parser, "--replicates", "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--dictionaries", required=True, help="artefact: the last ones measured")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)

    rows, last = [], []
    for r in range(args.replicates):
        # Seeds do not name the regime: regimes of one model share A*, init and samples.
        seed = (args.seed, "theory", r)
        problem = draw(args.spec, args.samples, seed)
        # One by one: a rate of its own for each, and none ends because another diverges.
        followed = follow(problem, args.spec, derive_seed(*seed, "training"), device)
        points = measured(problem, args.spec, followed)
        last.append(followed.snapshots[len(points) - 1])
        for epoch, values in points.items():
            head = {"experiment": "theory", "regime": args.regime, "replicate": r, "epoch": epoch}
            rows += records(head, values)
    save_table(args.output, pd.DataFrame(rows).dropna(subset="value"))
    save_tensors(
        args.dictionaries, {"dictionary": torch.stack(last)}, kind="theory",
        regime=args.regime, spec=args.spec, seed=args.seed,
    )  # fmt: skip


def measured(problem: Problem, spec: dict, followed: Followed) -> dict[int, dict[str, float]]:
    """Metrics at every listed epoch that the training reached."""
    descent, (low, high) = spec["training"]["optimizer"] == "sgd", spec["model"]["amplitude"]
    epochs = [epoch for epoch in spec["measure_at"] if epoch < len(followed.rates)]
    histories = {k: torch.stack([e[k] for e in followed.errors]).cpu() for k in followed.errors[0]}
    contractions = {k: quantities.contraction(v, epochs) for k, v in histories.items()}
    truth, _, drawn = problem
    d, points = spec["model"]["group_size"], {}
    for i, (epoch, dictionary) in enumerate(zip(epochs, followed.snapshots, strict=False)):
        values = {}
        if dictionary.square().isfinite().all():  # float32 overflows on the way to divergence
            values = quantities.measure(dictionary, truth, drawn, spec["lambda"], (low, high), d)
        values |= {name: float(history[epoch]) for name, history in histories.items()}
        if i + 1 < len(epochs):
            values |= {f"contraction_{k}": float(v[i]) for k, v in contractions.items()}
        if "step_limit" in values:
            eta = followed.rates[epoch] if descent else values["step_limit"]
            values |= quantities.rhos(eta, values, d)
        values |= {"diverged": float(followed.diverged), "gradient_descent": float(descent)}
        points[epoch] = values | {"lr": followed.rates[epoch]}
    return points


if __name__ == "__main__":
    main()
