"""How many clusters are there? Subspaces with every number of groups, judged without labels."""

import argparse
import json
import logging
import math

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
    data, settings, rows = features(args.features, args.data, HELD_OUT), args.settings, []
    dataset = load_tensors(args.data)[1]["dataset"]
    for replicate, seed in enumerate(seeds_of(args.seed, dataset, args.replicates)):
        order = torch.randperm(len(data.learnt), generator=torch.Generator().manual_seed(seed))
        halves = [data.learnt[part] for part in order.tensor_split(2)]
        for count in args.clusters:
            found = [fit(half, data.scored, count, settings, seed) for half in halves]
            (first, groups), (_, others) = found
            values = {
                "free_energy": first,
                "agreement": float(adjusted_rand_score(groups, others)),
                **scores(data.scored_labels.numpy(), groups.numpy()),
            }
            head = {
                "experiment": "mixtures", "dataset": dataset, "clusters": count,
                "replicate": replicate,
            }  # fmt: skip
            rows += records(head, values)
            log.info("%s: %s", head, values)
    save_table(args.output, pd.DataFrame(rows))


def fit(
    half: Tensor, held_out: Tensor, count: int, settings: dict, seed: int
) -> tuple[float, Tensor]:
    """Free energy per sample of held-out features, and their groups, by subspaces of one half."""
    sample = torch.arange(min(len(half), settings["sample"]))
    clusters = clusters_of("ssc", half[sample], half[sample], None, count, seed)
    shape = count, settings["dimension"], settings["passes"]
    found = subspaces(half, held_out, sample, clusters, *shape)
    energy = free_energy(half, found.learnt, held_out, found.dictionary, settings["dimension"])
    return float(energy.double().mean()), found.scored


def free_energy(
    learnt: Tensor, groups: Tensor, others: Tensor, dictionary: Tensor, dimension: int
) -> Tensor:
    r"""-log sum_k pi_k N(y; 0, C_k) of others (M, n), in nats: (M,).

    C_k = A_k S_k A_k^T + s_k^2 (I - A_k A_k^T) has the variances of the codes of the learnt samples
    of group k, and the mean variance of what its subspace leaves (probabilistic principal
    components, Tipping & Bishop 1999). A group with too few samples has those of all.
    """
    n, logs = learnt.shape[1], []
    for k, basis in enumerate(blocks(dictionary, dimension)):
        members = learnt[groups == k]
        share = len(members) / len(learnt)
        members = members if len(members) > dimension else learnt
        coded = members @ basis
        spread = (coded.mT @ coded).double() / len(members)
        left = (members.square().sum() - coded.square().sum()).double() / len(members)
        noise = left / (n - dimension)
        factor = torch.linalg.cholesky(spread)
        codes = (others @ basis).double()
        white = torch.linalg.solve_triangular(factor, codes.mT, upper=False)
        rest = others.double().square().sum(1) - codes.square().sum(1)
        determinant = 2 * factor.diagonal().log().sum() + (n - dimension) * noise.log()
        exponent = white.square().sum(0) + rest / noise
        prior = math.log(max(share, 1e-300))
        logs.append(prior - 0.5 * (exponent + determinant + n * math.log(2 * math.pi)))
    return -torch.stack(logs).logsumexp(0)


if __name__ == "__main__":
    main()
