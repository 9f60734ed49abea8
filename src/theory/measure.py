"""Train in one regime and hold the paper's theory against it at the listed epochs."""

import argparse
import json
import logging

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FreshData
from groupsparse.device import choose_device
from groupsparse.seeds import derive_seed
from groupsparse.theory import largest_step
from groupsparse.training import OPTIMIZERS, DivergedError, train
from theory import quantities
from theory.problem import draw

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regime", required=True, help="its name")
    parser.add_argument("--spec", type=json.loads, required=True, help="its config entry (JSON)")
    parser.add_argument("--samples", type=int, required=True, help="held-out samples per measure")
    add_options(parser, "--replicates", "--seed", "--device", "--precision", "--threads")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(args.device, args.threads, args.precision)
    model, training, lambda_ = (args.spec[key] for key in ("model", "training", "lambda"))
    d, amplitude = model["group_size"], tuple(model["amplitude"])

    # Seeds do not name the regime: regimes of one model share A*, init and samples.
    truths, inits, held_out = zip(
        *[draw(args.spec, args.samples, (args.seed, "theory", r)) for r in range(args.replicates)],
        strict=True,
    )

    def measured(dictionaries):
        return [
            quantities.measure(a, truth, drawn, lambda_, amplitude, d)
            for a, truth, drawn in zip(dictionaries, truths, held_out, strict=True)
        ]

    def learning_rate(dictionaries):
        if training["lr_unit"] == "absolute":
            return training["lr"]
        limits = (
            largest_step(a, truth, drawn, lambda_, d)
            for a, truth, drawn in zip(dictionaries, truths, held_out, strict=True)
        )
        return training["lr"] * min(limits)

    autoencoder = Autoencoder(torch.stack(inits), "group_soft", lambda_, d).to(device)
    rates = [learning_rate(inits)]  # of the step after each epoch, which is one batch
    optimizer = OPTIMIZERS[training["optimizer"]]([autoencoder.dictionary], lr=rates[0])

    def follow(epoch, model):
        every = training["lr_unit"] == "limit_every_epoch"
        rates.append(learning_rate(model.dictionary.detach().cpu()) if every else rates[0])
        optimizer.param_groups[0]["lr"] = rates[-1]

    reference = torch.stack(truths).to(device)
    batches = FreshData(
        torch.stack(truths), [s.noise_std for s in held_out],
        [derive_seed(args.seed, "theory", r, "training") for r in range(args.replicates)],
        group_size=d, active_groups=model["active_groups"], amplitude=amplitude,
        samples=model["samples"],
    )  # fmt: skip
    errors, snapshots = [], []

    def record(dictionary):
        if len(errors) in args.spec["measure_at"]:
            snapshots.append(dictionary.cpu().clone())
        errors.append(quantities.errors(dictionary, reference, d))
        return errors[-1]

    try:
        train(
            autoencoder, batches, epochs=training["epochs"], optimizer=optimizer,
            normalize=training["normalize"], metrics=record, callback=follow,
        )  # fmt: skip
        diverged = False
    except DivergedError as error:
        log.warning("%s", error)
        diverged = True

    epochs = [e for e in args.spec["measure_at"] if e < len(rates)]
    # On the way to divergence float32 overflows.
    tables = [measured(snapshot) for snapshot in snapshots if snapshot.square().isfinite().all()]
    histories = {name: torch.stack([row[name] for row in errors]).cpu() for name in errors[0]}
    contractions = {k: quantities.contraction(v, epochs) for k, v in histories.items()}
    rows, descent = [], training["optimizer"] == "sgd"
    for r in range(args.replicates):
        for i, epoch in enumerate(epochs):
            values = dict(tables[i][r]) if i < len(tables) else {}
            values |= {name: float(v[epoch, r]) for name, v in histories.items()}
            if i + 1 < len(epochs):
                values |= {f"contraction_{k}": float(v[i, r]) for k, v in contractions.items()}
            if "step_limit" in values:
                eta = rates[epoch] if descent else values["step_limit"]
                values |= quantities.rhos(eta, values, d)
            values |= {"diverged": float(diverged), "gradient_descent": float(descent)}
            values["lr"] = rates[epoch]
            head = {"experiment": "theory", "regime": args.regime, "replicate": r, "epoch": epoch}
            rows += records(head, values)
    save_table(args.output, pd.DataFrame(rows).dropna(subset="value"))


if __name__ == "__main__":
    main()
