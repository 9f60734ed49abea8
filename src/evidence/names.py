"""Names of the config as readers see them: the same in text, tables and figures."""

NAMES = {
    "group_sparse": "group-sparse",
    "sparse": "sparse (soft threshold)",
    "relu": "sparse (one-sided ReLU)",
    "sparse_matched": "sparse (soft threshold, matched)",
    "group_sparse_penalty": "group-sparse (0.2 as penalty)",
    "sparse_penalty": "sparse (0.03 as penalty)",
    "group_sparse_class": "group-sparse (init with labels)",
    "silhouette": "nonnegative group-sparse",
    "firm": "firm group threshold",
    "hard": "hard group threshold",
    "top_k": "group top-k",
    "batch_top_k": "batch group top-k",
    "raw": "raw pixels",
    "oracle": "oracle",
    "chance": "chance",
    "fresh_noise": "fresh-noise",
}

# How samples are drawn, in words: the paper's first.
SAMPLINGS = {
    "fresh_noise": "fixed codes, fresh noise every epoch",
    "fresh": "fresh samples every epoch",
    "fixed": "one data set",
}
PAPERS = "fresh_noise"
# Activations whose codes are never negative.
ONE_SIDED = ("relu", "group_soft_nonnegative")


def method_name(method: str) -> str:
    """What readers call a method or control of the config; a name of its own stays as it is.

    Examples
    --------
    >>> method_name("group_sparse"), method_name("mine")
    ('group-sparse', 'mine')
    """
    return NAMES.get(method, method)
