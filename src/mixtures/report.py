"""Deliver clustering by mixtures to the report: claims, tables and figures for each data set."""

import pandas as pd

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, text
from mixtures import claims, counts_claims, counts_section, missing_claims, missing_section, tables
from mixtures.findings import findings
from mixtures.names import ATOMS, called, start_name

INTRODUCTION = (
    "MixMate (A. Lin, A. H. Song, D. Ba, ICASSP 2022) gives every cluster a sparse network of its "
    "own: the network with the least energy names the cluster of an image. It is compared with one "
    "group-sparse autoencoder, whose active group names the cluster, and with subspaces of "
    "scattering features, which are group-sparse coding with one active group."
)
METHODS = (
    "A mixture of K networks with dictionaries A<sub>k</sub> gives an image y the energy "
    "w ||y - A<sub>k</sub>x<sub>k</sub>||² + λ ||x<sub>k</sub>||<sub>1</sub>. The encoder "
    "minimises it for w = 1/2; the public code has w = 1. The likelihood is "
    "-log Σ exp(-E<sub>k</sub>), whose gradient is that of EM; the published objective is the "
    "expected energy, differentiated through the probabilities too. The autoencoder has the same "
    "atoms, as K groups. Subspaces alternate between the group that explains most of an image and "
    "the principal directions of the images of a group. Starts are clusters of a sample of images, "
    "whose images become atoms: sparse subspace clustering is of scattering features, k-means and "
    "spectral clustering of pixels, <i>subspaces</i> what the subspaces found, <i>random "
    "clusters</i> none of it. Principal directions and random atoms cluster nothing first. A start "
    "from classes uses labels: it is marked and in no claim. A vote is the majority of the "
    "subspaces from all starts without labels, or of all seeds; clusters are matched one to one. "
    "Energies as features: k-means of the K energies of every image, without their mean and at "
    "unit norm. <i>All images</i>: training and test "
    "images are learnt from and scored, as published; <i>held-out images</i>: only test images are "
    "scored. No label enters training. Replicates differ in sample, start and order of images; all "
    "methods share them. ACC is that of the best matching of clusters to classes."
)
QUESTION = "Which mixture of networks or subspaces clusters images best, and does the start decide?"
CAPTION = (
    "Fig. G (not in the paper): (a) atoms of every cluster, up to {atoms}; (b) images of a class "
    "by cluster; (c) energy of the second-best network minus that of the best; (d) images of least "
    "energy (left) and of most (right) in every cluster; a row is empty where a network has no "
    "image. Data: {dataset}; {method} from {start}; first replicate. Labels only order clusters "
    "and colour (c)."
)
CLAIMS = {
    "mixtures": claims,
    "mixtures_missing": missing_claims,
    "mixtures_counts": counts_claims,
}
STUDIES = missing_section, counts_section


def main() -> None:
    args = options(__doc__)
    section, scores = args.config, args.tables["mixtures"]
    choices = {**section["shown"], "methods": section["methods"]}
    deliver(
        args,
        claims=pd.concat(
            collect(module, args.tables, choices)
            for name, module in CLAIMS.items()
            if name in args.tables
        ),
        title="Clustering by mixtures",
        question=QUESTION,
        findings=[
            *findings(scores, section),
            *(line for study in STUDIES for line in study.findings(args.tables, section)),
        ],
        blocks=[
            text(INTRODUCTION),
            *(figure(n, caption(n, section)) for n in args.figures if n.startswith("mixtures-")),
            *tables.clusterings(scores),
            *(b for study in STUDIES for b in study.blocks(args.tables, args.figures, section)),
            text(METHODS),
        ],
    )


def caption(name: str, section: dict) -> str:
    """Caption of the figure ``mixtures-<data set>``; its numbers are read from the config."""
    dataset, shown = name.removeprefix("mixtures-"), section["shown"]
    atoms = min(ATOMS, section["settings"][dataset]["atoms"])
    words = {"method": called(shown["method"]), "start": start_name(shown["start"])}
    return CAPTION.format(dataset=dataset, atoms=atoms, **words)


if __name__ == "__main__":
    main()
