"""The long-form table of the experiment, read by the report."""

from __future__ import annotations

import pandas as pd

from deconvolution.conditions import Job, points


def wide(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each recording, method and replicate, a column for each metric."""
    index = ["data", "method", "replicate"]
    found = table.pivot_table(index=index, columns="metric", values="value", sort=False)
    return found.reset_index()


def of(runs: pd.DataFrame, job: Job, metric: str) -> pd.Series:
    """Values of a metric by replicate; empty where there are none."""
    here = runs[(runs.data == job.data) & (runs.method == job.method)].set_index("replicate")
    return here[metric].dropna() if metric in here else pd.Series(dtype=float)


def shared(runs: pd.DataFrame, data: str, names: tuple[str, str], metric: str):
    """Values of a metric of two methods on one recording, by replicate; None where one has none."""
    first, second = (of(runs, Job(data, name), metric) for name in names)
    both = first.index.intersection(second.index)
    return (first[both], second[both]) if len(both) else None


def curve(runs: pd.DataFrame, section: dict, sweep: str, metric: str) -> pd.DataFrame:
    """Mean and standard deviation of a metric at every point: columns method, value, mean, std."""
    rows, names = [], section["sweeps"][sweep]["methods"]
    for number, (value, job) in enumerate(points(section, sweep)):
        found = of(runs, job, metric)
        rows.append((names[number % len(names)], value, found.mean(), found.std()))
    return pd.DataFrame(rows, columns=["method", "value", "mean", "std"])
