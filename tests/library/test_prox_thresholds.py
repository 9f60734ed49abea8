"""A threshold for each replicate acts on that replicate, whichever way the prox is computed."""

import pytest
import torch

from groupsparse.groups import group_norms
from groupsparse.prox import PROX

GROUPS, D = 60, 3
THRESHOLDS = torch.tensor([1.0, 1.5, 2.0], dtype=torch.float64).reshape(3, 1, 1)


def inputs(active: int) -> torch.Tensor:
    """Replicates (3, N, m) in which ``active`` groups a sample exceed every threshold."""
    rng = torch.Generator().manual_seed(0)
    v = torch.randn(3, 20, GROUPS, D, generator=rng, dtype=torch.float64)
    norm = torch.where(torch.arange(GROUPS) < active, 3.0, 0.5).unsqueeze(-1)
    return (torch.nn.functional.normalize(v, dim=-1) * norm).flatten(-2)


@pytest.mark.parametrize("name", PROX)
@pytest.mark.parametrize("active", [1, GROUPS], ids=["few active groups", "all active"])
def test_every_replicate_has_its_own_threshold(name, active):
    together, alone = (inputs(active).requires_grad_() for _ in range(2))
    ours = PROX[name](together, THRESHOLDS, D)
    theirs = torch.stack(
        [PROX[name](v, float(t), D) for v, t in zip(alone, THRESHOLDS, strict=True)]
    )
    # The same products, one replicate or three: rounding of float64.
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=0)
    weights = torch.arange(ours[0].numel()).reshape(ours[0].shape) / ours[0].numel()
    gradients = [
        torch.autograd.grad((x * weights).sum(), v)[0]
        for x, v in ((ours, together), (theirs, alone))
    ]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", PROX)
@pytest.mark.parametrize("active", [1, GROUPS], ids=["few active groups", "all active"])
def test_thresholds_take_the_precision_of_the_codes(name, active):
    v = inputs(active).float().requires_grad_()
    x = PROX[name](v, THRESHOLDS, D)
    assert x.dtype == torch.float32
    assert torch.equal(x, PROX[name](v, THRESHOLDS.float(), D))
    assert torch.autograd.grad(x.sum(), v)[0].dtype == torch.float32


@pytest.mark.parametrize("name", PROX)
@pytest.mark.parametrize("active", [1, GROUPS], ids=["few active groups", "all active"])
def test_what_is_not_a_number_stays_so(name, active):
    v = inputs(active)
    v[0, 0, :D] = torch.nan
    x = PROX[name](v, 1.0, D)
    assert x[0, 0, :D].isnan().all()
    assert x.isnan().sum() == D


def test_the_norm_that_is_left_is_what_exceeds_the_threshold_of_the_replicate():
    left = group_norms(PROX["group_soft"](inputs(1), THRESHOLDS, D), D)
    expected = (3 - THRESHOLDS).expand(3, 20, 1)
    torch.testing.assert_close(left[..., :1], expected)
    assert not left[..., 1:].any()
