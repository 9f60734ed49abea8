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
    assert torch.autograd.gradcheck(lambda a, x: gram_loss(y, x, a, **products(y, a)), (a, x))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_loss_and_its_derivatives_are_those_of_the_reconstruction(dtype):
    found = {}
    for form in ("reconstruction", "gram"):
        a, y, x = problem(dtype)
        a.requires_grad_(), x.requires_grad_()
        if form == "gram":
            loss = gram_loss(y, x, a, **products(y, a))
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


def test_a_loss_that_rounding_would_hide_is_that_of_the_reconstruction():
    """Of one replicate, whatever the others are: then they have the bits that they have alone."""
    a, _, x = problem(n=64, m=16, samples=200)
    a, x = gs.normalize_columns(a).float(), 1000 * x.float()
    draw = torch.Generator().manual_seed(1)
    noise = torch.tensor([0.05, 500.0, 0.0])[:, None, None]
    y = x @ a.mT + noise * torch.randn(3, 200, 64, generator=draw)
    exact = gs.reconstruction_loss(y.double(), x.double() @ a.double().mT)
    loss = gram_loss(y, x, a, **products(y, a))
    # An entry of A x is a sum of 16 products: it is off by 16 * 2^-24 |A| |x| at the very worst.
    # A loss, of 64 entries, is off by that times the residual, and by half its square.
    entry = 16 * 2.0**-24 * float((x.abs() @ a.abs().mT).max())
    assert abs(loss[0] - exact[0]) < 64 * (0.05 * entry + entry**2)
    assert 0 <= loss[2] < 64 * entry**2
    second = [part[1:2] for part in (y, x, a)]
    assert torch.equal(loss[1:2], gram_loss(*second, **products(second[0], second[2])))


def test_the_loss_of_a_network_that_fits_is_never_negative():
    a, _, x = problem(torch.float32, n=64, m=16, samples=200)
    a = gs.normalize_columns(a)
    for scale in (1.0, 1e2, 1e4):
        network = gs.Autoencoder(a, "group_soft", 0.0, 2, "fista", 200)
        assert (network.loss(scale * x @ a.mT) >= 0).all()
