"""The sparse-aware loss is the dense one, in value and gradient, whatever is active."""

import os
import subprocess
import sys

import pytest
import torch
from conftest import ROOT

from groupsparse import loss, screening
from groupsparse.autoencoder import Autoencoder
from groupsparse.loss import reconstruction_loss, shallow_loss
from groupsparse.prox import PROX
from groupsparse.topk import BatchGroupTopK, GroupTopK

SAMPLES, N, ATOMS, GROUP = 40, 12, 18, 3


def problem(replicates: tuple[int, ...] = ()) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    data = torch.randn(*replicates, SAMPLES, N, generator=generator, dtype=torch.float64)
    dictionary = torch.randn(*replicates, N, ATOMS, generator=generator, dtype=torch.float64)
    return data, dictionary.requires_grad_()


def both(data, dictionary, prox, threshold):
    """Value and gradient of a weighted sum of losses, sparse-aware and dense."""
    results = []
    for value in (
        shallow_loss(data, dictionary, prox, threshold, GROUP),
        reconstruction_loss(data, prox(data @ dictionary, threshold, GROUP) @ dictionary.mT),
    ):
        weights = torch.arange(1.0, value.numel() + 1, dtype=value.dtype).reshape(value.shape)
        (gradient,) = torch.autograd.grad((weights * value).sum(), dictionary)
        results.append((value.detach(), gradient))
    return results


CHOOSING = [GroupTopK(2), GroupTopK(6), BatchGroupTopK(1.5), BatchGroupTopK(1.5, level=4.5)]


@pytest.mark.parametrize(
    "prox", [*PROX.values(), *CHOOSING], ids=lambda p: getattr(p, "__name__", str(p))
)
@pytest.mark.parametrize("threshold", [0.0, 4.0, 9.0, 1e3])
@pytest.mark.parametrize("replicates", [(), (2,), (2, 2)])
def test_value_and_gradient_are_those_of_the_dense_loss(monkeypatch, prox, threshold, replicates):
    # The sparse path, also with everything active.
    monkeypatch.setattr(loss, "dense_from", lambda *_: 1.0)
    monkeypatch.setattr(screening, "BLOCK", 0)
    monkeypatch.setattr(screening, "ROWS", 7)  # blocks that do not divide the samples
    data, dictionary = problem(replicates)
    (value, gradient), (expected, expected_gradient) = both(data, dictionary, prox, threshold)
    # Sums of at most 40 * 18 terms in another order: far below 1e-10 in float64.
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-10)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("encoder", ["shallow", "fista"])
@pytest.mark.parametrize("atoms", [9, ATOMS])
def test_the_gradient_by_the_data_is_exact(monkeypatch, encoder, refit, atoms):
    monkeypatch.setattr(loss, "dense_from", lambda *_: 1.0)
    data, dictionary = problem()
    a = 0.3 * dictionary.detach()[:, :atoms]
    model = Autoencoder(a, "group_soft", 2.5, GROUP, encoder, 4, refit=refit)
    assert model.encode(data).any()
    y = data.requires_grad_()
    (found,) = torch.autograd.grad(model.loss(y), y)
    if refit:  # at least squares the codes may be held fixed
        with torch.no_grad():
            codes = model.encode(y)
        expected = (data - model.decode(codes)).detach() / SAMPLES
    else:
        (expected,) = torch.autograd.grad(reconstruction_loss(y, model(y).reconstruction), y)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_thresholds_of_the_test_reach_from_all_groups_active_to_none():
    data, dictionary = problem()
    shares = []
    for threshold in (0.0, 4.0, 9.0, 1e3):
        codes = PROX["group_soft"](data @ dictionary, threshold, GROUP)
        shares.append(float((codes != 0).double().mean()))
    assert shares[0] == 1
    assert 1 > shares[1] > shares[2] > shares[3] == 0


