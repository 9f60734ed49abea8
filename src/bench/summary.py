"""Medians, ranges and ratios to the baseline from the tables of the benchmarks."""

import pandas as pd

CONDITION = ["experiment", "case", "n", "m", "samples", "group_size", "device", "threads"]

OURS = ("library", "estimator")
OTHERS = ("plain autograd", "scikit-learn", "dictlearn", "spams")


def spread(table: pd.DataFrame, metric: str, extra: tuple[str, ...] = ()) -> pd.DataFrame:
    """Median, min and max of a metric over repetitions, a row for each condition and candidate."""
    keys = [*CONDITION, *extra, "candidate", "baseline"]
    values = table[table.metric == metric].groupby(keys, sort=False).value
    return values.agg(["median", "min", "max", "count"]).reset_index()


def ratios(table: pd.DataFrame, metric: str = "seconds") -> pd.DataFrame:
    """How many times faster (or smaller) than its baseline a candidate is.

    Repetitions are paired, since those of one round ran right after each other: the ratio has a
    median, a min and a max of its own. Columns as those of :func:`spread`, and ``reference``.
    """
    table = table[table.metric == metric]
    keys = [*CONDITION, "repetition"]
    base = table[table.baseline][[*keys, "candidate", "value"]]
    pairs = table[~table.baseline].merge(base, on=keys, suffixes=("", "_of_baseline"))
    pairs["metric"] = "ratio"
    pairs["value"] = pairs.value_of_baseline / pairs.value
    pairs = pairs.rename(columns={"candidate_of_baseline": "reference"})
    return spread(pairs, "ratio", extra=("reference",))


def trajectories(table: pd.DataFrame) -> pd.DataFrame:
    """Training runs with a column for seconds and for each error, a row for each pass."""
    keys = [*CONDITION, "candidate", "baseline", "repetition", "passes"]
    wide = table.pivot_table(index=keys, columns="metric", values="value", sort=False)
    return wide.reset_index()


def time_to_reach(table: pd.DataFrame, error: str, fraction: float) -> pd.DataFrame:
    """Seconds and passes until an error has fallen to a fraction of its value at the init.

    A row for each candidate: median, min and max of the seconds over repetitions, and the passes;
    no row for a candidate that does not get there.
    """
    found = []
    for _, run in trajectories(table).groupby(["candidate", "repetition"], sort=False):
        reached = run[run[error] <= fraction * run[error].iloc[0]]
        found.append(reached.assign(metric="reach", value=reached.seconds).head(1))
    return spread(pd.concat(found), "reach", extra=("passes",))


def last_pass(table: pd.DataFrame) -> pd.DataFrame:
    """Medians over repetitions at the end of training: errors, seconds and seconds per pass."""
    runs = trajectories(table)
    last = runs[runs.passes == runs.groupby("candidate").passes.transform("max")]
    last = last.assign(seconds_per_pass=last.seconds / last.passes)
    return last.groupby("candidate", sort=False).median(numeric_only=True).reset_index()


def ahead(medians: pd.DataFrame) -> pd.DataFrame:
    """Conditions in which the least median of other programs is below the least of ours.

    A row for each, with ``candidate_ours`` and ``median_ours``, which are NaN if ours has none.
    """
    keys = [key for key in CONDITION if key in medians]
    best = medians.loc[medians.groupby([*keys, "candidate"])["median"].idxmin()]
    best = best.sort_values("median", kind="stable")
    of_others, ours = (
        best[best.candidate.str.startswith(names)].drop_duplicates(keys) for names in (OTHERS, OURS)
    )
    pairs = of_others.merge(ours, on=keys, how="left", suffixes=("", "_ours"))
    return pairs[~(pairs.median_ours <= pairs["median"])]


def predicted(table: pd.DataFrame) -> pd.DataFrame:
    """Seconds and memory of epochs beside the predicted ones, and the relative errors of those."""
    keys = ["case", "candidate", "n", "m", "samples"]
    medians = table.pivot_table(
        index=keys, columns="metric", values="value", aggfunc="median", sort=False
    ).reset_index()
    found = medians[medians.predicted.notna()]
    return found.assign(
        error=found.predicted / found.seconds - 1, error_mb=found.predicted_mb / found.peak_mb - 1
    )
