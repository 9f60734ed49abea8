"""Which modules of the sources a script imports, read off its text."""

import ast
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "src"


def needed(script: str) -> list[str]:
    """A script of the sources, and after it every module there that it imports in the end."""
    files, queue = {}, [script]
    while queue:
        path = queue.pop()
        if path not in files:
            files[path] = None
            queue += imported(path)
    first, *others = files
    return [first, *sorted(others)]


@cache
def imported(path: str) -> list[str]:
    """Modules of the sources that a file names in its imports, those inside functions too."""
    names = []
    for node in ast.walk(ast.parse((SOURCES / path).read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    files = [f"{name.replace('.', '/')}.py" for name in names]
    return [file for file in files if (SOURCES / file).exists()]
