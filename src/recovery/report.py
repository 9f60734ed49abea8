"""Deliver Experiment 1 to the report: its claims and its section of the page."""

import pandas as pd

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, text
from recovery import claims, nearness
from recovery.advice import recovery_advice
from recovery.captions import caption, conclusion
from recovery.cases import one_sided, sparse_networks
from recovery.findings import findings
from recovery.size import other_size
from recovery.tables import end_points, summary

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
    "<i>fresh_noise</i> keeps the codes of the {samples} samples and draws new noise in every "
    "epoch, <i>fresh</i> draws new samples from the same A*, <i>fixed</i> trains on one data set; "
    "supports are always scored on the one simulated data set. The oracle is "
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
    networks = {
        "sparse": sparse_networks(config["methods"]),
        "one_sided": one_sided(config["methods"]),
    }
    choices = config["shown"] | networks | {"model": model}
    warnings = recovery_advice(recovery, model["groups"])
    if warnings:  # no warning of its own
        warnings[-1] += f" {HINT}"
    deliver(
        args,
        claims=pd.concat(
            collect(module, args.tables, choices, other_size(model))
            for module in (claims, nearness)
        ),
        title="Experiment 1: recovery",
        question=QUESTION,
        findings=findings(recovery, config["shown"], networks["one_sided"]),
        warnings=warnings,
        blocks=[
            text(INTRODUCTION),
            summary(recovery, config),
            *(
                figure(
                    name,
                    caption(name, config),
                    conclusion=conclusion(name, config, recovery, history),
                    key=name == KEY,
                )
                for name in args.figures
            ),
            text(METRICS),
            end_points(recovery),
            text(METHODS, inits=inits(config["inits"]), **model),
        ],
    )


def inits(settings: dict) -> str:
    """How every init begins, in words; a second name of an init only selects its methods."""
    words, known = [], {}
    for name, init in settings.items():
        scaled = "normalised" if init["normalized"] else "not normalised"
        start = f"with expected cosine {init['correlation']}, {scaled}"
        first = known.setdefault(start, name)
        words.append(f"{name} " + (start if first == name else f"the same as {first}"))
    return "; ".join(words)


if __name__ == "__main__":
    main()
