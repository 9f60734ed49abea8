"""Tables of the study for the report: one for each data set and protocol."""

import pandas as pd

from evidence.paper import paper_table
from evidence.section import number, percent, replicates, table
from mixtures.conditions import JOINED, LABELLED, Job
from mixtures.names import PROTOCOLS, called, start_name
from mixtures.scores import SCORES, criterion, jobs_of, last, untrained

HEAD = [
    "method", "start", "ACC", "NMI", "ARI", "ACC of the start's clusters", "criterion",
    "parameters", "seconds", "labels",
]  # fmt: skip


def clusterings(scores: pd.DataFrame) -> list[dict]:
    """A table for each data set and protocol: all methods and starts, then printed numbers."""
    places = dict.fromkeys((job.dataset, job.protocol) for job in jobs_of(scores))
    return [_clustering(scores, *place) for place in places]


def _clustering(scores: pd.DataFrame, dataset: str, protocol: str) -> dict:
    jobs = [job for job in jobs_of(scores) if (job.dataset, job.protocol) == (dataset, protocol)]
    rows = [row for job in jobs for row in _rows(scores, job)]
    if protocol == JOINED:
        rows += _printed(dataset)
    seeds = max(len(last(scores, job, "acc")) for job in jobs)
    caption = (
        f"Clusters of {dataset}, {PROTOCOLS[protocol]}: scores in % ({replicates(seeds)}). The "
        "criterion needs no label: free energy of a mixture, share of the energy that subspaces "
        "leave; only starts of one method compare. Seconds are those of the start and "
        "of training. Labels: whether they were used."
    )
    return table([HEAD], rows, caption=caption, name=f"mixtures_{dataset}_{protocol}")


def _rows(scores: pd.DataFrame, job: Job) -> list[list[str]]:
    """A row for what was learnt, and one for what there was before, if it is a model."""
    names = [called(job.method), start_name(job.start)]
    rows = [names + _cells(scores, job, last)]
    if len(untrained(scores, job, "acc")):
        rows.append([f"{names[0]}, before training", names[1], *_cells(scores, job, untrained)])
    return rows


def _cells(scores: pd.DataFrame, job: Job, when) -> list[str]:
    spent = untrained(scores, job, "start_seconds") + when(scores, job, "seconds")
    sample = untrained(scores, job, "sample_acc")
    return [
        *(
            percent(values.mean(), values.std())
            for values in (when(scores, job, m) for m in SCORES)
        ),
        percent(sample.mean(), sample.std()),
        number(criterion(scores, job, before=when is untrained).mean(), 4),
        number(when(scores, job, "parameters").mean(), 0),
        number(spent.mean(), 1),
        "yes" if job.start == LABELLED else "no",
    ]


def _printed(dataset: str) -> list[list[str]]:
    """Numbers of the literature on a data set, which have one decimal at most."""
    printed = paper_table("mixmate")
    return [
        [called(row.method), f"printed ({row.source})", *(percent(getattr(row, m)) for m in SCORES)]
        + ["–"] * (len(HEAD) - 5)
        for row in printed[printed.dataset == dataset].itertuples()
    ]
