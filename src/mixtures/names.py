"""Names of methods, starts and protocols as readers see them."""

from evidence.names import method_name
from mixtures.conditions import (
    ENERGIES,
    HELD_OUT,
    JOINED,
    LABELLED,
    LEAST_RESIDUAL,
    SEVERAL,
    SUBSPACES,
    VOTE_OF_SEEDS,
    VOTE_OF_STARTS,
)

ATOMS = 8  # of a cluster that the figure draws, at most
METHODS = {
    "mixmate": "MixMate",
    "mixmate_likelihood": "MixMate with likelihood and weight 1/2",
    "mixmate_expected": "MixMate with weight 1/2",
    "mixmate_doubled": "MixMate with likelihood",
    "group_sparse": "group-sparse autoencoder",
    "group_sparse_long": "group-sparse autoencoder, more epochs",
    "subspaces": "subspaces of features",
    LEAST_RESIDUAL: "subspaces of the least residual",
    VOTE_OF_STARTS: "vote of subspaces",
    VOTE_OF_SEEDS: "vote of subspaces of all seeds",
    ENERGIES: "k-means of MixMate's energies",
    "mixmate_start": "start of MixMate alone",
    "mixmate_log_1": "MixMate, authors' log (1)",
    "mixmate_log_2": "MixMate, authors' log (2)",
    "kmeans": "k-means of pixels",
    "dec": "DEC",
    "vade": "VaDE",
    "ssc_omp": "SSC-OMP of scattering",
    "ensc": "EnSC of scattering",
    "n2d": "N2D",
    "dec_da": "DEC-DA",
}
STARTS = {
    "ssc": "sparse subspace clustering",
    "ensc": "elastic net subspace clustering",
    "neighbors": "neighbours of features",
    "kmeans": "k-means",
    "spectral": "spectral clustering",
    "any": "random clusters",
    "pca": "principal directions",
    "random": "random atoms",
    LABELLED: "classes (uses labels)",
    SUBSPACES: "subspaces of features",
    SEVERAL: "all its starts",
}
PROTOCOLS = {JOINED: "all images", HELD_OUT: "held-out images"}
FILLED = {
    "masks": "masks",
    "zeros": "zeros filled in",
    "means": "means of pixels filled in",
}


def called(method: str) -> str:
    """A method of the config or of the literature in words; one of the reader's own keeps its name.

    Examples
    --------
    >>> called("mixmate"), called("mine")
    ('MixMate', 'mine')
    """
    return METHODS.get(method, method_name(method))


def start_name(start: str) -> str:
    """A kind of start in words.

    Examples
    --------
    >>> start_name("any")
    'random clusters'
    """
    return STARTS.get(start, start)


def in_percent(share: float) -> str:
    """A share of the config in words.

    Examples
    --------
    >>> in_percent(0.25)
    '25 %'
    """
    return f"{100 * share:g} %"
