"""Read values off the table of the study."""

import pandas as pd

from mixtures.conditions import LABELLED, Job

SCORES = ("acc", "nmi", "ari")
CRITERIA = ("residual", "free_energy")  # what a method minimises, which needs no label


def jobs_of(scores: pd.DataFrame, labelled: bool = True) -> list[Job]:
    """The trainings that a table holds, in its order; ``labelled``: with those that use labels."""
    keys = scores[list(Job._fields)].drop_duplicates()
    jobs = [Job(*key) for key in keys.itertuples(index=False)]
    return [job for job in jobs if labelled or job.start != LABELLED]


def last(scores: pd.DataFrame, job: Job, metric: str) -> pd.Series:
    """The values of a metric after training, by ``replicate``; none where it was not measured."""
    here = _of(scores, job, metric)
    here = here[here.epoch > 0].sort_values("epoch")
    return here.groupby("replicate").value.last()


def untrained(scores: pd.DataFrame, job: Job, metric: str) -> pd.Series:
    """The same before training."""
    here = _of(scores, job, metric)
    return here[here.epoch == 0].set_index("replicate").value


def criterion(scores: pd.DataFrame, job: Job, before: bool = False) -> pd.Series:
    """Residual or free energy, by ``replicate``; none for a method that has neither."""
    values = [(untrained if before else last)(scores, job, name) for name in CRITERIA]
    return max(values, key=len)


def measured(scores: pd.DataFrame, metric: str, **where: object) -> pd.Series:
    """The values of a metric, by ``replicate``, in the rows that have these values of columns."""
    return _rows(scores, metric, where).set_index("replicate").value


def _of(scores: pd.DataFrame, job: Job, metric: str) -> pd.DataFrame:
    return _rows(scores, metric, job._asdict())


def _rows(scores: pd.DataFrame, metric: str, where: dict[str, object]) -> pd.DataFrame:
    rows = scores.metric == metric
    for name, value in where.items():
        rows &= scores[name] == value
    return scores[rows]
