"""The only place that reads and writes files of a run.

Tensors are safetensors files whose header says what made them (method, parameters, seed,
versions, git commit) and carries a SHA-256 over header and data; tables are CSV in long form.
Every write is atomic (temporary file, fsync, rename), so a file that exists is whole.
"""

import hashlib
import json
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "snakemake")


class CorruptArtifactError(RuntimeError):
    """A file of the run is missing, damaged or of another kind than expected."""


def save_tensors(path: str | Path, tensors: dict[str, Tensor], **header: object) -> None:
    """Write named tensors and a JSON-able header, with provenance and checksum, atomically."""
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    header = {**header, "provenance": provenance()}
    # One key: safetensors writes several in random order, and equal content shall be equal bytes.
    sealed = {"header": header, "sha256": _digest(tensors, header)}
    metadata = {"groupsparse": json.dumps(sealed, sort_keys=True)}
    write_atomic(path, save(tensors, metadata=metadata))


def load_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Read what :func:`save_tensors` wrote: (tensors, header).

    Raises
    ------
    CorruptArtifactError naming the file, if it is missing, truncated or fails its checksum.
    """
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("groupsparse", "{}")
            sealed = json.loads(text)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, UnicodeDecodeError) as error:
        raise _corrupt(path, str(error)) from error
    canonical = json.dumps(sealed, sort_keys=True) == text
    if not canonical or sealed.get("sha256") != _digest(tensors, sealed.get("header")):
        raise _corrupt(path, "its checksum does not match its content")
    return tensors, sealed["header"]


def save_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV (no index, full float precision), atomically."""
    write_atomic(path, table.to_csv(index=False).encode())


def load_table(path: str | Path, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a CSV table and require ``columns``; CorruptArtifactError names what is wrong."""
    try:
        # Its own float format comes back exactly; words such as "none" are not missing values.
        table = pd.read_csv(path, keep_default_na=False, na_values=["", "nan"])
    except (OSError, ValueError) as error:
        raise _corrupt(path, str(error)) from error
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise _corrupt(path, f"it lacks the columns {missing}")
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


@cache
def source_digest() -> str:
    """SHA-256 of the library's source, so that a checkpoint of other code is never resumed."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()


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


def _digest(tensors: dict[str, Tensor], header: dict | None) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _corrupt(path: str | Path, reason: str) -> CorruptArtifactError:
    return CorruptArtifactError(
        f"cannot use {path}: {reason}. Delete the file and rerun snakemake to make it again."
    )
