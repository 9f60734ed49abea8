"""Simulate one noise level of Experiment 1: dictionaries, initialisations, codes and noisy data."""

import argparse
import json
import logging

import torch

from evidence.options import add_options
from groupsparse.artifacts import save_tensors
from groupsparse.dictionary import perturb
from groupsparse.generative import random_dictionary, sample
from groupsparse.seeds import generator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=json.loads, required=True, help="recovery.model (JSON)")
    parser.add_argument("--inits", type=json.loads, required=True, help="recovery.inits (JSON)")
    parser.add_argument("--snr", type=float, required=True, help="signal-to-noise ratio in dB")
    add_options(parser, "--replicates", "--seed")
    parser.add_argument("--output", required=True, help="safetensors artefact to write")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    # Dictionaries and initialisations depend only on the replicate, so noise levels are paired.
    model = args.model
    truths, samples = [], []
    inits = {name: [] for name in args.inits}
    for replicate in range(args.replicates):
        seed = (args.seed, "simulation", replicate)
        atoms = model["groups"] * model["group_size"]
        truth = random_dictionary(model["n"], atoms, generator(*seed, "dictionary"))
        truths.append(truth)
        for name, init in args.inits.items():
            # One direction of perturbation for all, so that initialisations are paired as well.
            noise = generator(*seed, "init")
            inits[name].append(perturb(truth, init["correlation"], noise, init["normalized"]))
        samples.append(
            sample(
                truth,
                model["group_size"],
                model["active_groups"],
                tuple(model["amplitude"]),
                model["samples"],
                generator(*seed, "data", args.snr),
                snr_db=args.snr,
            )
        )
        logging.info("replicate %d: noise std %.4f", replicate, samples[-1].noise_std)
    save_tensors(
        args.output,
        {
            "dictionary": torch.stack(truths),
            **{f"init.{name}": torch.stack(starts) for name, starts in inits.items()},
            "data": torch.stack([s.data for s in samples]),
            "groups": torch.stack([s.codes.groups for s in samples]),
            "values": torch.stack([s.codes.values for s in samples]),
            "noise_std": torch.tensor([s.noise_std for s in samples], dtype=torch.float64),
        },
        kind="simulation",
        snr=args.snr,
        seed=args.seed,
        model=model,
    )


if __name__ == "__main__":
    main()
