"""What every file of a run needs and no torch: atomic writes, tables, provenance.

Tables are CSV in long form. Every write is atomic (temporary file, fsync, rename), so a file that
exists is whole.
"""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pandas as pd

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "snakemake")


class CorruptArtifactError(RuntimeError):
    """A file of the run is missing, damaged or of another kind than expected."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(
            f"cannot use {path}: {reason}. Delete the file and rerun snakemake to make it again."
        )


def save_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV (no index, full float precision), atomically."""
    write_atomic(path, table.to_csv(index=False).encode())


def load_table(path: str | Path, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a CSV table and require ``columns``; CorruptArtifactError names what is wrong."""
    try:
        # Its own float format comes back exactly; words such as "none" are not missing values.
        table = pd.read_csv(path, keep_default_na=False, na_values=["", "nan"])
    except (OSError, ValueError) as error:
        raise CorruptArtifactError(path, str(error)) from error
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise CorruptArtifactError(path, f"it lacks the columns {missing}")
    return table


def write_atomic(path: str | Path, content: bytes) -> None:
    """Write bytes so that ``path`` holds either its old content or all of the new."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@cache
def provenance() -> dict:
    """Versions, platform and git commit (with ``-dirty`` when the tree has changes)."""
    return {
        "commit": _git_commit(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{package: version(package) for package in PACKAGES},
    }


def _git_commit() -> str:
    here = Path(__file__).parent
    command = [
        "git",
        "-C",
        str(here),
        "describe",
        "--always",
        "--abbrev=12",
        "--dirty",
        "--exclude=*",
    ]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
