"""Train one method on simulated data and record its dictionary error after every epoch."""

import argparse
import json
import logging

from evidence.names import ONE_SIDED
from evidence.options import add_options
from evidence.tables import long_form, save_table
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData, FreshData, FreshNoise
from groupsparse.device import choose_device
from groupsparse.files import digest, remove
from groupsparse.generative import Codes
from groupsparse.recovery import squared_error
from groupsparse.seeds import derive_seed
from groupsparse.thresholds import matched_threshold
from groupsparse.training import train
from recovery.controls import CONTROLS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of recovery.simulate")
    parser.add_argument("--init", required=True, help="name of an init in the data")
    parser.add_argument("--sampling", choices=["fresh_noise", "fresh", "fixed"], required=True)
    parser.add_argument("--method", required=True, help="name of the method")
    parser.add_argument("--spec", type=json.loads, required=True, help="its config entry (JSON)")
    parser.add_argument("--training", type=json.loads, required=True, help="recovery.training")
    add_options(parser, "--device", "--precision", "--threads")
    parser.add_argument("--checkpoint", help="file to resume an interrupted run from")
    parser.add_argument("--output", required=True, help="artefact with the dictionaries")
    parser.add_argument("--history", required=True, help="CSV: metric per epoch and replicate")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)

    tensors, header = load_tensors(args.data)
    truth, model_parameters = tensors["dictionary"], header["model"]
    seeds = [
        derive_seed(header["seed"], "simulation", r, "training", header["snr"])
        for r in range(len(truth))
    ]
    if args.sampling == "fixed":
        batches = FixedData(tensors["data"], seeds, args.training["batch_size"])
    elif args.sampling == "fresh_noise":
        codes = Codes(tensors["groups"], tensors["values"])
        batches = FreshNoise(truth, codes, tensors["noise_std"].tolist(), seeds)
    else:
        keys = ("group_size", "active_groups", "amplitude", "samples")
        batches = FreshData(
            truth, tensors["noise_std"].tolist(), seeds, **{k: model_parameters[k] for k in keys}
        )

    spec = args.spec
    if isinstance(spec.get("lambda"), dict):
        other, size = spec["lambda"]["matched_to"], model_parameters["group_size"]
        one_sided = spec["prox"] in ONE_SIDED
        # A threshold for each replicate: none depends on another's data.
        stds = tensors["data"].square().mean((-2, -1)).sqrt().tolist()
        matched = [matched_threshold(other, size, std, one_sided=one_sided) for std in stds]
        logging.info("lambda %s (projections of noise have std %s)", matched, stds)
        spec = {**spec, "lambda": matched, "lambda_rule": "matched"}
    if "control" in spec:
        dictionary, history = CONTROLS[spec["control"]](
            tensors, batches, args.training["epochs"], seeds
        )
    else:
        init = tensors[f"init.{args.init}"]
        model = Autoencoder.from_spec(init, spec, model_parameters["group_size"]).to(device)
        reference = truth.to(device)
        # Epochs are not included: an interrupted training may continue to more.
        data_and_start = [digest(__file__), digest(args.data), args.init, args.sampling]
        training = {k: v for k, v in args.training.items() if k != "batch_size"}
        history = train(
            model,
            batches,
            **training,
            metrics=lambda a: {"squared_error": squared_error(a, reference)},
            checkpoint=args.checkpoint,
            fingerprint=[*data_and_start, args.training["batch_size"]],
        )
        dictionary = model.dictionary
    condition = {
        "snr": header["snr"],
        "init": args.init,
        "sampling": args.sampling,
        "method": args.method,
    }
    save_table(args.history, long_form(history, "recovery", condition))
    save_tensors(
        args.output,
        {"dictionary": dictionary},
        kind="dictionary",
        **condition,
        spec=spec,
        training=args.training,
        seed=header["seed"],
        group_size=model_parameters["group_size"],
    )
    if args.checkpoint:
        remove(args.checkpoint)


if __name__ == "__main__":
    main()
