"""A model in a folder: its parameters as safetensors, all other arguments as readable JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.files import CorruptArtifactError, digest, write_atomic
from groupsparse.prox import Prox
from groupsparse.topk import activation_of

CONFIG, WEIGHTS = "config.json", "weights.safetensors"
Model = TypeVar("Model")


def write(folder: str | Path, kind: type, tensors: dict[str, Tensor], config: dict) -> None:
    """Write both files of a model of this class.

    TypeError for what JSON cannot say leaves the old model.
    """
    folder = Path(folder)
    json.dumps(config)  # first: what fails here must leave the old model
    save_tensors(folder / WEIGHTS, tensors, kind="model")
    shape = list(tensors["dictionary"].shape)
    config = {
        "model": kind.__name__,
        "shape": shape,
        **config,
        "weights_sha256": digest(folder / WEIGHTS),
    }
    write_atomic(folder / CONFIG, (json.dumps(config, indent=2) + "\n").encode())


def read(folder: str | Path, kind: type[Model], prox: Prox | None = None) -> Model:
    """The model that :func:`write` wrote, by ``kind(**tensors, **config)``.

    ``prox`` is its activation, if it was a callable. FileNotFoundError names the file that is
    missing, CorruptArtifactError one that is damaged or does not belong to the other; ValueError
    if the model is of another class, or if the activation has to be given.
    """
    path, weights = Path(folder) / CONFIG, Path(folder) / WEIGHTS
    for file in (path, weights):
        if not file.exists():
            raise FileNotFoundError(
                f"there is no {file}: give load the folder that {kind.__name__}.save wrote"
            )
    tensors = load_tensors(weights)[0]
    dictionary = tensors.get("dictionary")
    try:
        config = json.loads(path.read_bytes())
        written = config.pop("model", kind.__name__)
        if config.pop("weights_sha256", None) != digest(weights):
            raise ValueError(f"{WEIGHTS} next to it is of another model")
        if dictionary is None or list(dictionary.shape) != config.pop("shape", None):
            raise ValueError(f"its shape is not that of the dictionary in {WEIGHTS}")
        if written == kind.__name__ and (prox is not None or _known(config.get("prox"))):
            return kind(**tensors, **(config | ({} if prox is None else {"prox": prox})))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CorruptArtifactError(path, str(error), advice="") from error
    if written != kind.__name__:
        raise ValueError(f"{folder} holds a model of {written}: load it by {written}.load")
    raise ValueError(
        f"{path} names the activation {config.get('prox')!r}: give it as load(folder, prox=...)"
    )


def _known(prox: str | None) -> bool:
    """Whether an activation goes by its name; a model may have none.

    An import path is not followed: a file from elsewhere must not choose what is imported.
    """
    if prox is not None and ":" in prox:
        return False
    try:
        return prox is None or bool(activation_of(prox))
    except ValueError:
        return False
