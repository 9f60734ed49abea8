"""Train mixtures on images with missing pixels: by masks, and with the pixels filled in."""

import argparse
import json
import logging
import time
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import load_tensors
from groupsparse.clustering import scores
from groupsparse.files import digest, remove
from groupsparse.seeds import generator
from mixtures.conditions import FILLINGS, JOINED
from mixtures.images import features, pixels, seeds_of
from mixtures.methods import BATCH, fit, mixture_of
from mixtures.starts import clusters_of, dictionary_of

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--features", required=True, help="artefact of mixtures.features")
    parser.add_argument("--share", type=float, required=True, help="pixels that an image misses")
    parser.add_argument("--hit", type=float, required=True, help="share of images that miss any")
    parser.add_argument("--spec", type=json.loads, required=True, help="the mixture (JSON)")
    parser.add_argument("--start", required=True, help="kind of start, from complete images")
    parser.add_argument("--settings", type=json.loads, required=True, help="of the data set (JSON)")
    add_options(parser, "--replicates", "--seed", "--threads")
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="to resume from, by filling and replicate"
    )
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    images = pixels(args.data, JOINED, args.settings)
    coded = features(args.features, args.data, JOINED).learnt
    count, atoms = args.settings["clusters"], args.settings["atoms"]
    made_from = [digest(args.data), digest(args.features)]
    dataset, rows, files = load_tensors(args.data)[1]["dataset"], [], []
    for replicate, seed in enumerate(seeds_of(args.seed, dataset, args.replicates)):
        seen = with_holes(images.learnt, args.share, args.hit, seed)
        # Images that miss nothing at any share: the start is the same at all of them.
        complete = (~hit_images(len(seen), args.hit, seed)).nonzero().flatten()
        order = torch.randperm(len(complete), generator=generator(seed, "missing"))
        sample = complete[order[: args.settings["sample"]]]
        here = images.learnt[sample]
        clusters = clusters_of(args.start, here, coded[sample], None, count, seed)
        start = dictionary_of(clusters, here, count, atoms, seed)
        for name in FILLINGS if args.share else FILLINGS[:1]:
            data, began = filled(seen, name), time.perf_counter()
            # Not with_suffix: a share has a point.
            file = args.checkpoint.with_name(f"{args.checkpoint.name}.{name}.{replicate}")
            files.append(file)
            model = mixture_of(start, args.spec, args.settings)
            fit(model, data, args.settings, seed, file, made_from)
            found = model.explain(data, BATCH)
            clusters = found.probabilities.argmax(-1).numpy()
            measured = {
                **scores(images.learnt_labels.numpy(), clusters),
                "inpainting": inpainting(found.reconstruction, images.learnt, seen.isnan()),
                "seconds": time.perf_counter() - began,
            }
            head = {
                "experiment": "mixtures", "dataset": dataset, "filling": name,
                "share": args.share, "hit": args.hit, "replicate": replicate,
            }  # fmt: skip
            rows += records(head, measured)
            log.info("replicate %d, %s: %s", replicate, name, measured)
    save_table(args.output, pd.DataFrame(rows))
    for file in files:
        remove(file)


def hit_images(count: int, hit: float, seed: int) -> Tensor:
    """Which images lose pixels, bool (N,): each with probability ``hit``, whatever the share."""
    return torch.rand(count, generator=generator(seed, "hit")) < hit


def with_holes(images: Tensor, share: float, hit: float, seed: int) -> Tensor:
    """Images (N, n) of which a share ``hit`` misses a ``share`` of its pixels, at random: NaN.

    What is missing at one share is missing at every larger one.
    """
    holes = torch.rand(images.shape, generator=generator(seed, "holes")) < share
    holes &= hit_images(len(images), hit, seed).unsqueeze(1)
    return images.masked_fill(holes, torch.nan)


def filled(seen: Tensor, name: str) -> Tensor:
    """Images with NaN (``masks``), or with 0 or the mean of the pixel in its place."""
    if name == "masks":
        return seen
    if name == "zeros":
        return seen.nan_to_num(nan=0.0)
    return torch.where(seen.isnan(), seen.nanmean(0).nan_to_num(nan=0.0), seen)


def inpainting(filled: Tensor, truth: Tensor, holes: Tensor) -> float:
    """Root mean square error of missing pixels over their root mean square; NaN without any."""
    error = (truth - filled)[holes]
    return float(error.double().norm() / truth[holes].double().norm())


if __name__ == "__main__":
    main()
