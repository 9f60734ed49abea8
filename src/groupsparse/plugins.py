"""Functions of the user's, by an import path ``module:name``."""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path


def imported(path: str) -> Callable:
    """The function at ``module:name``; modules of the working directory are found as well.

    ValueError in one line if there is none, or if its module fails.

    Examples
    --------
    >>> imported("math:sqrt")(9)
    3.0
    """
    module, _, name = path.partition(":")
    if os.getcwd() not in sys.path:  # last: a module here must not hide another
        sys.path.append(os.getcwd())
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{path} cannot be imported: {reason}") from error
    if not callable(found):
        raise ValueError(f"{path} is no function, but {type(found).__name__}")
    return found


def module_file(path: str) -> str | None:
    """The file of ``module:name`` below the working directory, if it is there."""
    file = Path(*path.partition(":")[0].split(".")).with_suffix(".py")
    return str(file) if file.exists() else None
