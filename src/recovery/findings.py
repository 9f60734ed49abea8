"""What training recovers in a sentence each, for the top of the page."""

from collections.abc import Collection

import pandas as pd

from evidence.names import SAMPLINGS, method_name

CONTROLS = ("oracle", "chance")


def findings(recovery: pd.DataFrame, shown: dict, one_sided: Collection[str] = ()) -> list[str]:
    """The recall of active entries, and the dictionary error at the noise level that is shown.

    ``recovery`` has the scores of the evaluation; means are over replicates. Of methods that are
    ``one_sided`` the recall of positive entries is told too: they cannot find others.
    """
    here = recovery[recovery.init == shown["init"]]
    # The first that there is.
    sampling = next(name for name in SAMPLINGS if name in set(here.sampling))
    here = here[here.sampling == sampling]
    first, final = (
        here[here.stage == stage].pivot_table("value", ["metric", "snr"], "method")
        for stage in ("init", "final")
    )
    method = shown["method"]
    others = [m for m in here.method.unique() if m not in (method, *CONTROLS)]
    recall = final.loc["entry_recall"]

    def found(name: str) -> str:
        words = f"{method_name(name)} {share(recall[name])}"
        if name not in one_sided:
            return words
        positive = share(final.loc["positive_recall"][name])
        return f"{words} ({positive} of the positive ones, all that it can find)"

    levels = f"{recall.index.min():g} to {recall.index.max():g}" if len(recall) > 1 else "{:g}"
    errors = final.loc[("squared_error", shown["snr_db"])]
    start = first.loc[("squared_error", shown["snr_db"]), method]
    return [
        f"Supports ({SAMPLINGS[sampling]}, {levels.format(recall.index.max())} dB): "
        f"{method_name(method)} finds {share(recall[method])} of the active entries"
        + "".join(f", {found(m)}" for m in others) + ".",
        f"Dictionary ({shown['snr_db']:g} dB): the squared error starts at {start:.3g}; "
        f"{method_name(method)} ends at {errors[method]:.3g}"
        + "".join(f", {method_name(m)} at {errors[m]:.3g}" for m in others) + ".",
    ]  # fmt: skip


def share(values: pd.Series) -> str:
    """A share in per cent, or its range over noise levels."""
    ends = list(dict.fromkeys(f"{100 * v:.1f}" for v in (values.min(), values.max())))
    return f"{' to '.join(ends)} %"
