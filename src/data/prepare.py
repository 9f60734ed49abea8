"""Prepare a data set: read, or download and verify it; save samples as vectors, and labels."""

import argparse
import json
import logging

import torch

from data.readers import Arrays, checked, read
from groupsparse.artifacts import save_tensors
from groupsparse.datasets import DownloadError, load
from groupsparse.plugins import imported


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="its name")
    parser.add_argument("--raw-dir", default="data/raw", help="folder of the downloaded archives")
    parser.add_argument("--mirror", action="append", default=[], help="base URL to try first")
    parser.add_argument("--retries", type=int, default=3, help="attempts per address")
    parser.add_argument("--timeout", type=float, default=30, help="seconds without an answer")
    parser.add_argument(
        "--entry", type=json.loads, default={}, help="its entry (JSON), if it is the user's own"
    )
    parser.add_argument("--subset", type=int, default=0, help="first samples to keep; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="of the split into training and test")
    parser.add_argument("--output", required=True, help="safetensors artefact to write")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    about: dict = {}
    try:
        if args.entry:
            own = loaded if "load" in args.entry else read
            arrays, about = own(args.entry, args.seed)
            tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        else:
            tensors = load(
                args.dataset, args.raw_dir, args.mirror, args.seed, args.retries, args.timeout
            )
    except (DownloadError, ValueError) as error:
        raise SystemExit(str(error)) from error
    if args.subset:
        tensors = {name: tensor[: args.subset] for name, tensor in tensors.items()}
    sizes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
    logging.info("%s: %s", args.dataset, sizes)
    save_tensors(
        args.output, tensors, kind="dataset", dataset=args.dataset, subset=args.subset,
        seed=args.seed, **about,
    )  # fmt: skip


def loaded(entry: dict, seed: int) -> tuple[Arrays, dict]:
    """What the function of the user's returns, which is named as ``module:function``."""
    function = imported(entry["load"])
    try:
        found = function()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{entry['load']} failed: {reason}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{entry['load']}: returned {type(found).__name__}, not a dict of arrays")
    return checked(found, entry, seed, entry["load"])


if __name__ == "__main__":
    main()
