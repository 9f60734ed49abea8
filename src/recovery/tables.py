"""Tables of final errors and supports for the report."""

import pandas as pd

from evidence.names import SAMPLINGS, method_name
from evidence.section import number, replicates, spread, table

KEYS = ["init", "sampling", "snr", "method"]
SUPPORTS = {
    "entry_recall": "entry recall",
    "positive_recall": "recall of positive entries",
    "entry_precision": "entry precision",
    "group_recall": "group recall",
    "group_precision": "group precision",
    "group_f1": "group F1",
    "group_exact": "exact groups",
}
IN_SUMMARY = ("entry_recall", "positive_recall", "group_exact")


def final_scores(recovery: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over replicates after training: ``KEYS`` and metric in rows."""
    final = recovery[recovery.stage == "final"]
    return final.groupby([*KEYS, "metric"], sort=False).value.agg(["mean", "std"])


def end_points(recovery: pd.DataFrame) -> dict:
    """Errors and supports after every training."""
    head = ["init", "sampling", "SNR", "method", "squared error", "noise floor", "aligned"]
    rows = []
    for (init, sampling, snr, method), here in final_scores(recovery).groupby(KEYS, sort=False):
        scores = here.droplevel(KEYS)
        rows.append(
            [
                init, sampling, f"{snr:g} dB", method_name(method),
                spread(*scores.loc["squared_error"], 2),
                number(scores["mean"]["noise_floor"], 2),
                spread(*scores.loc["aligned_squared_error"], 2),
                *(spread(*scores.loc[metric]) for metric in SUPPORTS),
            ]
        )  # fmt: skip
    return table([[*head, *SUPPORTS.values()]], rows, caption="Every training at its end")


def summary(recovery: pd.DataFrame, config: dict) -> dict:
    """Errors and supports of every method at the noise level and init that the figures show."""
    shown, model = config["shown"], config["model"]
    here = recovery[(recovery.init == shown["init"]) & (recovery.snr == shown["snr_db"])]
    samplings = [sampling for sampling in SAMPLINGS if sampling in set(here.sampling)]
    scores = final_scores(here).droplevel(["init", "snr"])
    columns = {
        **{f"error, {s}": (s, "squared_error", 2) for s in samplings},
        **{f"{SUPPORTS[m]}, {s}": (s, m, 3) for s in samplings[:1] for m in IN_SUMMARY},
    }

    def cell(method: str, sampling: str, metric: str, digits: int) -> str:
        key = sampling, method, metric
        return spread(*scores.loc[key], digits) if key in scores.index else "–"

    epochs = config["inits"][shown["init"]].get("epochs", config["training"]["epochs"])
    return table(
        [["method", *columns]],
        [
            [method_name(method), *(cell(method, *of) for of in columns.values())]
            for method in here.method.unique()
        ],
        caption=f"Squared error ‖A − A*‖² and recovered supports after {epochs} epochs at "
        f"{shown['snr_db']:g} dB (dimension {model['n']}, {model['groups']} groups of "
        f"{model['group_size']}), {replicates(config['replicates'])}; fresh_noise keeps the codes "
        "under new noise in every epoch, fresh are new samples, fixed is one data set; the oracle "
        "is given the true codes",
    )
