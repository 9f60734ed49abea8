"""Tables of the study for the report: ratios to the oracle, and why not where not."""

import pandas as pd

from evidence.section import number, replicates, spread, table
from evidence.verdict import intervals
from models.conditions import ORACLE, TRUTH, clusters, settings
from models.names import described, model_name
from models.reasons import NEAR_ORACLE, causes, over_oracle, recovers, values


def ratios(scores: pd.DataFrame, section: dict) -> dict:
    """Ratio of every method in every model; an asterisk where the interval reaches the aim."""
    methods = section["methods"]
    rows = []
    for model in section["run"]:
        cells = []
        for method in methods:
            found = over_oracle(scores, model, method)
            star = " *" if recovers(scores, model, method) else ""
            cells.append(spread(found.mean(), found.std(), 2) + star)
        oracle = values(scores, model, ORACLE, "error").mean()
        rows.append([model_name(model), f"{oracle:.3g}", *cells])
    head = ["generative model", "oracle's error", *(described(m, e) for m, e in methods.items())]
    return table(
        [head], rows, name="models_recovery",
        caption=(
            "Subspace error over that of least squares on the true codes "
            f"({replicates(section['replicates'])}). *: the 95 % interval of the mean ends at most "
            f"at {NEAR_ORACLE:g}."
        ),
    )  # fmt: skip


def why_not(scores: pd.DataFrame, section: dict) -> dict:
    """Every method that is not near the oracle, with the scores of its groups and the causes."""
    rows = []
    for model in section["run"]:
        setting = settings(section, model)
        few = values(scores, model, TRUTH, "fewest_samples").mean()
        for method, entry in section["methods"].items():
            if recovers(scores, model, method):
                continue
            interval = intervals(over_oracle(scores, model, method)).iloc[0]
            why = causes(scores, model, method, entry, setting)
            rows.append(
                [
                    model_name(model), described(method, entry),
                    f"{interval['mean']:.3g} [{interval.low:.3g}, {interval.high:.3g}]",
                    number(values(scores, model, method, "f1").mean()),
                    "; ".join(why)
                    or f"nothing stands out; the rarest group has {few:.0f} samples",
                ]
            )  # fmt: skip
    head = ["generative model", "method", "ratio [95 %]", "F1 of groups", "why not"]
    caption = "Methods that are not shown to be near the oracle, and what was measured of them."
    return table([head], rows, name="models_why_not", caption=caption)


def clustering(scores: pd.DataFrame, section: dict) -> dict | None:
    """Accuracy of the active group as a cluster, in the models in which a sample has one."""
    names = [m for m in section["run"] if clusters(settings(section, m))]
    if not names:
        return None
    rows = []
    for method, entry in {TRUTH: {}, **section["methods"]}.items():
        found = [values(scores, model, method, "accuracy") for model in names]
        rows.append(
            [described(method, entry), *(spread(100 * f.mean(), 100 * f.std(), 1) for f in found)]
        )
    head = ["method", *(model_name(name) for name in names)]
    caption = (
        "Samples in the right cluster (%), where a sample has one active group: its cluster is the "
        f"group with the largest code ({replicates(section['replicates'])})."
    )
    return table([head], rows, name="models_clustering", caption=caption)
