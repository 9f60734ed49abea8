"""Checkpoints of a training: what they must match, and how a state is written and read."""

from __future__ import annotations

import inspect
import json
import logging
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from groupsparse import rates
from groupsparse.artifacts import (
    CorruptArtifactError,
    load_tensors,
    save_tensors,
    source_digest,
    tensor_digest,
)
from groupsparse.batches import Batches
from groupsparse.history import Row, stacked
from groupsparse.prox import name_of
from groupsparse.trainable import Trainable

log = logging.getLogger(__name__)

SEALED, KIND = b'{"__metadata__":{"groupsparse":', rb"\"kind\": \"checkpoint\""
CONSTANTS = int, float, complex, str, bytes, tuple, np.generic, np.ndarray, Tensor
LONGEST = 40  # letters of a value that a message shows: a digest has more


def refuse_other_files(path: str | Path) -> None:
    """ValueError if there is a file that is no checkpoint, which would be overwritten."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"checkpoint must name a file, and {path} is a folder")
    if path.exists() and path.stat().st_size:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            # What save_tensors writes first; the size of another file's header is any number.
            ours = file.read(len(SEALED)) == SEALED and KIND in file.read(size - len(SEALED))
        if not ours:
            raise ValueError(f"{path} is no checkpoint: delete it or name another file")


def identity(
    model: Trainable,
    optim: Optimizer,
    normalize: bool | str,
    batches: Batches,
    fingerprint: object,
) -> dict[str, object]:
    """Everything that a checkpoint must match, by name, as JSON-able values.

    TypeError for a ``fingerprint`` that is not JSON-able.
    """
    dictionary = model.dictionary
    settings = {
        "model": model.config()
        | {
            "activation": program(getattr(model, "activation", None)),
            "dtype": str(dictionary.dtype),
            "shape": list(dictionary.shape),
        },
        "start": {name: tensor_digest(value) for name, value in model.named_parameters()},
        "optimizer": {"optimizer": type(optim).__qualname__} | _groups(model, optim),
        "normalize": normalize,
    }
    return described(settings, batches, fingerprint, dictionary.device)


def _groups(model: Trainable, optim: Optimizer) -> dict[str, dict]:
    """Settings of the groups of an optimiser, and the names of the parameters in them."""
    names = {id(value): name for name, value in model.named_parameters()}
    return {
        f"group {i}": rates.settings(group)
        | {"parameters": [names.get(id(value)) for value in group["params"]]}
        for i, group in enumerate(optim.param_groups)
    }


def described(
    settings: dict, batches: Batches, fingerprint: object, device: torch.device
) -> dict[str, object]:
    """Settings of a method with what else a checkpoint must match, as JSON-able values."""
    known = getattr(batches, "fingerprint", None)
    data = known() if callable(known) else None
    try:
        json.dumps([data, fingerprint])
    except TypeError as error:
        raise TypeError(f"fingerprint must be JSON-able: {error}") from None
    found = {
        "version of groupsparse": source_digest(),
        **settings,
        "data": data,
        "fingerprint": fingerprint,
        # Another device or number of threads may round differently: no mixture of the two.
        "device": device.type,
        "threads": torch.get_num_threads(),
    }
    return json.loads(json.dumps(found, default=repr))


def save(
    path: str | Path,
    identity: dict,
    stopped: int,
    model: Trainable,
    optim: Optimizer,
    rows: list[Row],
) -> None:
    """Write model, optimiser and history; ``stopped``: the epochs it was to have, if it stopped."""
    tensors = dict(model.named_parameters())
    state = _pack(optim.state_dict(), tensors)
    write(path, identity, stopped, tensors, rows, optimizer=state)


def write(
    path: str | Path,
    identity: dict,
    stopped: int,
    tensors: dict[str, Tensor],
    rows: list[Row],
    **header: object,
) -> None:
    """Write the tensors of a state and its history; what :func:`read` reads."""
    past = {f"history.{name}": values for name, values in stacked(rows).items()}
    header |= {"kind": "checkpoint", "identity": identity, "stopped": stopped}
    save_tensors(path, tensors | past, **header)


def resume(
    path: str | Path,
    identity: dict,
    epochs: int,
    model: Trainable,
    optim: Optimizer,
    rows: list[Row],
) -> tuple[list[Row], int]:
    """History so far, or ``rows``; and the epochs that a stopped training was to have, or 0."""
    made = read(path, identity, epochs, rows)
    if made is None:
        return rows, 0
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(made.tensors[name])
    optim.load_state_dict(_unpack(made.header["optimizer"], made.tensors))
    return made.rows, made.header["stopped"]


class Checkpoint(NamedTuple):
    """What :func:`read` found: tensors of the state, header and history."""

    tensors: dict[str, Tensor]
    header: dict
    rows: list[Row]


def read(path: str | Path, identity: dict, epochs: int, rows: list[Row]) -> Checkpoint | None:
    """The checkpoint in a file; None without one, and if it is damaged or of something else."""
    if not Path(path).exists():
        return None
    try:
        tensors, header = load_tensors(path)
    except CorruptArtifactError as error:
        return _refused(path, f"it is damaged ({error.reason})")
    history = {
        name.split(".", 1)[1]: tensors.pop(name)
        for name in list(tensors)
        if name.startswith("history.")
    }
    made = header.get("identity") or {}
    # A finished model may be given back to go on from its own end.
    start = identity["start"]
    if isinstance(start, dict) and all(
        name in tensors and tensor_digest(tensors[name]) == start[name] for name in start
    ):
        made = made | {"start": start}
    differs = [d for name in identity for d in _differences(made.get(name), identity[name], name)]
    differs += ["it differs in its metrics"] if history.keys() != rows[0].keys() else []
    if differs:
        return _refused(path, "; ".join(differs))
    done = len(history["loss"]) - 1
    if done > epochs:
        return _refused(path, f"it is at epoch {done}, this run ends at {epochs}")
    log.info("resuming %s after epoch %d", path, done)
    values = zip(*history.values(), strict=True)
    return Checkpoint(tensors, header, [dict(zip(history, row, strict=True)) for row in values])


def _refused(path: str | Path, reason: str) -> None:
    log.warning("starting over, and %s will be overwritten: %s", path, reason)


def _differences(made: object, now: object, part: str, name: str = "") -> list[str]:
    """What differs between two values of a part of an identity, in words."""
    if made == now:
        return []
    found = []
    if isinstance(made, dict) and isinstance(now, dict):
        # What only one of them has follows from what both have.
        shared = [key for key in now if key in made]
        found = [d for key in shared for d in _differences(made[key], now[key], part, key)]
    elif max(len(repr(made)), len(repr(now))) <= LONGEST:
        found = [f"it was made with {name or part} {made!r}, this run has {now!r}"]
    return list(dict.fromkeys(found)) or [f"it differs in its {part}"]


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


def program(function: object) -> object:
    """What a user's function computes, so that an edited one counts as another; else None."""
    function = inspect.unwrap(function)  # registered activations take groups of any shape
    if not callable(function) or str(function.__module__).startswith("groupsparse."):
        return None
    return _described(function)


