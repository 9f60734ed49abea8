"""Scattering features of all images of a data set, on the principal directions of its training."""

import argparse
import json
import logging

import torch

from evidence.options import add_options
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.features import principal_components, scattering_features

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--settings", type=json.loads, required=True, help="of the data set (JSON)")
    add_options(parser, "--threads")
    parser.add_argument("--output", required=True, help="artefact with the features")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    tensors, about = load_tensors(args.data)
    names, settings = ("train_data", "test_data"), args.settings
    images = torch.cat([tensors[name] for name in names])
    # A path sees how an image varies: its own mean would be the largest coefficient of all.
    images = (images - images.mean(1, keepdim=True)).view(-1, *settings["shape"])
    found = scattering_features(images, settings["scales"])
    train, count = len(tensors["train_data"]), min(settings["components"], found.shape[1])
    found = principal_components(found, count, fitted_to=found[:train])
    parts = dict(zip(names, found.split([train, len(found) - train]), strict=True))
    save_tensors(
        args.output, {name: part.contiguous() for name, part in parts.items()}, kind="features",
        dataset=about["dataset"], settings=settings,
    )  # fmt: skip


if __name__ == "__main__":
    main()
