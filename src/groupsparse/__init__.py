"""Group-sparse autoencoders (arXiv 2102.07003): the mathematics, one concept per module.

``prox`` <- ``encoder`` <- ``autoencoder`` <- ``training``; ``recovery``, ``metrics``
and ``clustering`` know no model. ``import groupsparse as gs`` gives the public names, those of the
stub ``__init__.pyi``, and imports a module when the first of its names is asked for: a job of the
workflow loads, and is rerun for, only what it uses.
"""

import ast
from importlib import import_module
from pathlib import Path

__version__ = "0.3.0"

_STUB = ast.parse(Path(__file__).with_suffix(".pyi").read_text())
_MODULES = {
    alias.name: node.module
    for node in _STUB.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}
__all__ = [*_MODULES, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'groupsparse' has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
