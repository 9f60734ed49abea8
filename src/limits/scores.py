"""Errors beside the oracle's, and the time to an error, from the table of all runs."""

import math

import pandas as pd

from limits.conditions import FIXED, ORACLE

INDEX = ["snr", "replicate"]
METRICS = {"invariant": "subspace", "aligned": "aligned"}  # as readers call them
NO_NOISE = math.inf


def curve(table: pd.DataFrame, sampling: str, method: str, metric: str) -> pd.Series:
    """A metric of a method by (snr, replicate, epoch), in the order of epochs."""
    here = table[(table.sampling == sampling) & (table.method == method) & (table.metric == metric)]
    return here.set_index([*INDEX, "epoch"]).value.sort_index()


def last(values: pd.Series) -> pd.Series:
    """The value after the last epoch of every run: (snr, replicate, epoch) -> (snr, replicate)."""
    return values.groupby(level=INDEX).last()


def oracle_of(table: pd.DataFrame, sampling: str, method: str, metric: str) -> pd.Series:
    """The oracle's error on the samples that the method has seen, by (snr, replicate)."""
    oracle = curve(table, sampling, ORACLE, metric)
    if sampling == FIXED:  # the same data in every epoch
        return last(oracle)
    epochs = curve(table, sampling, method, metric).reset_index().groupby(INDEX).epoch.max()
    return pd.Series(
        {(*key, epoch): oracle.get((*key, epoch), math.nan) for key, epoch in epochs.items()}
    ).pipe(_without_epoch)


def _without_epoch(values: pd.Series) -> pd.Series:
    if values.empty:
        return pd.Series(dtype=float, index=pd.MultiIndex.from_arrays([[], []], names=INDEX))
    values.index = values.index.set_names([*INDEX, "epoch"])
    return values.droplevel("epoch")


def over_oracle(table: pd.DataFrame, sampling: str, method: str, metric: str) -> pd.Series:
    """Final error over that of the oracle with the same samples, by (snr, replicate).

    Without noise the oracle's error is rounding, and there is no ratio.
    """
    ours = last(curve(table, sampling, method, metric))
    ratio = ours / oracle_of(table, sampling, method, metric).reindex(ours.index)
    return ratio[ratio.index.get_level_values("snr") != NO_NOISE]


def seconds_to(table: pd.DataFrame, method: str, targets: pd.Series) -> pd.Series:
    """Seconds on fixed data until the subspace error is at most its target; infinite if never.

    Parameters
    ----------
    targets : error by (snr, replicate)

    Returns
    -------
    seconds by (snr, replicate): the first measured epoch that reaches the target
    """
    errors = curve(table, FIXED, method, "invariant")
    seconds = curve(table, FIXED, method, "seconds")
    found = {}
    for key, target in targets.items():
        here = errors.loc[key]
        reached = here[here <= target]
        found[key] = seconds[(*key, reached.index[0])] if len(reached) else math.inf
    return pd.Series(found, dtype=float).rename_axis(INDEX)


def times(table: pd.DataFrame, method: str, network: str) -> pd.DataFrame:
    """Seconds of both until the error at which the network ends, by (snr, replicate).

    Columns ``target``, ``network``, ``method`` and ``factor``; 0 where the method never gets there.
    """
    both = last(curve(table, FIXED, method, "invariant")).index
    targets = last(curve(table, FIXED, network, "invariant"))
    targets = targets[targets.index.isin(both)]
    found = pd.DataFrame(
        {
            "target": targets,
            "network": seconds_to(table, network, targets),
            "method": seconds_to(table, method, targets),
        }
    )
    return found.assign(factor=found.network / found.method)


def removed(table: pd.DataFrame, sampling: str, method: str, network: str) -> dict[str, float]:
    """Share of the published network's excess over the oracle that a variant does not have.

    For the subspace error, for what is left of the aligned error inside the groups, and for the
    aligned error; means over the noise levels and replicates that both ran on.
    """
    excess = {}
    for name in (method, network):
        parts = {
            metric: last(curve(table, sampling, name, metric))
            - oracle_of(table, sampling, name, metric)
            for metric in METRICS
        }
        parts["inside"] = parts["aligned"] - parts["invariant"]
        excess[name] = pd.DataFrame(parts)
    shared = excess[method].index.intersection(excess[network].index)
    mine, theirs = (excess[name].loc[shared].mean() for name in (method, network))
    return {part: float(1 - mine[part] / theirs[part]) for part in mine.index}
