"""Words that fit the data: built-in data sets are images, those of the user's own any samples."""

from evidence.names import method_name

ALGORITHMS = {"kmeans": "k-means", "spectral": "spectral clustering", "argmax": "active group"}


def named(method: str, own: bool) -> str:
    """What readers call a method or control: raw data of the user's own need not be pixels.

    Examples
    --------
    >>> named("raw", False), named("raw", True)
    ('raw pixels', 'raw data')
    """
    return "raw data" if own and method == "raw" else method_name(method)


def sample(own: bool) -> str:
    """What readers call a sample."""
    return "sample" if own else "image"


def question(datasets: list[str], plain: list[str], sample: str) -> str:
    """What is asked of data sets, of which those in ``plain`` have no labels."""
    groups = "What do the groups of the codes stand for, and do seeds agree on the clusters?"
    if set(plain) == set(datasets):
        return groups
    if plain:
        return f"Do labelled {sample}s cluster by class in their codes? {groups}"
    return f"Do {sample}s cluster by class in their codes?"