@pytest.mark.parametrize("prox", ["soft", "group_soft"])
@pytest.mark.parametrize("n", [40, 100, 190, 950])
def test_the_path_follows_dimensions_and_the_share_of_active_groups(monkeypatch, n, prox):
    data = torch.randn(loss.PROBE, n, generator=torch.Generator().manual_seed(n))
    dictionary = torch.eye(n)[:, : n // GROUP * GROUP]
    order = 2 if prox == "group_soft" else torch.inf  # a group is active with one of its entries
    groups = data[:, : dictionary.shape[1]].unflatten(1, (-1, GROUP))
    norms = torch.linalg.vector_norm(groups, order, dim=-1)
    taken = []
    for share in (0.0, 0.5, 0.9, 1.1, 3.0):  # of the one up to which sparse products pay
        taken.clear()
        monkeypatch.setattr(
            loss._ShallowLoss, "apply", lambda *_: taken.append(1) or torch.ones(())
        )
        quantile = min(1.0, share * max(0.01, loss.dense_from(n, False)))
        threshold = float(norms.quantile(1 - quantile)) if share else 1e3
        shallow_loss(data, dictionary, PROX[prox], threshold, GROUP)
        assert bool(taken) == (n > 50 and share < 1)


def test_data_shared_by_replicates_needs_no_copy_of_its_own():
    data, dictionary = problem((3,))
    shared = shallow_loss(data[0], dictionary, PROX["group_soft"], 6.0, GROUP)
    alone = [shallow_loss(data[0], a, PROX["group_soft"], 6.0, GROUP) for a in dictionary]
    assert torch.equal(shared, torch.stack(alone))


@pytest.mark.parametrize("encoder", ["shallow", "ista", "fista"])
def test_the_autoencoder_s_loss_is_that_of_its_reconstruction(encoder):
    data, dictionary = problem((2,))
    model = Autoencoder(dictionary, "group_soft", 2.0, GROUP, encoder, 4)
    expected = reconstruction_loss(data, model(data).reconstruction)
    torch.testing.assert_close(model.loss(data), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("shape", [(0, N), (2, 0, N), (0, 3, N)])
@pytest.mark.parametrize("encoder", ["shallow", "fista"])
@pytest.mark.parametrize("atoms", [9, ATOMS])
def test_no_samples_have_no_loss(atoms, encoder, shape):
    data, dictionary = torch.zeros(shape, dtype=torch.float64), problem()[1][:, :atoms]
    model = Autoencoder(dictionary, "group_soft", 1.0, GROUP, encoder, 4)
    for loss_of in (model.loss, lambda y: shallow_loss(y, dictionary, model.activation, 1.0, 3)):
        with pytest.raises(ValueError, match="there are no samples"):
            loss_of(data)


def test_data_that_do_not_fit_the_replicates_are_named():
    (data, dictionary), model = problem((2,)), Autoencoder(problem((3,))[1], "soft", 1.0, 1)
    for call in (model.loss, model.encode):
        with pytest.raises(ValueError, match=r"do not fit the replicates \(3,\)"):
            call(data)
    with pytest.raises(ValueError, match=r"do not fit the replicates \(2,\)"):
        shallow_loss(problem((3,))[0], dictionary, PROX["soft"], 1.0, 1)


@pytest.mark.parametrize("encoder", ["shallow", "fista"])
def test_codes_and_losses_import_no_algebra(encoder):
    """What torch imports for the shapes of its functions takes longer than to encode."""
    program = f"""
import sys, torch, groupsparse as gs
model = gs.Autoencoder(torch.eye(4), "group_soft", 0.1, 2, "{encoder}")
model.encode(torch.ones(3, 4)), model.loss(torch.ones(3, 4))
sys.exit("sympy" in sys.modules)
"""
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-c", program], check=True, env=env)


def test_many_samples_cost_no_digits_of_the_loss():
    data = torch.randn(40_000, 200, generator=torch.Generator().manual_seed(3))
    dictionary = torch.eye(200)[:, :6].requires_grad_()
    value = shallow_loss(data, dictionary, PROX["group_soft"], 1e3, GROUP)
    exact = data.double().square().sum() / (2 * len(data))
    # Rows of 200 terms in float32, then float64: 200 * 2^-24 at the very worst.
    torch.testing.assert_close(value.double(), exact, rtol=2e-6, atol=0)