def _described(value: object, around: tuple[int, ...] = ()) -> object:
    """A part of a program as JSON-able values, which hold no address: alike in another process."""
    if id(value) in around:
        return "what it is in"
    around = (*around, id(value))
    if isinstance(value, Tensor):
        return tensor_digest(value)
    if isinstance(value, np.ndarray):
        return [str(value.dtype), repr(value.tolist())]  # numpy abbreviates long ones
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, dict):
        value = [*value.items()]
    elif isinstance(value, partial):
        value = value.func, value.args, value.keywords
    elif isinstance(value, CodeType):
        value = value.co_code.hex(), value.co_names, value.co_consts
    elif hasattr(value, "__code__"):  # a function, or a method with its object
        inside = [cell.cell_contents for cell in value.__closure__ or ()]
        owner = getattr(value, "__self__", None)
        given = value.__defaults__, value.__kwdefaults__, inside, owner, _named(value)
        value = value.__code__, *given
    elif isinstance(value, type | BuiltinFunctionType):
        return name_of(value)
    elif hasattr(value, "__dict__") and not isinstance(value, ModuleType):
        methods = inspect.getmembers(type(value), inspect.isfunction) if callable(value) else []
        value = name_of(value), methods, vars(value)
    if isinstance(value, list | tuple):
        return [_described(part, around) for part in value]
    return repr(value)


def _named(function: FunctionType) -> dict[str, object]:
    """Constants of its module that a function names, and functions of the same module."""
    codes, there = [function.__code__], function.__globals__
    for code in codes:  # those of functions inside it, too
        codes += [part for part in code.co_consts if isinstance(part, CodeType)]
    values = {name: there[name] for code in codes for name in code.co_names if name in there}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, CONSTANTS)
        or (isinstance(value, FunctionType) and value.__globals__ is there)
    }
