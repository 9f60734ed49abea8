"""Deliver the generative models to the report: claims, three tables and a figure."""

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, text
from models import claims, tables
from models.conditions import shown
from models.findings import findings

INTRODUCTION = (
    "The same model, data = A* times group-sparse codes + noise, holds many others: one active "
    "group is a union of subspaces, groups of one atom are sparse coding, one nonnegative atom of "
    "a fixed norm is a Gaussian mixture."
)
METHODS = (
    "Base: n = {n}, {groups} groups of {group_size}, {active_groups} active, N = {samples}, "
    "{snr_db} dB. Ratio: subspace error over that of the oracle, least squares on the true codes. "
    "The error counts the dimensions that a group uses, so a learnt group of d atoms is right if "
    "it contains a smaller true one. <i>Near</i>: atoms of expected cosine {correlation} with the "
    "truth. Networks train for {epochs} epochs. λ has one rule for all: noise with the mean power "
    "of the data would activate some group in 5 % of samples. Of single entries as many are "
    "active by chance as of groups. Alternation and discovery find active groups by the library's "
    "test; discovery is told the number of groups and their size. Nothing is tuned on the truth. "
    "<i>Shrunk</i> and <i>other groups</i> compare a network's codes with least squares "
    "on its own active groups: what a threshold takes away, and what one step leaves in of other "
    "groups. Recall and precision of active groups are compared with those of A* itself."
)
QUESTION = "Which methods recover which generative model, and why do the others fail?"
CAPTION = (
    "Models (not in the paper): subspace error over that of least squares on the true codes, mean "
    "over replicates; 1 is as good as the oracle."
)


def main() -> None:
    args = options(__doc__)
    section, scores = args.config, args.tables["models"]
    values = {
        **section["base"], "correlation": section["correlation"],
        "epochs": section["training"]["epochs"],
    }  # fmt: skip
    deliver(
        args,
        claims=collect(claims, args.tables, shown(section)),
        title="A variety of generative models",
        question=QUESTION,
        findings=findings(scores, section),
        blocks=[
            text(INTRODUCTION),
            *(figure(name, CAPTION) for name in args.figures),
            tables.ratios(scores, section),
            tables.why_not(scores, section),
            *([found] if (found := tables.clustering(scores, section)) else []),
            text(METHODS, **values),
        ],
    )


if __name__ == "__main__":
    main()
