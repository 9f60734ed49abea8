"""Read a recording, check it, and save it as an artefact."""

import argparse
import json
import logging

from deconvolution.sources import prepare
from groupsparse.artifacts import save_tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the recording")
    parser.add_argument("--entry", type=json.loads, required=True, help="its settings (JSON)")
    parser.add_argument("--file", help="the file it is in, unless it is in a package")
    parser.add_argument("--kernels", help="CSV table of its true kernels")
    parser.add_argument("--output", required=True, help="safetensors artefact to write")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        tensors, header = prepare(args.entry, args.file, args.kernels)
    except ValueError as error:
        raise SystemExit(f"deconvolution.recordings.{args.name}: {error}") from error
    logging.info("%s: %s", args.name, "; ".join(header["source"]["notes"]))
    save_tensors(args.output, tensors, kind="recording", name=args.name, **header)


if __name__ == "__main__":
    main()
