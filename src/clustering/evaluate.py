"""Cluster the test set by its codes (or by controls) and score it: ACC, NMI, ARI.

The scores of a training are means over the dictionaries that it kept, so that no row depends on one
epoch. Without labels, what is left is how sparse codes are, what they explain and whether seeds
agree.
"""

import argparse
import json
import logging

import numpy as np
import pandas as pd
import torch

from clustering.advice import clustering_advice
from clustering.cases import controls, trained
from clustering.images import images
from clustering.settings import resolved
from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse import clustering
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.seeds import derive_seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--model", help="artefact of clustering.train; without it, controls")
    parser.add_argument("--settings", type=json.loads, required=True, help="of the data (JSON)")
    add_options(parser, "--replicates", "--seed", "--threads")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    parser.add_argument("--codes", help="artefact with the test codes of the first replicate")
    parser.add_argument(
        "--clusters", help="CSV: class and clusters of test samples, first replicate"
    )
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)

    tensors, header = load_tensors(args.data)
    settings, dataset = resolved(args.settings, tensors), header["dataset"]
    labels = tensors["test_labels"].numpy() if "test_labels" in tensors else None
    classes = settings["groups"] if labels is None else int(labels.max()) + 1
    seeds = [
        derive_seed(args.seed, "clustering", dataset, r, "evaluate") for r in range(args.replicates)
    ]
    if args.model:
        model, about = load_tensors(args.model)
        cases = trained(tensors, model, about)
    else:
        _, test = images(tensors, settings, False, "test_data")
        cases = controls(test.numpy(), labels, classes, seeds)
    rows, kept, ends = [], {}, {}
    for condition, replicate, last, features, assignments, values in cases:
        scored = [("codes", "none", values)]
        for name, array in features.items():
            if labels is not None:
                contrast = clustering.class_contrast(array, labels)
                scored.append((name, "none", {"class_contrast": contrast}))
            for algorithm in clustering.ALGORITHMS:
                logging.info("%s, replicate %d: %s on %s", condition, replicate, algorithm, name)
                assignments[name, algorithm] = clustering.cluster(
                    array, classes, algorithm, seeds[replicate], settings["neighbors"]
                )
        if labels is not None:
            scored += [(*key, clustering.scores(labels, a)) for key, a in assignments.items()]
        if last:
            for key, clusters in assignments.items():
                ends.setdefault((*condition.items(), key), []).append(clusters)
        for name, algorithm, values_ in scored:
            rows += records(head(dataset, condition, name, algorithm, replicate), values_)
        if args.codes and replicate == 0 and last:
            kept[f"codes.{condition['init']}"] = torch.from_numpy(features["codes"])
    for (*condition, key), clusters in ends.items():
        for replicate, value in enumerate(clustering.agreement(clusters)):
            where = head(dataset, dict(condition), *key, replicate)
            rows += records(where, {"agreement": value})
    names = [*head("", {"method": "", "init": "", "centered": ""}, "", "", 0), "metric", "value"]
    table = pd.DataFrame(rows, columns=None if rows else names)  # one seed agrees with none
    keys = [column for column in table.columns if column != "value"]
    table = table.groupby(keys, sort=False, as_index=False).value.mean()
    groups = {dataset: about["settings"]["groups"]} if args.model else {}
    for line in clustering_advice(table, groups):
        logging.warning("Warning: %s", line)
    save_table(args.output, table)
    if args.clusters:
        found = {}
        for (*condition, key), (first, *_) in ends.items():
            found["-".join((dict(condition)["init"], *key))] = first
        where = {"row": tensors.get("test_rows", torch.arange(len(tensors["test_data"]))).numpy()}
        if "classes" in header:
            where["label"] = np.array(header["classes"])[labels]
        save_table(args.clusters, pd.DataFrame({**where, **found}))
    if args.codes:
        about = {key: about[key] for key in ("dataset", "method", "inits", "centered")}
        save_tensors(args.codes, kept, kind="codes", **about)


def head(dataset: str, condition: dict, features: str, algorithm: str, replicate: int) -> dict:
    """The columns of a row that say what was scored."""
    where = {"features": features, "algorithm": algorithm, "replicate": replicate}
    return {"experiment": "clustering", "dataset": dataset, **condition, **where}


if __name__ == "__main__":
    main()
