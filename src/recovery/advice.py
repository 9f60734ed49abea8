"""Warnings about trainings on simulated data whose results mean little, each with advice.

A support that is poor all round is a result. One with most of the true groups among many false ones
has too small a threshold, even if the error fell.

The rules read a long-form table, as means over replicates.
"""

import pandas as pd

ALL = 0.99  # share of groups per code above which all count as active
MOST = 0.5  # share of right, or found, groups below which training counts as failed


def recovery_advice(recovery: pd.DataFrame, groups: int) -> list[str]:
    """Trainings that end worse than they began, or without a sparse code.

    ``recovery`` is the table of recovery/evaluate.py, ``groups`` the number of groups.
    """
    lines = []
    keys = ["snr", "sampling", "init", "method"]
    for (snr, sampling, init, method), rows in recovery.groupby(keys, sort=False):
        means = rows.groupby(["stage", "metric"]).value.mean()
        if "init" not in means:
            continue  # a control: nothing was trained
        start, end = means["init"], means["final"]
        problems, advice = [], ""
        if end.squared_error > start.squared_error:
            problems.append(f"error rose from {start.squared_error:.3g} to {end.squared_error:.3g}")
            advice = "try a smaller learning rate, or more samples"
        if end.active_groups == 0:
            problems.append("all codes are zero")
            advice = "lambda is too large: lower it"
        elif end.active_groups >= ALL * groups:
            problems.append(f"all {groups} groups are active in every code")
            advice = "lambda is too small: raise it"
        elif problems and end.group_precision < MOST:
            problems.append(f"only {end.group_precision:.0%} of the active groups are right")
            advice = "try a larger lambda"
        elif problems and end.group_recall < MOST:
            problems.append(f"only {end.group_recall:.0%} of the true groups are found")
            advice = "try a smaller lambda"
        elif end.group_precision < MOST <= end.group_recall:
            found = f"{end.group_recall:.0%} of the true groups are found"
            problems.append(
                f"{found}, but only {end.group_precision:.0%} of the active ones are true"
            )
            advice = f"raise recovery.methods.{method}.lambda"
        if problems:
            where = f"recovery, {snr:g} dB, {sampling}, init {init}, {method}"
            lines.append(f"{where}: {', '.join(problems)}; {advice}.")
    return lines
