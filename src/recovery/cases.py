"""Cases in which claims about the recovery are tested, and what they look at."""

from collections.abc import Callable, Iterable

import pandas as pd

from evidence.claims import Tables
from evidence.names import ONE_SIDED, PAPERS

ENTRYWISE = ("soft", "relu")  # the activations that the paper's sparse network may have
# The paper does not say how it counts; a one-sided network cannot represent negative entries.
COUNTINGS = {"entry_recall": "all true entries", "positive_recall": "positive true entries"}


def ours(cases: Callable) -> Callable:
    """The same cases for a claim that the paper does not make under any sampling."""

    def cases_of_ours(tables: Tables, choices: dict) -> Iterable[dict]:
        return ({**fields, "paper": False} for fields in cases(tables, choices))

    return cases_of_ours


def of_sampling(sampling: str, found: Iterable[str]) -> dict:
    """Fields of a sampling among those that are ``found``: the paper's curves are its first's."""
    return {"sampling": sampling, "paper": sampling == PAPERS or PAPERS not in set(found)}


def samplings(tables: Tables, choices: dict):
    """Either sampling, from the init that the figures show."""
    fields = {"method": choices["method"], "baseline": choices["baseline"]}
    fields |= {"init": choices["init"], "snr": choices["snr_db"]}
    history = tables["recovery_history"]
    found = sorted(history[history.init == fields["init"]].sampling.unique())
    for sampling in found:
        yield {**fields, **of_sampling(sampling, found)}


def sparse_networks(methods: dict) -> list[str]:
    """Methods of the config that the paper's words on its sparse network are about."""
    return [name for name, spec in methods.items() if spec.get("prox") in ENTRYWISE]


def one_sided(methods: dict) -> list[str]:
    """Methods of the config whose codes are never negative."""
    return [name for name, spec in methods.items() if spec.get("prox") in ONE_SIDED]


def others(tables: Tables, choices: dict):
    """Either sampling and every sparse network."""
    for fields in samplings(tables, choices):
        here = where(tables["recovery_history"], init=fields["init"], sampling=fields["sampling"])
        for other in here.method.unique():
            if other in choices["sparse"] and other != fields["method"]:
                yield {**fields, "other": other, "one_sided": other in choices["one_sided"]}


def countings(tables: Tables, choices: dict):
    """Either sampling, every sparse network and either way to count."""
    for fields in others(tables, choices):
        for metric, counted in COUNTINGS.items():
            yield {**fields, "metric": metric, "counted": counted}


def other_inits(tables: Tables, choices: dict):
    """The inits that the figures do not show, at the noise level of Fig. 3c."""
    fields = {"method": choices["method"], "snr": choices["snr_db"]}
    here = where(tables["recovery_history"], method=fields["method"], snr=fields["snr"])
    found = tables["recovery_history"].sampling.unique()
    for init, sampling in here[["init", "sampling"]].drop_duplicates().itertuples(index=False):
        if init != choices["init"]:
            yield {**fields, "init": init, **of_sampling(sampling, found)}


def score(tables: Tables, case, method: str, metric: str, stage: str = "final") -> pd.Series:
    """A metric of the evaluation, (snr, replicate)."""
    here = where(
        tables["recovery"], init=case.init, sampling=case.sampling, method=method, stage=stage,
        metric=metric,
    )  # fmt: skip
    return here.set_index(["snr", "replicate"]).value.sort_index()


def curves(tables: Tables, case, method: str, metric: str = "squared_error") -> pd.DataFrame:
    """A metric along training: (snr, replicate) x epoch."""
    here = where(
        tables["recovery_history"],
        init=case.init,
        sampling=case.sampling,
        method=method,
        metric=metric,
    )
    return here.pivot_table("value", ["snr", "replicate"], "epoch")


def ends(tables: Tables, case, method: str) -> pd.Series:
    """The squared error after training, (snr, replicate)."""
    return curves(tables, case, method).iloc[:, -1]


def where(table: pd.DataFrame, **values) -> pd.DataFrame:
    """The rows in which columns have these values."""
    for name, value in values.items():
        table = table[table[name] == value]
    return table
