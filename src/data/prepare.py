"""Prepare a data set: download and verify what is not bundled, save flat images and labels."""

import argparse
import logging

from groupsparse.artifacts import save_tensors
from groupsparse.datasets import DATASETS, DownloadError, load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", choices=DATASETS, required=True)
    parser.add_argument("--raw-dir", default="data/raw", help="folder of the downloaded archives")
    parser.add_argument("--mirror", action="append", default=[], help="base URL to try first")
    parser.add_argument("--retries", type=int, default=3, help="attempts per address")
    parser.add_argument("--timeout", type=float, default=30, help="seconds without an answer")
    parser.add_argument("--file", help=".npz file that holds the data set, instead of a download")
    parser.add_argument("--subset", type=int, default=0, help="first samples to keep; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="of the split of digits")
    parser.add_argument("--output", required=True, help="safetensors artefact to write")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    try:
        tensors = load(
            args.dataset,
            args.raw_dir,
            args.mirror,
            args.seed,
            args.retries,
            args.timeout,
            args.file,
        )
    except (DownloadError, ValueError) as error:
        raise SystemExit(str(error)) from error
    if args.subset:
        tensors = {name: tensor[: args.subset] for name, tensor in tensors.items()}
    save_tensors(
        args.output,
        tensors,
        kind="dataset",
        dataset=args.dataset,
        subset=args.subset,
        seed=args.seed,
    )


if __name__ == "__main__":
    main()
