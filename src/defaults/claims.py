"""Claims about the defaults. None is the paper's: each is an aim set beforehand."""

from functools import partial

from defaults.conditions import CODER, PCA
from defaults.scores import NEAR_ORACLE, images, planted
from evidence.claims import claim
from evidence.verdict import at_least, at_most

stated = partial(claim, source="not in the paper", needs=("defaults",), paper=False)


def levels(tables, choices):
    """Every noise level of the planted problems."""
    runs = planted(tables["defaults"], True)
    for snr in runs.index.get_level_values("snr_db").unique() if len(runs) else []:
        yield {"snr": snr}


@stated(
    "Told nothing but sizes, the estimator recovers the groups",
    statistic="subspace error / that of least squares on the true codes: {snr:g} dB",
    reference="1",
    rule=at_most(NEAR_ORACLE, partly=2.0),
    cases=levels,
    table="defaults",
)
def recovered(tables, case):
    runs = planted(tables["defaults"], True).xs(case.snr, level="snr_db")
    return runs.ratio


def data_sets(tables, choices):
    """Every data set."""
    for job in images(tables["defaults"]).index.get_level_values("job").unique():
        yield {"job": job}


@stated(
    "With as many active atoms the estimator explains more of new images than PCA",
    statistic="explained variance less that of PCA: {job}",
    reference="above 0",
    rule=at_least(0.0),
    cases=data_sets,
    table="defaults_images",
)
def explains(tables, case):
    runs = images(tables["defaults"]).explained.xs(case.job, level="job")
    return runs.xs(CODER, level="method") - runs.xs(PCA, level="method")
