"""Weights in the layout that tools for sparse autoencoders read."""

from __future__ import annotations

import json
from pathlib import Path

from groupsparse.artifacts import save_tensors
from groupsparse.autoencoder import Autoencoder
from groupsparse.files import write_atomic
from groupsparse.untied import UntiedAutoencoder

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
ARCHITECTURE = "group_sparse"


def export_sae(model: Autoencoder, folder: str | Path, **metadata: object) -> None:
    """Write a shallow model as ``cfg.json`` and ``sae_weights.safetensors``, as SAELens does.

    The weights are ``W_enc`` (n, m), ``b_enc`` (m,), ``W_dec`` (m, n) and ``b_dec`` (n,), so that
    codes are an activation of (y - b_dec) W_enc + b_enc and the reconstruction is x W_dec + b_dec.
    The activation is not one that such tools know: ``architecture`` is ``group_sparse``, and
    ``metadata`` has its name, lambda and groups. :meth:`Autoencoder.save` keeps what :meth:`load`
    needs.

    Parameters
    ----------
    metadata : what else ``cfg.json`` is to say of the model, JSON-able, such as ``hook_name``

    Raises
    ------
    ValueError for an unfolded encoder or for replicates, which have no such weights.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> model = UntiedAutoencoder(torch.eye(3), "group_top_k(1)", 0.0, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_sae(model, folder, hook_name="blocks.8.hook_resid_pre")
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['cfg.json', 'sae_weights.safetensors']
    """
    if model.encoder != "shallow" or model.replicates or model.refit:
        raise ValueError("only one shallow model without refit has the weights of an SAE")
    dictionary = model.dictionary.detach()
    n, m = dictionary.shape
    weight, bias, center = dictionary, dictionary.new_zeros(m), dictionary.new_zeros(n)
    if isinstance(model, UntiedAutoencoder):
        weight = model.weight.detach()
        bias = bias if model.bias is None else model.bias.detach()
        center = center if model.center is None else model.center.detach()
    # Copied: of one atom or one dimension, a matrix and its transpose are the same memory.
    tensors = {"W_enc": weight, "b_enc": bias, "W_dec": dictionary.mT.clone(), "b_dec": center}
    settings = {name: model.config()[name] for name in ("prox", "lambda_", "group_size")}
    config = {
        "d_in": n,
        "d_sae": m,
        "dtype": str(dictionary.dtype).removeprefix("torch."),
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": settings | metadata,
        "architecture": ARCHITECTURE,
    }
    text = json.dumps(config, indent=2) + "\n"  # first: what fails here writes nothing
    save_tensors(Path(folder) / WEIGHTS, tensors, kind="sae")
    write_atomic(Path(folder) / CONFIG, text.encode())
