"""Checkpoints of a training: what they must match, and how a state is written and read."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import CodeType

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from groupsparse.artifacts import (
    CorruptArtifactError,
    load_tensors,
    save_tensors,
    source_digest,
    tensor_digest,
)
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import Batches

log = logging.getLogger(__name__)


def refuse_other_files(path: str | Path) -> None:
    """ValueError if there is a file that is no checkpoint, which would be overwritten."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"checkpoint must name a file, and {path} is a folder")
    if path.exists() and path.stat().st_size:
        with open(path, "rb") as file:
            if b"checkpoint" not in file.read(1 << 20):
                raise ValueError(f"{path} is no checkpoint: delete it or name another file")


def identity(
    model: Autoencoder, optim: Optimizer, normalize: bool, batches: Batches, fingerprint: object
) -> dict[str, object]:
    """Everything that a checkpoint must match, by name, as JSON-able values.

    TypeError for a ``fingerprint`` that is not JSON-able.
    """
    dictionary = model.dictionary
    known = getattr(batches, "fingerprint", None)
    data = known() if callable(known) else None
    try:
        json.dumps([data, fingerprint])
    except TypeError as error:
        raise TypeError(f"fingerprint must be JSON-able: {error}") from None
    model_config = model.config() | {"activation": _program(model.activation)}
    found = {
        "code": source_digest(),
        "model": [model_config, str(dictionary.dtype), list(dictionary.shape)],
        "start": tensor_digest(dictionary),
        "data": data,
        "optimizer": [type(optim).__qualname__, optim.defaults, normalize],
        "fingerprint": fingerprint,
        # Another device or number of threads may round differently: no mixture of the two.
        "device": [dictionary.device.type, torch.get_num_threads()],
    }
    return json.loads(json.dumps(found, default=repr))


def save(
    path: str | Path,
    identity: dict,
    stopped: int,
    model: Autoencoder,
    optim: Optimizer,
    rows: list[dict[str, Tensor]],
) -> None:
    """Write model, optimiser and history; ``stopped``: the epochs it was to have, if it stopped."""
    tensors = {"dictionary": model.dictionary}
    for name in rows[0]:
        tensors[f"history.{name}"] = torch.stack([row[name] for row in rows])
    state = _pack(optim.state_dict(), tensors)
    save_tensors(
        path, tensors, kind="checkpoint", identity=identity, optimizer=state, stopped=stopped
    )


def resume(
    path: str | Path,
    identity: dict,
    epochs: int,
    model: Autoencoder,
    optim: Optimizer,
    rows: list[dict[str, Tensor]],
) -> tuple[list[dict[str, Tensor]], int]:
    """History so far, or ``rows``; and the epochs that a stopped training was to have, or 0."""
    try:
        tensors, header = load_tensors(path)
    except CorruptArtifactError as error:
        log.warning("starting over: %s", error)
        return rows, 0
    history = {k.split(".", 1)[1]: v for k, v in tensors.items() if k.startswith("history.")}
    made = header.get("identity") or {}
    # A finished model may be given back to go on from its own end.
    if tensor_digest(tensors["dictionary"]) == identity["start"]:
        made = made | {"start": identity["start"]}
    differs = [name for name in identity if made.get(name) != identity[name]]
    differs += ["metrics"] if history.keys() != rows[0].keys() else []
    if differs:
        log.warning("starting over: %s differs in its %s", path, ", ".join(differs))
        return rows, 0
    done = len(history["loss"]) - 1
    if done > epochs:
        log.warning("starting over: %s is at epoch %d, after the last one asked for", path, done)
        return rows, 0
    with torch.no_grad():
        model.dictionary.copy_(tensors["dictionary"])
    optim.load_state_dict(_unpack(header["optimizer"], tensors))
    log.info("resuming %s after epoch %d", path, done)
    values = zip(*history.values(), strict=True)
    return [dict(zip(history, row, strict=True)) for row in values], header["stopped"]


def _pack(value: object, tensors: dict[str, Tensor]) -> object:
    """A nested state as JSON-able values, its tensors moved to ``tensors``."""
    if isinstance(value, Tensor):
        name = f"optimizer.{len(tensors)}"
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, dict):
        return {"items": [[key, _pack(v, tensors)] for key, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_pack(v, tensors) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def _unpack(value: object, tensors: dict[str, Tensor]) -> object:
    if isinstance(value, dict):
        if "tensor" in value:
            # Copied into memory that torch allocates: sums depend on the alignment.
            return tensors[value["tensor"]].clone()
        return {key: _unpack(v, tensors) for key, v in value["items"]}
    return [_unpack(v, tensors) for v in value] if isinstance(value, list) else value


def _program(function: object) -> object:
    """What a user's function computes, so that an edited one counts as another; else None."""
    code = getattr(function, "__code__", None)
    if code is None or str(function.__module__).startswith("groupsparse."):
        return None
    inside = [cell.cell_contents for cell in function.__closure__ or ()]
    return [_bytecode(code), repr(function.__defaults__), repr(inside)]


def _bytecode(code: CodeType) -> list:
    constants = [_bytecode(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return [code.co_code.hex(), list(code.co_names), constants]
