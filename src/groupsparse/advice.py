"""Warnings about trainings whose results mean little, each with advice.

The rules read long-form tables, as means over replicates. Their thresholds are the constants below.
"""

import pandas as pd

ALL = 0.99  # share of groups (or entries) per code above which all count as active
MOST = 0.5  # share of right, or found, groups below which training counts as failed


def recovery_advice(recovery: pd.DataFrame, groups: int) -> list[str]:
    """Trainings of the simulation that end worse than they began, or without a sparse code.

    ``recovery`` is the table of evaluate_recovery.py, ``groups`` the number of groups.
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
        if problems:
            where = f"simulation, {snr:g} dB, {sampling}, init {init}, {method}"
            lines.append(f"{where}: {', '.join(problems)}; {advice}.")
    return lines


def clustering_advice(clustering: pd.DataFrame, groups: dict[str, int]) -> list[str]:
    """Trainings on real data whose codes are all active or all zero.

    ``clustering`` is the table of evaluate_clustering.py, ``groups`` the number of groups of every
    data set.
    """
    lines = []
    for (dataset, method), rows in clustering.groupby(["dataset", "method"], sort=False):
        # Only group methods have an active group to cluster by.
        grouped = (rows.features == "group").any()
        found: dict[str, list[str]] = {}
        for (init, centered), part in rows.groupby(["init", "centered"], sort=False):
            means = part.groupby("metric").value.mean()
            if "active_entries" not in means:
                continue  # a control: it has no codes
            if means.zero_codes >= ALL:
                problem = "all codes are zero; lambda is too large: lower it"
            elif grouped and means.active_groups >= ALL * groups[dataset]:
                problem = f"all {groups[dataset]} groups are active in every code; lambda is too "
                problem += "small for codes that are group-sparse: raise it"
            elif not grouped and means.active_entries >= ALL:
                problem = "all entries of the codes are active; lambda is too small: raise it"
            else:
                continue
            found.setdefault(problem, []).append(init + (", centred" if centered else ""))
        for problem, conditions in found.items():
            lines.append(
                f"clustering, {dataset}, {method}, init {'; '.join(conditions)}: {problem}."
            )
    return lines
