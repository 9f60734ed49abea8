"""Products in 8 bits lose no active group, and change neither loss nor gradient."""

import pytest
import torch

from groupsparse import loss, screening
from groupsparse.groups import active
from groupsparse.loss import shallow_loss
from groupsparse.prox import PROX
from groupsparse.topk import GroupTopK

SAMPLES, ATOMS, GROUP = 40, 18, 3


def single(n: int = 200, spread: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Float32 data of norms that differ, and a dictionary of unit atoms."""
    generator = torch.Generator().manual_seed(5)
    scale = 1 + spread * torch.rand(SAMPLES, 1, generator=generator)
    data = scale * torch.randn(SAMPLES, n, generator=generator)
    atoms = torch.randn(n, ATOMS, generator=generator)
    return data, torch.nn.functional.normalize(atoms, dim=0).requires_grad_()


@pytest.mark.parametrize("prox", PROX)
def test_screening_changes_nothing(monkeypatch, prox):
    data, dictionary = single()
    monkeypatch.setattr(loss, "dense_from", lambda *_: 1.0)
    results = []
    for fast in (True, False):
        monkeypatch.setattr(screening, "FAST_INT8", fast)
        assert bool(screening.screen(data, dictionary, 3.5, GROUP)) == fast
        value = shallow_loss(data, dictionary, PROX[prox], 3.5, GROUP)
        results.append((value.detach(), torch.autograd.grad(value, dictionary)[0]))
    (value, gradient), (expected, expected_gradient) = results
    # Products of 200 terms summed in another order in float32: 200 * 2^-24 relative at the worst.
    torch.testing.assert_close(value, expected, rtol=1.2e-5, atol=0)
    scale = float(expected_gradient.abs().max())
    torch.testing.assert_close(gradient, expected_gradient, rtol=0, atol=1.2e-5 * scale)


def test_what_is_not_a_number_is_not_screened_away(monkeypatch):
    data, dictionary = single()
    monkeypatch.setattr(loss, "dense_from", lambda *_: 1.0)
    with torch.no_grad():
        dictionary[0, 0] = torch.nan
    for prox in (PROX["group_soft"], GroupTopK(1)):
        assert shallow_loss(data, dictionary, prox, 3.5, GROUP).isnan()


def screened(data, dictionary, found: screening.Screen) -> torch.Tensor:
    """Groups that pass: (N, G)."""
    whole = [
        screening._rounded(table, step).double()
        for table, step in ((data, found.sample), (dictionary, found.atom))
    ]
    return (whole[0] @ whole[1]).unflatten(-1, (-1, GROUP)).norm(dim=-1) > found.reach


@pytest.mark.parametrize("prox", PROX)
def test_screening_lets_every_active_group_pass(monkeypatch, prox):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    data, dictionary = single(spread=0.0)
    products = data.double() @ dictionary.double()
    norms = PROX[prox](products, 0.0, GROUP).unflatten(-1, (-1, GROUP)).norm(dim=-1).flatten()
    missed, passed = 0, 0
    # Thresholds just below the norm of a group, where rounding could lose it.
    for threshold in (norms[norms > 3] * (1 - 1e-7)).tolist():
        found = screened(data, dictionary, screening.screen(data, dictionary, threshold, GROUP))
        exact = active(PROX[prox](products, threshold, GROUP), GROUP)
        missed += int((exact & ~found).sum())
        passed += int(found.sum() - exact.sum())
    assert missed == 0
    assert passed > 0, "the margin is never needed: the test shows nothing"


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("n", [64, 255, 257, 514])
def test_screening_survives_the_largest_rounding_there_is(monkeypatch, n, size):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    # Steps are 1: another sample and another atom have the entry 127. All entries of these are
    # just below a midpoint, so that they lose half a step, the most there is.
    y = torch.full((n,), 20.5 - 2.0**-10)
    noise = 1e-3 * torch.randn(n, 6 * size, generator=torch.Generator().manual_seed(0))
    noise[0, 0] = 127
    # Alternating signs leave every product positive: all roundings point downwards.
    y[::2] *= -1
    dictionary = torch.cat([y.unsqueeze(1).expand(n, size), noise], 1)
    data = torch.zeros(400, n)
    data[0], data[1, 1] = y, 127
    norm = float((y.double() @ dictionary[:, :size].double()).norm())
    for share in (1 - 2.0**-7, 1 - 2.0**-9, 1 - 2.0**-12):
        # The group is active, by more than float32 sums in another order may differ: n 2^-24.
        threshold = norm * share
        assert screening.screen(data, dictionary, threshold, size), "screening is on"
        used = []
        for function in (shallow_loss, loss.dense_loss):
            a = dictionary.clone().requires_grad_()
            value = function(data, a, PROX["group_soft"], threshold, size)
            used.append(torch.autograd.grad(value, a)[0].any(0))
        assert used[1].tolist() == [True] * size + [False] * 6 * size
        assert torch.equal(*used)


def test_the_margin_is_no_wider_than_the_largest_rounding_needs(monkeypatch):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    n = 257
    y = torch.full((n,), 20.5 - 2.0**-10)
    data = torch.stack([y, torch.zeros(n).index_fill_(0, torch.tensor(0), 127)])
    found = screening.screen(data, data.T.contiguous(), 100_000.0, 1)
    # y loses half a step in each of two factors: n (20.5^2 - 20^2), with 2^-10 left out. The margin
    # takes the rounded y for as long as it can be, 21 for 20: half of 1 in 20.25.
    needed = n * (20.5**2 - 20**2)
    assert needed * (1 - 1e-3) < 100_000 - found.reach < needed * 1.03


def test_sums_of_the_largest_products_are_exact():
    most = torch.full((2, screening.MOST_TERMS), 127, dtype=torch.int8)
    most[1] *= -1
    found = torch._int_mm(most, most.T.contiguous())
    exact = screening.MOST_TERMS * 127**2
    assert found.tolist() == [[exact, -exact], [-exact, exact]]


def test_screening_is_not_used_where_its_margin_would_let_everything_pass(monkeypatch):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    data, dictionary = single()
    largest = float(data.norm(dim=1).amax() * dictionary.detach().norm(dim=0).amax())
    assert screening.screen(data, dictionary, 0.01 * largest, GROUP) is None
    found = screening.screen(data, dictionary, 0.2 * largest, GROUP)
    # Half of lambda is left for the margin.
    assert found.reach * found.sample * found.atom > 0.1 * largest


@pytest.mark.parametrize("value", [0.0, 1e-38, torch.nan, torch.inf])
def test_data_without_a_step_are_not_screened(monkeypatch, value):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    _, dictionary = single()
    data = torch.full((4, 200), value)
    assert screening.screen(data, dictionary, 1.0, GROUP) is None
