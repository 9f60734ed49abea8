"""What the fits come to: ratios to the oracle's errors, and the best multiple of lambda."""

import pandas as pd

from learners.bounded import DONE, FAILED, MISSING, OVER

CASE = ["case", "learner", "start"]
WORDS = {OVER: "over budget", MISSING: "not installed", FAILED: "failed, or atoms of zeros"}


def fits(table: pd.DataFrame) -> pd.DataFrame:
    """A row per fit with its seconds, its status, and errors over the oracle's where it is done."""
    index = [*CASE, "scale", "replicate"]
    wide = table.pivot_table(index=index, columns="metric", values="value", sort=False)
    wide = wide.reset_index()
    for name in ("subspace", "aligned"):
        if name in wide:
            wide[name] = wide[name] / wide[f"oracle_{name}"]
    return wide.reindex(columns=[*index, "status", "seconds", "subspace", "aligned"])


def best(runs: pd.DataFrame) -> pd.DataFrame:
    """Of every learner and start the fits at its best multiple of lambda.

    Best is the least mean subspace error among multiples at which all replicates are done, if
    there are any. This favours the learners that have a lambda.
    """
    kept = []
    for _, here in runs.groupby(CASE, sort=False):
        done = here.groupby("scale").status.transform(lambda s: (s == DONE).all())
        if done.any():
            means = here[done].groupby("scale").subspace.mean()
            here = here[here.scale == means.idxmin()]
        kept.append(here)
    return pd.concat(kept, ignore_index=True)


def outcome(here: pd.DataFrame) -> str:
    """Why fits of one learner and start have no error; "" if all have one."""
    worst = here.status[here.status != DONE]
    return "" if worst.empty else WORDS[int(worst.iloc[0])]
