"""Train one method on the stream of every seed and score its features on new samples."""

import argparse
import json
import logging
import time

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from featurizers.conditions import FOUND
from featurizers.methods import learn
from featurizers.scores import by_concept, overall
from featurizers.truth import Truth
from groupsparse.artifacts import save_tensors
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.generative import decode
from groupsparse.metrics import explained_variance
from groupsparse.recovery import group_support

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", type=json.loads, required=True, help="featurizers (JSON)")
    parser.add_argument("--method", required=True, help="of the config, or a control")
    add_options(parser, "--seed", "--threads")
    parser.add_argument("--model", required=True, help="artefact: the trained weights")
    parser.add_argument("--concepts", required=True, help="CSV, one row per concept and metric")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    rows, concepts, weights = [], [], {}
    for replicate in range(args.section["replicates"]):
        truth = Truth(args.section["truth"], args.seed, replicate)
        began = time.perf_counter()
        model = learn(args.method, args.section, truth)
        seconds = time.perf_counter() - began
        values, each = scores(model, truth, args.section["test"])
        head = {"experiment": "featurizers", "method": args.method, "replicate": replicate}
        rows += records(head, values | {"seconds": seconds})
        concepts += [head | row for row in each]
        weights |= {f"{k}.{replicate}": v.detach() for k, v in model.state_dict().items()}
        log.info("replicate %d: %s, %.1f s", replicate, values, seconds)
    save_table(args.output, pd.DataFrame(rows))
    save_table(args.concepts, pd.DataFrame(concepts))
    save_tensors(
        args.model, weights, kind="featurizer", method=args.method, seed=args.seed,
        section=args.section,
    )  # fmt: skip


def scores(model: Autoencoder, truth: Truth, samples: int) -> tuple[dict[str, float], list[dict]]:
    """Metrics on new samples, and rows with those of every concept."""
    test = truth.draw("test", samples)
    codes, concepts = encode_in_batches(model, test.data), truth.active(test)
    with torch.no_grad():
        reconstruction = model.decode(codes)
    d = model.group_size
    groups = model.dictionary.detach().split(d if isinstance(d, int) else truth.sizes, dim=1)
    each = by_concept(truth.bases(), concepts, groups, group_support(codes, d), truth.largest)
    values = {name: float(score.mean()) for name, score in each.items()}
    values["found"] = float((each["captured_set"] >= FOUND).double().mean())
    signal = decode(truth.dictionary, test.codes)
    values["explained_by_truth"] = explained_variance(test.data, signal)
    rates = concepts.double().mean(0).tolist()
    rows = [
        {"size": size, "rate": rate, "metric": name, "value": float(score[g])}
        for g, (size, rate) in enumerate(zip(truth.sizes, rates, strict=True))
        for name, score in each.items()
    ]
    return values | overall(test.data, reconstruction, codes, d), rows


if __name__ == "__main__":
    main()
