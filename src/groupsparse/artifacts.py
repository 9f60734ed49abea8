"""Tensors of a run as safetensors files.

Their header says what made them (method, parameters, seed, versions, git commit) and carries a
SHA-256 over header and data.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from groupsparse.files import CorruptArtifactError, provenance, write_atomic


def save_tensors(path: str | Path, tensors: dict[str, Tensor], **header: object) -> None:
    """Write named tensors and a JSON-able header, with provenance and checksum, atomically.

    :func:`load_tensors` reads them, and has an example.
    """
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    header = {**header, "provenance": provenance()}
    # One key: safetensors writes several in random order. Equal content must give identical bytes.
    sealed = {"header": header, "sha256": _digest(tensors, header)}
    metadata = {"groupsparse": json.dumps(sealed, sort_keys=True)}
    write_atomic(path, save(tensors, metadata=metadata))


def load_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Read what :func:`save_tensors` wrote: (tensors, header).

    Raises
    ------
    CorruptArtifactError naming the file, if it is missing, truncated or fails its checksum.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_tensors(path := Path(folder) / "a.safetensors", {"a": torch.ones(2)}, kind="own")
    ...     tensors, header = load_tensors(path)
    >>> tensors["a"], header["kind"]
    (tensor([1., 1.]), 'own')
    """
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("groupsparse", "{}")
            sealed = json.loads(text)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, UnicodeDecodeError) as error:
        raise CorruptArtifactError(path, str(error)) from error
    canonical = isinstance(sealed, dict) and json.dumps(sealed, sort_keys=True) == text
    if not canonical or sealed.get("sha256") != _digest(tensors, sealed.get("header")):
        raise CorruptArtifactError(path, "its checksum does not match its content")
    return tensors, sealed["header"]


@cache
def source_digest() -> str:
    """SHA-256 of the library's source, so that a checkpoint of other code is never resumed."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()


def tensor_digest(tensor: Tensor) -> str:
    """SHA-256 of the type, shape and values of a tensor."""
    return _digest({"": tensor.detach().cpu().contiguous()}, None)


def _digest(tensors: dict[str, Tensor], header: dict | None) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
