"""Score trained dictionaries of one noise level: distance to A*, support recovery on its data."""

import argparse
import logging

import pandas as pd
import torch
from torch import Tensor

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse import recovery
from groupsparse.artifacts import load_tensors
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.generative import Codes, code_power, dense_codes, sample_codes
from groupsparse.seeds import generator
from recovery.advice import recovery_advice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of recovery.simulate")
    parser.add_argument("--models", nargs="+", required=True, help="artefacts of recovery.train")
    add_options(parser, "--threads")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)

    tensors, simulation = load_tensors(args.data)
    rows = []
    for path in args.models:
        model, header = load_tensors(path)
        rows += rows_of(tensors, simulation, model["dictionary"], header)
    table = pd.DataFrame(rows)
    for line in recovery_advice(table, simulation["model"]["groups"]):
        logging.warning("Warning: %s", line)
    save_table(args.output, table)


def rows_of(tensors: dict, simulation: dict, estimates: Tensor, header: dict) -> list[dict]:
    """Long-form rows of one model, its dictionaries (R, n, m) before and after training."""
    d, parameters = header["group_size"], simulation["model"]
    groups, floor_samples = parameters["groups"], parameters["samples"]
    if header["sampling"] != "fixed":
        floor_samples *= header["training"]["epochs"]
    power = code_power(parameters["active_groups"] / groups, parameters["amplitude"], d)
    starts, rows = tensors[f"init.{header['init']}"], []
    for r, (truth, init, estimate) in enumerate(
        zip(tensors["dictionary"], starts, estimates, strict=True)
    ):
        true_codes = dense_codes(Codes(tensors["groups"][r], tensors["values"][r]), groups)
        codes = {"final": codes_of(header, estimate, tensors["data"][r], true_codes, r)}
        # Support recovery in one step: the untrained encoder, before it has seen any data.
        if "control" not in header["spec"]:
            codes["init"] = codes_of(header, init, tensors["data"][r], true_codes, r)
        for stage, x in codes.items():
            dictionary = estimate if stage == "final" else init
            metrics = {
                "squared_error": float(recovery.squared_error(dictionary, truth)),
                "aligned_squared_error": recovery.aligned_squared_error(dictionary, truth, d),
                "invariant_squared_error": recovery.invariant_squared_error(dictionary, truth, d),
                "noise_floor": recovery.noise_floor(
                    float(tensors["noise_std"][r]),
                    parameters["n"],
                    floor_samples,
                    torch.full((groups * d,), power),
                ),
                "mean_correlation": float(recovery.mean_correlation(dictionary, truth)),
            }
            entry = recovery.support_scores(x != 0, true_codes != 0)
            found = recovery.group_support(x, d)
            group = recovery.support_scores(found, recovery.group_support(true_codes, d))
            metrics["active_groups"] = float(found.sum(-1).double().mean())
            metrics |= {f"entry_{k}": v for k, v in entry.items()}
            # A one-sided network cannot represent the negative entries.
            positive = recovery.support_scores(x != 0, true_codes > 0)
            metrics["positive_recall"] = positive["recall"]
            metrics |= {f"group_{k}": v for k, v in group.items()}
            condition = {key: header[key] for key in ("snr", "init", "sampling", "method")}
            head = {"experiment": "recovery", **condition, "stage": stage, "replicate": r}
            rows += records(head, metrics)
    return rows


def codes_of(
    header: dict, dictionary: Tensor, data: Tensor, true_codes: Tensor, replicate: int
) -> Tensor:
    """Codes by the method's own encoder; the truth for `oracle`, a random support for `chance`."""
    d, spec = header["group_size"], header["spec"]
    if spec.get("control") == "oracle":
        return true_codes
    if spec.get("control") == "chance":
        groups = true_codes.shape[1] // d
        active = int((true_codes[0] != 0).sum()) // d
        seed = generator(header["seed"], "simulation", replicate, "chance support")
        random = sample_codes(len(data), groups, d, active, (1.0, 1.0), seed)
        return dense_codes(random, groups)
    if isinstance(spec["lambda"], list):  # matched to the data of every replicate
        spec = {**spec, "lambda": spec["lambda"][replicate]}
    return encode_in_batches(Autoencoder.from_spec(dictionary, spec, d), data)


if __name__ == "__main__":
    main()
