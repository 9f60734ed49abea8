"""Words that fit the data: built-in data sets are images, those of the user's own any samples."""

from evidence.names import method_name


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
