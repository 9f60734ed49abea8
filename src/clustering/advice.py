"""Warnings about trainings on images whose results mean little, each with advice.

The rules read a long-form table, as means over replicates.
"""

import pandas as pd

LARGE = 0.5  # share of the variance from which one feature is most of what is learnt
ALL = 0.99  # share of groups (or entries) per code above which all count as active


def clustering_advice(clustering: pd.DataFrame, groups: dict[str, int]) -> list[str]:
    """Trainings whose codes are all active or all zero, and data of which one feature is most.

    ``clustering`` is the table of clustering/evaluate.py, ``groups`` the number of groups of every
    data set.
    """
    lines = []
    for (dataset, method), rows in clustering.groupby(["dataset", "method"], sort=False):
        # Only group methods have an active group to cluster by.
        grouped = (rows.features == "group").any()
        found: dict[str, list[str]] = {}
        for (init, centered), part in rows.groupby(["init", "centered"], sort=False):
            means = part.groupby("metric").value.mean()
            if (share := means.get("largest_variance_share", 0.0)) >= LARGE:
                lines.append(
                    f"clustering, {dataset}: one feature has {share:.0%} of the variance, so codes "
                    "follow it alone; bring features to one scale."
                )
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
