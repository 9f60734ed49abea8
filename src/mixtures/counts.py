"""How many clusters are there? Subspaces with every number of groups, judged without labels."""

import argparse
import json
import logging
import math
from statistics import fmean
from typing import NamedTuple

import pandas as pd
import torch
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import load_tensors
from groupsparse.clustering import scores
from groupsparse.dictionary import blocks
from mixtures.conditions import HELD_OUT
from mixtures.images import features, seeds_of
from mixtures.methods import subspaces
from mixtures.starts import clusters_of

log = logging.getLogger(__name__)
FLOOR = 1e-6  # least variance of a direction, of the mean square of an entry


class Fit(NamedTuple):
    """Free energy per held-out sample, in nats, and the groups (M,) of these samples."""

    free_energy: float
    groups: Tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--features", required=True, help="artefact of mixtures.features")
    parser.add_argument("--clusters", type=int, nargs="+", required=True, help="numbers to try")
    parser.add_argument("--settings", type=json.loads, required=True, help="of the data set (JSON)")
    add_options(parser, "--replicates", "--seed", "--threads")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    data, rows = features(args.features, args.data, HELD_OUT), []
    dataset, labels = load_tensors(args.data)[1]["dataset"], data.scored_labels.numpy()
    for replicate, seed in enumerate(seeds_of(args.seed, dataset, args.replicates)):
        order = torch.randperm(len(data.learnt), generator=torch.Generator().manual_seed(seed))
        halves = [data.learnt[part] for part in order.tensor_split(2)]
        for count in args.clusters:
            fits = [fit(half, data.scored, count, args.settings, seed) for half in halves]
            values = {
                "free_energy": fmean(one.free_energy for one in fits),
                "agreement": float(adjusted_rand_score(*(one.groups.numpy() for one in fits))),
            }
            # Labels enter here alone, to judge.
            judged = [scores(labels, one.groups.numpy()) for one in fits]
            values |= {name: fmean(one[name] for one in judged) for name in judged[0]}
            values["classes"] = len(data.scored_labels.unique())
            head = {
                "experiment": "mixtures", "dataset": dataset, "clusters": count,
                "replicate": replicate,
            }  # fmt: skip
            rows += records(head, values)
            log.info("replicate %d, %d clusters: %s", replicate, count, values)
    save_table(args.output, pd.DataFrame(rows))


def fit(half: Tensor, held_out: Tensor, count: int, settings: dict, seed: int) -> Fit:
    """Subspaces of one half of the training features (N, n), on held-out features (M, n)."""
    sample = torch.arange(min(len(half), settings["sample"]))
    clusters = clusters_of("ssc", half[sample], half[sample], None, count, seed)
    shape = count, settings["dimension"], settings["passes"]
    found = subspaces(half, held_out, sample, clusters, *shape)
    energy = free_energy(half, found.learnt, held_out, found.dictionary, settings["dimension"])
    return Fit(float(energy.mean()), found.scored)


def free_energy(
    learnt: Tensor, groups: Tensor, others: Tensor, dictionary: Tensor, dimension: int
) -> Tensor:
    r"""-log sum_k pi_k N(y; 0, C_k) of others (M, n), in nats: (M,), float64.

    C_k = A_k S_k A_k^T + s_k^2 (I - A_k A_k^T) has the second moments of the codes of the learnt
    samples of group k, and the mean one of what its subspace leaves (probabilistic principal
    components, Tipping & Bishop 1999). pi_k is its share of the learnt samples. A group with no
    more samples than dimensions has the moments of all; one without any does not count.
    """
    n, logs = learnt.shape[1], []
    learnt, others = learnt.double(), others.double()
    least = FLOOR * learnt.square().mean()
    for k, basis in enumerate(blocks(dictionary.double(), dimension)):
        members = learnt[groups == k]
        if not len(members):
            continue
        prior = math.log(len(members) / len(learnt))
        members = members if len(members) > dimension else learnt
        coded = members @ basis
        spread, axes = torch.linalg.eigh(coded.mT @ coded / len(members))
        spread = spread.clamp_min(least)
        left = (members.square().sum() - coded.square().sum()) / len(members)
        noise = (left / (n - dimension)).clamp_min(least)
        codes = others @ basis
        rest = others.square().sum(1) - codes.square().sum(1)
        exponent = ((codes @ axes).square() / spread).sum(1) + rest / noise
        determinant = spread.log().sum() + (n - dimension) * noise.log()
        logs.append(prior - 0.5 * (exponent + determinant + n * math.log(2 * math.pi)))
    return -torch.stack(logs).logsumexp(0)


if __name__ == "__main__":
    main()
