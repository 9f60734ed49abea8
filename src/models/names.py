"""Names of generative models and methods as readers see them."""

from models.conditions import NEAR, NOTHING, ORACLE, RANDOM, TRUTH

MODELS = {
    "two_sided": "two-sided codes",
    "nonnegative": "nonnegative codes",
    "unequal_sizes": "unequal group sizes",
    "together": "groups that fire together",
    "rare_groups": "unequal frequencies",
    "heavy_tails": "heavy-tailed noise",
    "coloured": "coloured noise",
    "subspaces": "union of subspaces",
    "sparse": "sparse coding (d = 1)",
    "nonnegative_sparse": "nonnegative sparse coding",
    "mixture": "Gaussian mixture",
}
PROX = {
    "group_soft": "group network",
    "group_soft_nonnegative": "nonnegative group network",
    "soft": "sparse network (soft)",
    "relu": "sparse network (ReLU)",
}
STARTS = {NEAR: "near", RANDOM: "random atoms"}


def model_name(name: str) -> str:
    """A generative model in words; one of the reader's own keeps its name.

    Examples
    --------
    >>> model_name("mixture"), model_name("my_own")
    ('Gaussian mixture', 'my own')
    """
    return MODELS.get(name, name.replace("_", " "))


def described(name: str, method: dict) -> str:
    """A method in words, with its start.

    Examples
    --------
    >>> described("a", {"prox": "relu", "start": "near"}), described("b", {"start": "discover"})
    ('sparse network (ReLU), near', 'discovery, no start')
    """
    if name in (ORACLE, TRUTH):
        return {ORACLE: "oracle", TRUTH: "A* itself"}[name]
    if method["start"] == NOTHING:
        return "discovery, no start"
    kind = PROX.get(method["prox"], method["prox"]) if "prox" in method else "alternating"
    return f"{kind}, {STARTS[method['start']]}"
