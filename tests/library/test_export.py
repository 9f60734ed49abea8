"""Exported weights compute what the model computes, by the formula of sparse autoencoders."""

import json

import pytest
import torch
from safetensors.torch import load_file

import groupsparse as gs

N, M, D = 5, 8, 2


def inputs(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", ["tied", "untied", "bare"])
def test_the_weights_give_the_codes_and_the_reconstruction(kind, tmp_path):
    a = inputs(N, M, seed=1)
    if kind == "tied":
        model = gs.Autoencoder(a, "group_hard", 0.8, D)
    else:
        options = {"bias": None} if kind == "bare" else {"bias": inputs(M), "center": inputs(N)}
        model = gs.UntiedAutoencoder(a, "group_hard", 0.8, D, inputs(N, M, seed=2), **options)
    gs.export_sae(model, tmp_path, model_name="mine")
    w = load_file(tmp_path / "sae_weights.safetensors")
    assert {name: tuple(value.shape) for name, value in w.items()} == {
        "W_enc": (N, M), "b_enc": (M,), "W_dec": (M, N), "b_dec": (N,),
    }  # fmt: skip
    y = inputs(20, N, seed=3)
    codes = gs.group_hard_threshold((y - w["b_dec"]) @ w["W_enc"] + w["b_enc"], 0.8, D)
    found = model(y)
    assert torch.allclose(codes, found.codes, atol=1e-6)
    assert torch.allclose(codes @ w["W_dec"] + w["b_dec"], found.reconstruction, atol=1e-6)
    config = json.loads((tmp_path / "cfg.json").read_text())
    assert (config["d_in"], config["d_sae"], config["dtype"]) == (N, M, "float32")
    assert config["metadata"] == {
        "prox": "group_hard", "lambda_": 0.8, "group_size": D, "model_name": "mine",
    }  # fmt: skip


def test_what_has_no_such_weights_is_refused_and_nothing_is_written(tmp_path):
    for model in (
        gs.Autoencoder(inputs(N, M), "group_soft", 0.1, D, "fista", 3),
        gs.Autoencoder(inputs(N, M), "group_soft", 0.1, D, refit=True),
        gs.Autoencoder(inputs(2, N, M), "group_soft", 0.1, D),
    ):
        with pytest.raises(ValueError, match="only one shallow model"):
            gs.export_sae(model, tmp_path)
    with pytest.raises(TypeError):
        gs.export_sae(gs.Autoencoder(inputs(N, M), "group_soft", 0.1, D), tmp_path, what=inputs(1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("n", "m"), [(1, 4), (4, 1), (1, 1)])
def test_a_model_of_one_atom_or_one_dimension_can_be_written(tmp_path, n, m):
    model = gs.Autoencoder(inputs(n, m), "group_soft", 0.1, 1)
    gs.export_sae(model, tmp_path)
    w = load_file(tmp_path / "sae_weights.safetensors")
    assert torch.equal(w["W_enc"], model.dictionary)
    assert torch.equal(w["W_dec"], model.dictionary.mT)
