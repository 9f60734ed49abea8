"""Deliver the featurizers to the report: claims, two tables and a figure."""

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, text
from featurizers import claims, tables
from featurizers.conditions import FOUND, compared
from featurizers.findings import findings

QUESTION = "Which sparse autoencoder finds features of several dimensions?"
INTRODUCTION = (
    "Activations of a network are said to be sums of a few features, some of which have several "
    "dimensions. Here such features are known: random subspaces, called concepts, of several "
    "sizes, some rare, some in pairs that occur together. Sparse autoencoders are trained on one "
    "stream in which no sample comes twice. All have as many atoms, and as many active atoms on "
    "average. Top-k keeps the strongest groups as they are; its encoder has weights, a bias and a "
    "centre of its own, as is usual for sparse autoencoders. Lasso shrinks the groups above a "
    "threshold and is the paper's network, whose encoder is tied: the transpose of its dictionary."
)
METHODS = (
    "Share: squared cosines between a concept and the span of a learnt feature, averaged over the "
    "concept's dimensions; one atom has at most 1/d. F1: agreement of the samples that have a "
    "concept with those in which the feature is active. <i>One feature</i>: the best group or "
    "atom. <i>Best set</i>: for each concept, the {several} atoms (or groups of as many) that span "
    "most of it, active where any of the first j is, for the best j. The truth chooses both, after "
    "training: it helps single atoms, which a user would have to put together without it. Found: a "
    "set spans at least {found:.0%}. Lasso: its threshold is set in every epoch so that as many "
    "groups are active as top-k keeps; no other number is tuned per method. Dead groups start "
    "again from what the others leave over."
)
CAPTION = (
    "Featurizers (not in the paper): share of a concept that the best set of features spans, and "
    "F1 with which it tells that the concept is there, by how often concepts occur; means over "
    "{count} seeds and a sixth of the concepts."
)


def main() -> None:
    args = options(__doc__)
    section, scores = args.config, args.tables["featurizers"]
    count = scores.replicate.nunique()
    deliver(
        args,
        claims=collect(claims, args.tables, compared(section["shown"])),
        title="Features of several dimensions",
        question=QUESTION,
        findings=findings(scores, section),
        blocks=[
            text(INTRODUCTION),
            tables.comparison(scores, section),
            *(figure(name, CAPTION.format(count=count), key=True) for name in args.figures),
            tables.sizes(args.tables["featurizers_concepts"], section),
            text(METHODS.format(several=max(section["truth"]["sizes"]), found=FOUND)),
        ],
    )


if __name__ == "__main__":
    main()
