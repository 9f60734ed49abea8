"""Captions of the figures of Experiment 1."""

import pandas as pd

from evidence.names import method_name
from recovery.size import other_size

CAPTIONS = {
    "fig3a": ("Fig. 3a", "dictionary error of {method} per epoch, one colour per SNR"),
    "fig3b": (
        "Fig. 3b",
        "training loss of {method} per epoch, as a squared error per entry; the "
        "paper divides it by N, which is undone here",
    ),
    "fig3c": ("Fig. 3c", "dictionary error of all methods at {snr_db} dB, with both controls"),
    "fig3d": ("Fig. 3d", "support recovery after training against SNR"),
    "inits": (
        "Fig. D (not in the paper)",
        "dictionary error of {method} per epoch from every initialisation, at {snr_db} dB",
    ),
}
# What the caption of a figure quotes, if not the error; and its name.
QUOTED = {
    "fig3b": ("loss", "squared error per entry in the last epoch"),
    "fig3d": ("entry_recall", "recall of active entries"),
}
# Which crosses of the paper a figure holds, if the study is of its size.
CROSSES = "; crosses: the paper"
SWEEP = (
    "Fig. E (not in the paper): small problems (n = {n}, {groups} groups of {group_size}, "
    "fixed data) after training against lambda"
)


def caption(name: str, config: dict) -> str:
    """What a figure draws."""
    if name == "lambda_sweep":
        count = config["sweep"]["replicates"]
        means = f"mean and range of {count} replicates" if count > 1 else "one run"
        return f"{SWEEP.format(**config['sweep']['model'])}; {means}."
    label, drawn = CAPTIONS[name]
    if name != "inits" and not other_size(config["model"]):
        drawn += CROSSES
    words, count = named(config["shown"]), config["replicates"]
    bands = f"bands span all {count} replicates" if count > 1 else "one run"
    return f"{label}: {drawn.format(**words)}; {bands}."


def conclusion(name: str, config: dict, recovery: pd.DataFrame, history: pd.DataFrame) -> str:
    """Where the curves of a figure end, from the results; empty for the sweep."""
    if name == "lambda_sweep":
        return ""
    shown = config["shown"]
    metric, label = QUOTED.get(name, ("squared_error", "final squared error"))
    ends = pd.concat(
        [recovery[recovery.stage == "final"], history[history.epoch == history.epoch.max()]]
    )
    ends = ends[(ends.method == shown["method"]) & (ends.metric == metric)]
    if name in ("fig3c", "inits"):
        ends = ends[ends.snr == shown["snr_db"]]
    if name == "inits":
        level = "init " + ends.init
    else:
        ends = ends[ends.init == shown["init"]]
        level = ends.snr.map("{:g} dB".format)
    ends = ends.groupby([ends.sampling, level], sort=False).value.mean()
    if metric == "loss":
        ends *= 2 / config["model"]["n"]
    numbers = "; ".join(
        f"{method_name(s)}, {level}: {value:.3g}" for (s, level), value in ends.items()
    )
    return f"Mean {label} of {named(shown)['method']}: {numbers}."


def named(shown: dict) -> dict:
    """What the figures show, with the name that figures give the method."""
    return shown | {"method": method_name(shown["method"])}
