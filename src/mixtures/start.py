"""Compute a kind of start for every replicate: dictionaries, and the clusters behind them."""

import argparse
import json
import logging
import time

import torch

from evidence.options import add_options
from groupsparse.artifacts import load_tensors, save_tensors
from mixtures.conditions import LABELLED, SUBSPACES
from mixtures.images import features, pixels, seeds_of
from mixtures.starts import clusters_of, dictionary_of, without_clusters

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--features", required=True, help="artefact of mixtures.features")
    parser.add_argument("--clusters", help=f"of the start {SUBSPACES}: artefact of its training")
    parser.add_argument("--start", required=True, help="its name")
    parser.add_argument("--protocol", required=True, help="joined or held_out")
    parser.add_argument("--settings", type=json.loads, required=True, help="of the data set (JSON)")
    add_options(parser, "--replicates", "--seed", "--threads")
    parser.add_argument("--output", required=True, help="artefact with the starts")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    settings, name = args.settings, args.start
    images = pixels(args.data, args.protocol, settings)
    coded = features(args.features, args.data, args.protocol)
    made, about = load_tensors(args.clusters) if args.clusters else ({}, {})
    dictionaries, samples, found, seconds = [], [], [], []
    seeds = seeds_of(args.seed, load_tensors(args.data)[1]["dataset"], args.replicates)
    size = settings["clusters"], settings["atoms"]
    for replicate, seed in enumerate(seeds):
        began = time.perf_counter()
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(images.learnt), generator=generator)
        sample = order if name in (SUBSPACES, LABELLED) else order[: settings["sample"]]
        here = images.learnt[sample]
        if name in ("pca", "random"):
            dictionaries.append(without_clusters(name, here, *size, seed))
        else:
            if name == SUBSPACES:
                clusters = made["learnt"][replicate][sample]
            else:
                # Only a start that uses labels by its name gets them.
                labels = images.learnt_labels[sample] if name == LABELLED else None
                rest = labels, settings["clusters"], seed
                clusters = clusters_of(name, here, coded.learnt[sample], *rest)
            dictionaries.append(dictionary_of(clusters, here, *size, seed))
            samples.append(sample)
            found.append(clusters)
        seconds.append(time.perf_counter() - began)
        if name == SUBSPACES:  # what it took to get there counts too
            seconds[-1] += about["seconds"][replicate]
        log.info("replicate %d: %.1f s", replicate, seconds[-1])
    tensors = {"dictionary": torch.stack(dictionaries)}
    if found:
        tensors |= {"sample": torch.stack(samples), "clusters": torch.stack(found)}
    save_tensors(
        args.output, tensors, kind="start", start=name, protocol=args.protocol, seconds=seconds,
        seed=args.seed, settings=settings,
    )  # fmt: skip


if __name__ == "__main__":
    main()
