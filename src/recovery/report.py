"""Deliver Experiment 1 to the report: its claims and its section of the page."""

import pandas as pd

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.names import method_name
from evidence.section import figure, text
from recovery import claims
from recovery.advice import recovery_advice
from recovery.findings import findings
from recovery.size import other_size
from recovery.tables import end_points, summary

CAPTIONS = {
    "fig3a": "Fig. 3a: dictionary error of {method} per epoch, one colour per SNR",
    "fig3b": "Fig. 3b: training loss of {method} per epoch",
    "fig3c": "Fig. 3c: dictionary error of all methods at {snr_db} dB, with both controls",
    "fig3d": "Fig. 3d: support recovery after training against SNR",
    "inits": "Fig. D (not in the paper): dictionary error of {method} per epoch from every "
    "initialisation, at {snr_db} dB",
}
# What the caption of a figure quotes, if not the error; and its name.
QUOTED = {
    "fig3b": ("loss", "loss in the last epoch"),
    "fig3d": ("entry_recall", "recall of active entries"),
}
SWEEP = (
    "Fig. E (not in the paper): small problems (n = {n}, {groups} groups of {group_size}, fixed "
    "data) after training against lambda"
)
INTRODUCTION = (
    "Networks are trained on data simulated from a dictionary A*. They should find A* and the "
    "supports of the codes (Sec. 4.1)."
)
QUESTION = "Do the networks find the dictionary and the supports that made their data?"
KEY = "fig3c"  # on top of the page
METRICS = (
    "Squared error is the paper's ‖A − A*‖²<sub>F</sub> of column-normalised dictionaries; aligned "
    "matches the groups, scales each to the same energy and rotates it onto the truth. The noise "
    "floor is σ²(n − 1) Σ<sub>i</sub> 1/(N E[x<sub>i</sub>²]), the expected squared error of least "
    "squares given the true codes, in closed form; N counts the samples of all epochs where they "
    "are fresh."
)
METHODS = (
    "Methods: A* Gaussian with unit columns; {active_groups} of {groups} groups active, each code "
    "a random direction with norm uniform in {amplitude}; white noise; init A* + B: {inits}. "
    "<i>fixed</i> trains on one data set, <i>fresh</i> draws {samples} new samples every epoch "
    "from the same A*; supports are always scored on the one simulated data set. The oracle is "
    "least squares given the true codes of all samples seen so far; chance is a random dictionary "
    "and a random support."
)
HINT = (
    "The sweep over lambda (recovery.sweep) shows which lambda suits a model; its model should "
    "resemble that of the experiment."
)


def main() -> None:
    args = options(__doc__)
    config, recovery = args.config, args.tables["recovery"]
    history, model = args.tables["recovery_history"], config["model"]
    warnings = recovery_advice(recovery, model["groups"])
    deliver(
        args,
        claims=collect(claims, args.tables, config["shown"], other_size(model)),
        title="Experiment 1: recovery",
        question=QUESTION,
        findings=findings(recovery, config["shown"]),
        warnings=[*warnings, HINT] if warnings else [],
        blocks=[
            text(INTRODUCTION),
            summary(recovery, config),
            *(figure(n, caption(n, config, recovery, history), key=n == KEY) for n in args.figures),
            text(METRICS),
            end_points(recovery),
            text(METHODS, inits=inits(config["inits"]), **model),
        ],
    )


def inits(settings: dict) -> str:
    """How every init begins, in words."""
    return "; ".join(
        f"{name} with expected cosine {init['correlation']}, "
        + ("normalised" if init["normalized"] else "not normalised")
        for name, init in settings.items()
    )


def caption(name: str, config: dict, recovery: pd.DataFrame, history: pd.DataFrame) -> str:
    """Caption of a figure; its numbers are read from config and results."""
    if name == "lambda_sweep":
        count = config["sweep"]["replicates"]
        means = f"mean and range of {count} replicates" if count > 1 else "one run"
        return f"{SWEEP.format(**config['sweep']['model'])}; {means}."
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
    numbers = "; ".join(f"{s}, {level}: {value:.3g}" for (s, level), value in ends.items())
    words, count = shown | {"method": method_name(shown["method"])}, config["replicates"]
    bands = f"Bands span all {count} replicates" if count > 1 else "One run"
    return (
        f"{CAPTIONS[name].format(**words)}. {bands}. Mean {label} of {words['method']}: {numbers}."
    )


if __name__ == "__main__":
    main()
