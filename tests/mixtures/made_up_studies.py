"""Tables of made-up scores of missing pixels and of numbers of clusters, in which claims hold."""

import pandas as pd

# (share, filling): ACC and in-painting error.
MISSING = {
    (0.0, "masks"): (0.95, float("nan")),
    (0.25, "masks"): (0.94, 0.4), (0.25, "zeros"): (0.9, 0.8), (0.25, "means"): (0.92, 0.6),
    (0.5, "masks"): (0.9, 0.5), (0.5, "zeros"): (0.8, 0.9), (0.5, "means"): (0.85, 0.7),
}  # fmt: skip
# Clusters: free energy, agreement, ARI.
COUNTS = {
    8: (110.0, 0.8, 0.7), 9: (105.0, 0.85, 0.8), 10: (100.0, 0.95, 0.9), 12: (103.0, 0.9, 0.8),
}  # fmt: skip


def missing_table(changes=(), dataset="digits", replicates=2) -> pd.DataFrame:
    """Scores after ``changes``: (share, filling, metric) -> a value, or one for each replicate."""
    values = {
        (share, filling, metric): value
        for (share, filling), (acc, error) in MISSING.items()
        for metric, value in {
            "acc": acc, "nmi": 0.9, "ari": 0.88, "inpainting": error, "seconds": 20.0,
        }.items()
    }  # fmt: skip
    columns = "share", "filling", "metric"
    return _table(columns, values, dict(changes), dataset, replicates).assign(hit=0.9)


def counts_table(changes=(), dataset="digits", replicates=2) -> pd.DataFrame:
    """Scores after ``changes``: (clusters, metric) -> a value, or one for each replicate."""
    values = {
        (clusters, metric): value
        for clusters, (energy, agreement, ari) in COUNTS.items()
        for metric, value in {
            "free_energy": energy, "agreement": agreement, "acc": 0.9, "nmi": 0.9, "ari": ari,
            "classes": 10,
        }.items()
    }  # fmt: skip
    return _table(("clusters", "metric"), values, dict(changes), dataset, replicates)


def _table(columns, values: dict, changes: dict, dataset: str, replicates: int) -> pd.DataFrame:
    assert set(changes) <= set(values), "an entry that is not there"
    rows = [
        {
            "experiment": "mixtures", "dataset": dataset, **dict(zip(columns, key, strict=True)),
            "replicate": r, "value": value[r] if isinstance(value, list) else value,
        }
        for key, value in (values | changes).items()
        for r in range(replicates)
    ]  # fmt: skip
    return pd.DataFrame(rows)
