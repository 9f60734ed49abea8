"""Choose and combine what was learnt, without labels: subspaces by residual or vote, energies."""

import argparse
import logging
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import load_tensors
from groupsparse.clustering import consensus, kmeans_clusters, scores
from mixtures.conditions import (
    ENERGIES,
    JOINED,
    LEAST_RESIDUAL,
    SEVERAL,
    VOTE_OF_SEEDS,
    VOTE_OF_STARTS,
)
from mixtures.images import pixels, seeds_of
from mixtures.methods import mixture_of
from mixtures.outcome import energies

log = logging.getLogger(__name__)
VOTERS = 3  # partitions from which a majority can differ from every one


class Combined(NamedTuple):
    """Clusters (N,) of one replicate, and the seconds behind what was combined."""

    method: str
    start: str
    replicate: int
    clusters: np.ndarray
    before: float
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument(
        "--voters", nargs="+", required=True, help="artefacts of one method, from several starts"
    )
    parser.add_argument("--mixture", required=True, help="artefact of a mixture")
    add_options(parser, "--seed", "--threads")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    dataset, rows = load_tensors(args.data)[1]["dataset"], []
    labels = pixels(args.data, JOINED, {}).scored_labels.numpy()
    for found in (*of_subspaces(args.voters), *of_energies(args.data, args.mixture, args.seed)):
        head = {
            "experiment": "mixtures", "dataset": dataset, "protocol": JOINED,
            "method": found.method, "start": found.start, "replicate": found.replicate,
        }  # fmt: skip
        reached = {**scores(labels, found.clusters), "used": len(np.unique(found.clusters))}
        rows += records({**head, "epoch": 1}, {**reached, "seconds": found.seconds})
        rows += records({**head, "epoch": 0}, {"start_seconds": found.before})
        log.info("%s, replicate %d: %s", found.method, found.replicate, reached)
    save_table(args.output, pd.DataFrame(rows))


def of_subspaces(paths: list[str]) -> Iterator[Combined]:
    """Of all starts the least residual and the vote, by seed; the vote of seeds of the first."""
    loaded = [load_tensors(path) for path in paths]
    clusters = np.stack([tensors["scored"].numpy() for tensors, _ in loaded])  # (starts, seeds, N)
    spent = np.array([about["seconds"] for _, about in loaded])
    count = loaded[0][1]["settings"]["clusters"]
    if len(loaded) > 1:
        left = np.array([[values["residual"] for values in about["values"]] for _, about in loaded])
        for replicate, best in enumerate(left.argmin(0)):
            before = spent[:, replicate].sum()
            yield Combined(LEAST_RESIDUAL, SEVERAL, replicate, clusters[best, replicate], before, 0)
    if len(loaded) >= VOTERS:
        for replicate in range(clusters.shape[1]):
            voters, before = clusters[:, replicate], spent[:, replicate].sum()
            yield _vote(VOTE_OF_STARTS, SEVERAL, replicate, voters, count, before)
    if clusters.shape[1] >= VOTERS:
        first = loaded[0][1]["start"]
        yield _vote(VOTE_OF_SEEDS, first, 0, clusters[0], count, spent[0].sum())


def _vote(method: str, start: str, replicate: int, voters, count: int, before: float) -> Combined:
    began = time.perf_counter()
    found = consensus(voters, count)[0]
    return Combined(method, start, replicate, found, before, time.perf_counter() - began)


def of_energies(data: str, path: str, seed: int) -> Iterator[Combined]:
    """k-means of the energies of a mixture, each image's without their mean and at unit norm."""
    tensors, about = load_tensors(path)
    images = pixels(data, JOINED, about["settings"]).scored
    seeds = seeds_of(seed, about["dataset"], len(tensors["dictionary"]))
    for replicate, (dictionary, own) in enumerate(zip(tensors["dictionary"], seeds, strict=True)):
        began = time.perf_counter()
        values = energies(mixture_of(dictionary, about["spec"], about["settings"]), images)
        values = values - values.mean(1, keepdims=True)
        values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
        found = kmeans_clusters(values, about["settings"]["clusters"], own)
        spent = time.perf_counter() - began
        before = about["seconds"][replicate]
        yield Combined(ENERGIES, about["start"], replicate, found, before, spent)


if __name__ == "__main__":
    main()
