"""Names of methods as readers see them: the same in text, tables and figures."""

NAMES = {
    "group_sparse": "group-sparse",
    "sparse": "sparse (soft threshold)",
    "relu": "sparse (one-sided ReLU)",
    "silhouette": "nonnegative group-sparse",
    "raw": "raw pixels",
    "oracle": "oracle",
    "chance": "chance",
}


def method_name(method: str) -> str:
    """What readers call a method or control of the config; a name of its own stays as it is.

    Examples
    --------
    >>> method_name("group_sparse"), method_name("mine")
    ('group-sparse', 'mine')
    """
    return NAMES.get(method, method)
