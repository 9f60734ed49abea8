"""File utilities without a torch dependency: atomic writes, checksums, provenance.

Every write is atomic, so no file is ever half written. ``write_checked`` puts the SHA-256 of a text
next to it, which ``sha256sum -c`` reads.
"""

import glob
import hashlib
import os
import platform
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import BinaryIO

import groupsparse

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "snakemake")


class CorruptArtifactError(RuntimeError):
    """A file of the run is missing, damaged or of another kind than expected."""

    ADVICE = " Delete the file and make it again (in a workflow, rerun snakemake)."

    def __init__(self, path: str | Path, reason: str, advice: str = ADVICE) -> None:
        super().__init__(f"cannot use {path}: {reason}.{advice}")
        self.reason = reason


def write_checked(path: str | Path, content: bytes) -> None:
    """Write bytes atomically and their SHA-256 next to them, for :func:`read_checked`."""
    # The checksum first: a file that exists has one.
    write_atomic(checksum_file(path), _checksum_line(path, content))
    write_atomic(path, content)


def read_checked(path: str | Path) -> bytes:
    """Read what :func:`write_checked` wrote; CorruptArtifactError if any bit has changed."""
    beside = checksum_file(path)
    try:
        content = Path(path).read_bytes()
        expected = beside.read_bytes()
    except OSError as error:
        raise CorruptArtifactError(path, str(error)) from error
    if expected != _checksum_line(path, content):
        raise CorruptArtifactError(path, f"its content does not match {beside}")
    return content


def checksum_file(path: str | Path) -> Path:
    """Path of the checksum of a file, next to it: copy both."""
    return Path(path).with_name(f"{Path(path).name}.sha256")


def write_atomic(path: str | Path, content: bytes) -> None:
    """Write bytes so that ``path`` holds either its old content or all of the new."""
    with atomic(path) as file:
        file.write(content)


@contextmanager
def atomic(path: str | Path, patience: float = 0.0) -> Iterator[BinaryIO]:
    """Open a file that replaces ``path`` once the block has ended without error.

    ``path`` always holds its old content or all of the new, even after kill -9 or a power cut.
    Leftovers of killed writers are removed. Where several processes may write the same file,
    temporary files younger than ``patience`` seconds are kept.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path, patience)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    # Without this a power cut may undo the rename.
    folder = os.open(path.parent, os.O_RDONLY)
    with suppress(OSError):  # some network file systems cannot
        os.fsync(folder)
    os.close(folder)


def remove(path: str | Path) -> None:
    """Delete a file, if it exists, and its temporary files left by killed writers."""
    Path(path).unlink(missing_ok=True)
    remove_leftovers(path)


def remove_leftovers(path: str | Path, patience: float = 0.0) -> None:
    """Delete the temporary files of a path that are older than ``patience`` seconds."""
    path = Path(path)
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.{'?' * 8}.tmp"):
        with suppress(OSError):  # another was faster, or the folder is read-only
            if time.time() - leftover.stat().st_mtime >= patience:
                leftover.unlink()


def digest(path: str | Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# Changes that make no results, as git's pathspecs.
NO_CODE = tuple(f":(top,exclude){path}" for path in ("*.md", "reports", "benchmarks", "docs"))


@cache
def provenance() -> dict:
    """Versions of the installed packages, platform, and the git commit of this repository.

    The commit ends in ``-dirty`` when the tree has changes, but for those of text and of what was
    published: to publish one run does not mark the next. It is ``unknown`` outside a checkout of
    this repository: an installed package may be in another repository, or in none.
    """
    return {
        "groupsparse": groupsparse.__version__,
        "commit": _git_commit(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{package: v for package in PACKAGES if (v := _version(package))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _checksum_line(path: str | Path, content: bytes) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}  {Path(path).name}\n".encode()


def _git_commit() -> str:
    package = Path(__file__).resolve().parent
    try:
        root = Path(_git(package, "rev-parse", "--show-toplevel"))
        # git searches upwards: this may be the repository around a virtual environment.
        ours = (
            root / "src" / "groupsparse" == package
            and 'name = "groupsparse"' in (root / "pyproject.toml").read_text().splitlines()
        )
        if not ours:
            return "unknown"
        commit = _git(package, "rev-parse", "--short=12", "HEAD")
        changed = _git(package, "diff", "--name-only", "HEAD", "--", ":/", *NO_CODE)
        return f"{commit}-dirty" if changed else commit
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=10
    ).stdout.strip()
