"""A training step works wherever its tensors are: it makes none on the CPU and asks for no value.

There is no GPU here. On torch's meta device tensors have shapes and no values: whatever mixes them
with one on the CPU fails, and so does whatever would make the host wait for a value.
"""

from functools import partial

import pytest
import torch

import groupsparse as gs
from groupsparse.dictionary import normalize_columns, retract_groups, tangent
from groupsparse.topk import BatchGroupTopK, GroupTopK

N, GROUPS, D, B = 12, 5, 2, 30
UNFOLDED = {"encoder": "fista", "layers": 20}


def network(prox="group_soft", kind=gs.Autoencoder, **options):
    return kind(torch.randn(N, GROUPS * D), prox, 2.0, D, **options)


NETWORKS = {
    "top-k": partial(network, GroupTopK(1)),
    "batch top-k": partial(network, BatchGroupTopK(1.0, level=1.0)),
    "untied": partial(network, kind=gs.UntiedAutoencoder),
    "unfolded": partial(network, **UNFOLDED),
    "last layers": partial(network, backprop=3, **UNFOLDED),
    "decoder alone": partial(network, backprop=0, **UNFOLDED),
    "any groups": lambda: gs.Autoencoder(
        torch.randn(N, 6), "group_soft", 2.0, gs.Groups([1, 2, 3])
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_step_of_every_network_stays_on_its_device(name):
    model = NETWORKS[name]().to("meta")
    optimizer = torch.optim.Adam(model.parameters())
    model.loss(torch.empty(B, N, device="meta")).sum().backward()
    optimizer.step()
    for parameter in model.parameters():
        assert parameter.grad is None or parameter.grad.device.type == "meta"


@pytest.mark.parametrize(
    ("law", "options"),
    [("gaussian", {}), ("poisson", {"largest": 9.0}), ("binomial", {"trials": 5})],
)
def test_a_training_step_of_the_convolutional_network_stays_on_its_device(law, options):
    model = gs.ConvolutionalAutoencoder(torch.randn(2, 7), law, 0.5, 0.5, 4, law_options=options)
    counts = model.recording(torch.ones(3, 4, 50), torch.zeros(3, 4))
    recording = counts.to(torch.empty(0, device="meta"))
    model = model.to("meta")
    model.loss(recording).sum().backward()
    assert model.dictionary.grad.device.type == "meta"


def test_what_follows_a_step_stays_on_its_device():
    atoms = torch.empty(2, N, GROUPS * D, device="meta")
    for found in (normalize_columns(atoms), retract_groups(atoms, D), tangent(atoms, atoms, D)):
        assert (found.device.type, found.shape) == ("meta", atoms.shape)


def test_a_tensor_on_another_device_would_be_noticed():
    with pytest.raises(RuntimeError):
        torch.empty(2, device="meta") + torch.zeros(2)
