"""Deliver the limits to the report: claims, three tables and a figure."""

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, text
from limits import claims, tables
from limits.findings import findings

INTRODUCTION = (
    "From the start of Experiment 1, how near does one get to least squares that is given the true "
    "codes, the oracle? Alternating least squares finds the active groups, refits their codes and "
    "then the dictionary, both in closed form. The network is the paper's, as published and with "
    "options of its own."
)
METHODS = (
    "Subspace error: sum of squared sines between the spans of matched groups. Aligned error: "
    "squared distance after matching groups and rotating each onto the truth. Methods see the same "
    "A*, starts (expected cosine {correlation}, unit atoms) and samples. <i>fixed</i>: one data "
    "set of {samples} samples; <i>fresh</i>: as many new samples in every epoch or pass, all of "
    "which the oracle has; the alternation remembers the sums of earlier passes. Options of the "
    "network: <i>hard threshold</i> keeps an active group as it is and <i>refitted codes</i> are "
    "least squares on the active groups, so codes are not shrunk; <i>orthonormal groups</i> step "
    "along their tangent and are retracted; the <i>decaying step</i> is a cosine from lr = {lr} to "
    "0. No true code or dictionary is used to choose a setting."
)
QUESTION = "How near the oracle does recovery get from a near start, and how fast?"
CAPTION = (
    "Limits (not in the paper): subspace error against seconds of computing, every replicate, one "
    "job alone on the machine; the dashed line is least squares on the true codes. The start is "
    "drawn at a third of the first time."
)


def main() -> None:
    args = options(__doc__)
    section, scores = args.config, args.tables["limits"]
    deliver(
        args,
        claims=collect(claims, args.tables, section["shown"]),
        title="Recovery at the oracle's limit",
        question=QUESTION,
        findings=findings(scores, section),
        blocks=[
            text(INTRODUCTION),
            tables.recovery(scores, section),
            *(figure(name, CAPTION, key=True) for name in args.figures),
            *([tables.speed(scores, section)] if tables.raced(scores, section) else []),
            tables.ablation(scores, section),
            text(
                METHODS, correlation=section["correlation"], lr=section["training"]["lr"],
                samples=section["model"]["samples"],
            ),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
