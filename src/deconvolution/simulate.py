"""Draw one replicate of a simulation."""

import argparse
import json

import torch

from deconvolution.kernels import kernels
from deconvolution.simulation import law_of_entry, simulate
from evidence.options import add_options
from groupsparse.artifacts import save_tensors
from groupsparse.seeds import generator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the simulation")
    parser.add_argument("--entry", type=json.loads, required=True, help="its settings (JSON)")
    parser.add_argument("--kernels", help="CSV table of its kernels, where it has one")
    parser.add_argument("--replicate", type=int, default=0, help="number of the draw")
    add_options(parser, "--seed", "--threads")
    parser.add_argument("--output", required=True, help="safetensors artefact to write")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    entry = args.entry
    try:
        shapes = kernels(entry["kernels"], entry["bin_ms"], args.kernels)
    except ValueError as error:
        raise SystemExit(f"deconvolution.simulations.{args.name}: {error}") from error
    random = generator(args.seed, "deconvolution", args.name, args.replicate)
    law, options = law_of_entry(entry)
    save_tensors(
        args.output,
        simulate(entry, shapes, random),
        kind="recording",
        name=args.name,
        law=law,
        law_options=options,
        bin_ms=float(entry["bin_ms"]),
        length=shapes.shape[1],
        source={"simulation": entry, "replicate": args.replicate, "seed": args.seed},
    )


if __name__ == "__main__":
    main()
