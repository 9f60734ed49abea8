"""Train a method from the starts of all replicates, and score the clusters that it gives."""

import argparse
import json
import logging
import time
from pathlib import Path

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.clustering import scores
from groupsparse.files import digest, remove
from mixtures.conditions import SUBSPACES
from mixtures.images import Part, features, pixels, seeds_of
from mixtures.methods import Result, mixture_of, network_of, result, subspaces, trained

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--features", required=True, help="artefact of mixtures.features")
    parser.add_argument("--start", required=True, help="artefact of mixtures.start")
    parser.add_argument("--method", required=True, help="its name")
    parser.add_argument("--spec", type=json.loads, required=True, help="its entry (JSON)")
    parser.add_argument("--settings", type=json.loads, required=True, help="of the data set (JSON)")
    add_options(parser, "--replicates", "--seed", "--threads")
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="to resume from, by replicate"
    )
    parser.add_argument("--output", required=True, help="artefact with what was learnt")
    parser.add_argument("--metrics", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    starts, about = load_tensors(args.start)
    dataset, protocol = load_tensors(args.data)[1]["dataset"], about["protocol"]
    is_subspaces = args.spec["kind"] == SUBSPACES
    images = (
        features(args.features, args.data, protocol)
        if is_subspaces
        else pixels(args.data, protocol, args.settings)
    )
    rows, results, seconds = [], [], []
    for replicate, seed in enumerate(seeds_of(args.seed, dataset, args.replicates)):
        head = {
            "experiment": "mixtures", "dataset": dataset, "protocol": protocol,
            "method": args.method, "start": about["start"], "replicate": replicate,
        }  # fmt: skip
        start = {name: values[replicate] for name, values in starts.items()}
        began, file = time.perf_counter(), args.checkpoint.with_suffix(f".{replicate}")
        for epoch, found in fits(args, images, start, seed, file):
            spent = time.perf_counter() - began
            rows += records({**head, "epoch": epoch}, values(found, images, spent))
            began = time.perf_counter()
        sampled = about["seconds"][replicate]
        rows += records({**head, "epoch": 0}, {"start_seconds": sampled} | of_start(start, images))
        results.append(found)
        seconds.append(sampled + spent)
        log.info("replicate %d: %s", replicate, values(found, images, spent))
    save_table(args.metrics, pd.DataFrame(rows))
    tensors = {
        name: torch.stack([getattr(r, name) for r in results]) for name in Result._fields[:3]
    }
    save_tensors(
        args.output, tensors, kind="mixture", dataset=dataset, protocol=protocol,
        method=args.method, start=about["start"], spec=args.spec, settings=args.settings,
        seed=args.seed, seconds=seconds, values=[r.values for r in results],
    )  # fmt: skip
    for replicate in range(args.replicates):
        remove(args.checkpoint.with_suffix(f".{replicate}"))


def fits(args: argparse.Namespace, images: Part, start: dict, seed: int, checkpoint: Path):
    """What one replicate gives, by epoch: before training, if there is such a thing, and after."""
    settings, spec = args.settings, args.spec
    both = images.learnt, images.scored
    if spec["kind"] == SUBSPACES:
        shape = settings["clusters"], settings["dimension"], settings["passes"]
        found = subspaces(*both, start["sample"], start["clusters"], *shape)
        yield int(found.values["passes"]), found
        return
    model_of = mixture_of if spec["kind"] == "mixture" else network_of
    model = model_of(start["dictionary"], spec, settings)
    yield 0, result(model, *both, {})
    made_from = [digest(args.data), digest(args.start)]
    yield (
        settings["training"]["epochs"],
        trained(model, *both, settings, seed, checkpoint, made_from),
    )


def values(found: Result, images: Part, seconds: float) -> dict[str, float]:
    """Scores of the clusters of the scored images, and what is known without labels."""
    labels = images.scored_labels.numpy()
    return {**scores(labels, found.scored.numpy()), **found.values, "seconds": seconds}


def of_start(start: dict, images: Part) -> dict[str, float]:
    """Scores of the clusters of the sample from which the start is."""
    if "clusters" not in start:
        return {}
    labels = images.learnt_labels[start["sample"]].numpy()
    found = scores(labels, start["clusters"].numpy())
    return {f"sample_{name}": value for name, value in found.items()}


if __name__ == "__main__":
    main()
