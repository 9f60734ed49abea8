"""Cluster the test set by its codes (or by controls) and score it: ACC, NMI, ARI.

The scores of a training are means over the dictionaries that it kept, so that no row depends on one
epoch.
"""

import argparse
import logging

import pandas as pd
import torch

from clustering.advice import clustering_advice
from clustering.cases import controls, trained
from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse import clustering
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.seeds import derive_seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--model", help="artefact of clustering.train; without it, controls")
    parser.add_argument("--neighbors", type=int, required=True, help="of the spectral graph")
    add_options(parser, "--replicates", "--seed", "--threads")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    parser.add_argument("--codes", help="artefact with the test codes of the first replicate")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)

    tensors, header = load_tensors(args.data)
    dataset, labels = header["dataset"], tensors["test_labels"].numpy()
    classes = int(labels.max()) + 1
    seeds = [
        derive_seed(args.seed, "clustering", dataset, r, "evaluate") for r in range(args.replicates)
    ]
    if args.model:
        model, about = load_tensors(args.model)
        cases = trained(tensors, model, about)
    else:
        cases = controls(tensors["test_data"].numpy(), labels, classes, seeds)
    rows, kept = [], {}
    for condition, replicate, last, features, assignments, sparsity in cases:
        scored = [("codes", "none", sparsity)]
        for name, array in features.items():
            contrast = {"class_contrast": clustering.class_contrast(array, labels)}
            scored.append((name, "none", contrast))
            for algorithm in clustering.ALGORITHMS:
                logging.info("%s, replicate %d: %s on %s", condition, replicate, algorithm, name)
                assignments[name, algorithm] = clustering.cluster(
                    array, classes, algorithm, seeds[replicate], args.neighbors
                )
        scored += [(*key, clustering.scores(labels, a)) for key, a in assignments.items()]
        for name, algorithm, values in scored:
            where = {"features": name, "algorithm": algorithm, "replicate": replicate}
            head = {"experiment": "clustering", "dataset": dataset, **condition, **where}
            rows += records(head, values)
        if args.codes and replicate == 0 and last:
            kept[f"codes.{condition['init']}"] = torch.from_numpy(features["codes"])
    table = pd.DataFrame(rows)
    keys = [column for column in table.columns if column != "value"]
    table = table.groupby(keys, sort=False, as_index=False).value.mean()
    groups = {dataset: about["settings"]["groups"]} if args.model else {}
    for line in clustering_advice(table, groups):
        logging.warning("Warning: %s", line)
    save_table(args.output, table)
    if args.codes:
        about = {key: about[key] for key in ("dataset", "method", "inits", "centered")}
        save_tensors(args.codes, kept, kind="codes", **about)


if __name__ == "__main__":
    main()
