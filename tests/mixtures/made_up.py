"""A small section of the config, and tables of made-up scores, for the tests of the mixtures."""

import copy

import pandas as pd

from mixtures.conditions import ENERGIES, JOINED, SEVERAL, SUBSPACES, VOTE_OF_STARTS, Job, jobs

DIGITS = {
    "shape": [8, 8], "clusters": 10, "atoms": 15, "lambda": 0.75, "mean_norm": 9.21, "layers": 15,
    "scales": 2, "components": 100, "sample": 1797, "dimension": 12, "passes": 30, "replicates": 5,
    "training": {"epochs": 10, "lr": 1.0e-3, "batch_size": 32},
}  # fmt: skip
MNIST = DIGITS | {"shape": [28, 28], "atoms": 50, "scales": 3, "components": 500, "sample": 2000}
USPS = MNIST | {"shape": [16, 16], "atoms": 30}
SECTION = {
    "datasets": ["digits"],
    "settings": {"digits": DIGITS, "mnist": MNIST, "fashion_mnist": MNIST, "usps": USPS},
    "methods": {
        "subspaces": {"kind": "subspaces", "starts": ["ssc", "kmeans", "spectral", "any"]},
        "mixmate": {
            "kind": "mixture", "prox": "soft", "objective": "expected", "weight": 1.0,
            "step": 0.04,
            "starts": ["subspaces", "ssc", "kmeans", "spectral", "pca", "random", "class"],
        },
        "mixmate_likelihood": {
            "kind": "mixture", "prox": "soft", "objective": "likelihood", "weight": 0.5,
            "step": 0.04, "starts": ["subspaces", "ssc"],
        },
        "mixmate_expected": {
            "kind": "mixture", "prox": "soft", "objective": "expected", "weight": 0.5,
            "step": 0.04, "starts": ["ssc"],
        },
        "mixmate_doubled": {
            "kind": "mixture", "prox": "soft", "objective": "likelihood", "weight": 1.0,
            "step": 0.04, "starts": ["ssc"],
        },
        "group_sparse": {
            "kind": "autoencoder", "prox": "group_soft", "lambda": 5.0, "step": 0.04,
            "starts": ["subspaces", "ssc", "kmeans", "spectral", "pca"],
        },
    },
    "missing": {
        "datasets": ["digits"], "shares": [0.0, 0.25, 0.5], "hit": 0.9, "method": "mixmate",
        "start": "ssc", "epochs": 5, "replicates": 2,
    },
    "counts": {"datasets": ["digits"], "clusters": [8, 9, 10, 12], "replicates": 2},
    "shown": {
        "method": "mixmate", "start": "subspaces", "changed": "mixmate_likelihood",
        "network": "group_sparse", "subspaces": "subspaces",
    },
}  # fmt: skip
CHOICES = {**SECTION["shown"], "methods": SECTION["methods"]}
# ACC after training from the first start of a method; every further start has 0.02 less.
LEARNT = {
    "mixmate": 0.96, "mixmate_likelihood": 0.99, "mixmate_expected": 0.955,
    "mixmate_doubled": 0.955, "group_sparse": 0.9, "subspaces": 0.99,
}  # fmt: skip


def section(**changes) -> dict:
    """The section of digits, with some of its keys changed."""
    return {**copy.deepcopy(SECTION), **changes}


def table(changes=(), dataset="digits", protocol="joined", replicates=2) -> pd.DataFrame:
    """Scores in which every claim holds, after ``changes``: (method, start, metric) -> value.

    A value may be a list, one for each replicate. ``before`` is ACC before training.
    """
    changes, rows, seen = dict(changes), [], set()
    combined = (ENERGIES, SUBSPACES), (VOTE_OF_STARTS, SEVERAL)
    everything = jobs(section(datasets=[dataset]))
    if protocol == JOINED:
        everything += [Job(dataset, JOINED, *names) for names in combined]
    for job in everything:
        for (metric, epoch), value in _values(job).items():
            key = job.method, job.start, "before" if (metric, epoch) == ("acc", 0) else metric
            seen.add(key)
            value = changes.get(key, value)
            for r in range(replicates):
                head = {"experiment": "mixtures", **job._replace(protocol=protocol)._asdict()}
                here = value[r] if isinstance(value, list) else value
                rows.append(
                    {**head, "replicate": r, "epoch": epoch, "metric": metric, "value": here}
                )
    assert set(changes) <= seen, "an entry that is not there"
    return pd.DataFrame(rows)


def _values(job: Job) -> dict[tuple[str, int], float]:
    """(metric, epoch) -> value of one training; criteria rank the first start first."""
    if job.method not in LEARNT:
        scores = {("acc", 1): 0.999, ("nmi", 1): 0.9, ("ari", 1): 0.9}
        return scores | {("seconds", 1): 1.0, ("start_seconds", 0): 40.0}
    starts = SECTION["methods"][job.method]["starts"]
    rank = starts.index(job.start)
    values = {
        ("acc", 10): LEARNT[job.method] - 0.02 * rank, ("nmi", 10): 0.9, ("ari", 10): 0.88,
        ("parameters", 10): 9600, ("used", 10): 10, ("seconds", 10): 20.0,
        ("start_seconds", 0): 2.0,
    }  # fmt: skip
    if job.start not in ("pca", "random"):
        values |= {("sample_acc", 0): 0.75, ("sample_nmi", 0): 0.7, ("sample_ari", 0): 0.65}
    if job.method == SUBSPACES:
        return values | {("residual", 10): 0.1 + 0.01 * rank, ("passes", 10): 10}
    values |= {
        ("acc", 0): 0.7, ("nmi", 0): 0.7, ("ari", 0): 0.6, ("parameters", 0): 9600,
        ("used", 0): 10, ("seconds", 0): 1.0, ("loss", 10): 5.0,
    }  # fmt: skip
    if job.method != "group_sparse":
        values |= {("free_energy", 0): 9.0, ("free_energy", 10): 4.0 + 0.1 * rank}
    return values
