"""The Gram matrix and the loss through it: the same as with a reconstruction, derivatives too."""

import pytest
import torch

import groupsparse as gs
from groupsparse.gram import gram, gram_loss, products


def problem(dtype=torch.float64, n=12, m=8, samples=20):
    draw = torch.Generator().manual_seed(0)
    shapes = (3, n, m), (3, samples, n), (3, samples, m)
    return [torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype) for shape in shapes]


def test_derivatives_are_those_of_differences():
    a, y, x = (part.requires_grad_() for part in problem(samples=4))
    y = y.detach()
    assert torch.autograd.gradcheck(gram, a)
    # G enters the loss as a symmetric matrix, which it is: differences must keep it so.
    assert torch.autograd.gradcheck(lambda a, x: gram_loss(y, x, **products(y, a)), (a, x))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_loss_and_its_derivatives_are_those_of_the_reconstruction(dtype):
    found = {}
    for form in ("reconstruction", "gram"):
        a, y, x = problem(dtype)
        a.requires_grad_(), x.requires_grad_()
        if form == "gram":
            loss = gram_loss(y, x, **products(y, a))
        else:
            loss = gs.reconstruction_loss(y, x @ a.mT)
        weights = torch.tensor([1.0, 2.0, 0.5], dtype=dtype)
        found[form] = loss.detach(), *torch.autograd.grad((weights * loss).sum(), (a, x))
    # Means over samples of sums of up to n m^2 products of four numbers, each of them at most 4.
    error = 12 * 8**2 * 4**4 * torch.finfo(dtype).eps
    for one, other in zip(*found.values(), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=error)


@pytest.mark.parametrize("encoder", ["ista", "fista"])
@pytest.mark.parametrize("options", [{}, {"backprop": 2}, {"backprop": 0}, {"refit": True}])
@pytest.mark.parametrize("m", [8, 16])
def test_the_loss_of_a_network_is_that_of_what_it_reconstructs(m, options, encoder):
    """Whether atoms are fewer than entries or more: value and gradient by A at fixed codes."""
    a, y, _ = problem(m=m)
    a = gs.normalize_columns(a)
    network = gs.Autoencoder(a, "group_soft", 1.5, 2, encoder, 6, **options)
    output = network(y)
    loss = network.loss(y)
    expected = gs.reconstruction_loss(y, output.reconstruction)
    assert torch.allclose(loss, expected, rtol=0, atol=1e-12)
    if options in ({"backprop": 0}, {"refit": True}):
        fixed = gs.reconstruction_loss(y, output.codes.detach() @ network.dictionary.mT)
        (whole,) = torch.autograd.grad(fixed.sum(), network.dictionary)
    elif not options:
        (whole,) = torch.autograd.grad(expected.sum(), network.dictionary)
    else:
        return
    (found,) = torch.autograd.grad(loss.sum(), network.dictionary)
    assert torch.allclose(found, whole, rtol=0, atol=1e-12)
