"""Products in 8 bits lose no active group, and change neither loss nor gradient."""

import pytest
import torch

import groupsparse as gs
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


def screened(found: screening.Screen, size: int = GROUP) -> torch.Tensor:
    """Groups that pass: (N, G)."""
    products = found.samples.double() @ found.atoms.double()
    return products.unflatten(-1, (size, -1)).norm(dim=1) > found.reach


@pytest.mark.parametrize("prox", PROX)
def test_screening_lets_every_active_group_pass(monkeypatch, prox):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    data, dictionary = single(spread=0.0)
    products = data.double() @ dictionary.double()
    norms = PROX[prox](products, 0.0, GROUP).unflatten(-1, (-1, GROUP)).norm(dim=-1).flatten()
    missed, passed = 0, 0
    # Thresholds just below the norm of a group, where rounding could lose it.
    for threshold in (norms[norms > 3] * (1 - 1e-7)).tolist():
        found = screened(screening.screen(data, dictionary, threshold, GROUP))
        exact = active(PROX[prox](products, threshold, GROUP), GROUP)
        missed += int((exact & ~found).sum())
        passed += int(found.sum() - exact.sum())
    assert missed == 0
    assert passed > 0, "the margin is never needed: the test shows nothing"


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("n", [64, 255, 257, 514])
def test_screening_survives_the_largest_rounding_there_is(monkeypatch, n, size):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    # Steps are 1: the sample and another atom have the entry 127. All entries that meet are just
    # below a midpoint, so that they lose half a step, the most there is.
    y = torch.full((n,), 20.5 - 2.0**-10)
    noise = 1e-3 * torch.randn(n, 6 * size, generator=torch.Generator().manual_seed(0))
    noise[1, 0] = 127
    # Alternating signs leave every product positive: all roundings point downwards.
    y[::2] *= -1
    atom = y.clone()
    y[0], atom[0] = 127, 0
    dictionary = torch.cat([atom.unsqueeze(1).expand(n, size), noise], 1)
    data = torch.zeros(400, n)
    data[0] = y
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
    n = 4097
    y = torch.full((n,), 20.5 - 2.0**-10)
    y[0] = 127
    found = screening.screen(y.unsqueeze(0), y.unsqueeze(1), 1e6, 1)
    # y loses half a step in each of two factors: n (20.5^2 - 20^2), with 2^-10 left out. The margin
    # takes the rounded y for as long as it can be, 21 for 20: half of 1 in 20.25. The entry 127
    # makes y longer by 0.5 %, a product in bfloat16 might make it shorter by 1.6 %, and a sum of
    # n products in float32 is off by 0.5 % of what is needed.
    needed = n * (20.5**2 - 20**2)
    assert needed * (1 - 1e-3) < 1e6 - float(found.reach) < needed * 1.06


@pytest.mark.parametrize("size", [1, 2, 4, 16])
@pytest.mark.parametrize("coherence", [0.0, 0.9, 1.0])
def test_the_norm_of_a_group_is_bounded_from_above_and_closely(size, coherence):
    generator = torch.Generator().manual_seed(size)
    common = torch.randn(1, 300, generator=generator)
    own = torch.randn(8 * size, 300, generator=generator)
    atoms = coherence**0.5 * common + (1 - coherence) ** 0.5 * own
    atoms *= torch.linspace(0.1, 1, 8 * size).unsqueeze(1)
    exact = float(torch.linalg.matrix_norm(atoms.double().view(8, size, 300), 2).amax())
    found = screening._largest_norm(atoms, size)
    # Row sums: 15 inner products of about 1 / sqrt(300) beside a norm of 1, all of one sign.
    assert exact < found < exact * (1.05 if coherence == 1.0 else 1.4)


def test_little_more_than_what_is_active_passes_in_a_wide_dictionary(monkeypatch):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    truth = gs.random_dictionary(512, 4096, 0)
    data = gs.sample(truth, 4, 4, (4.0, 5.0), 200, 1, snr_db=10).data
    norms = (data @ truth).unflatten(1, (-1, 4)).norm(dim=-1)
    threshold = float(norms.flatten().kthvalue(norms.numel() - 200 * 4).values)
    found = screened(screening.screen(data, truth, threshold, 4), 4)
    # Where the norms of groups were not measured, it was several times as many.
    assert 800 <= int(found.sum()) < 1000


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
    assert found is not None


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("where", ["data", "dictionary"])
def test_what_is_not_finite_is_not_screened(monkeypatch, value, where):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    data, dictionary = (each.detach().clone() for each in single())
    {"data": data, "dictionary": dictionary}[where][3, 4] = value
    assert screening.screen(data, dictionary, 3.5, GROUP) is None


@pytest.mark.parametrize("scale", [0.0, 1e-45, 1e-38, 1e-23, 1e-20, 1e15])
def test_numbers_of_any_size_are_screened_rightly_or_not_at_all(monkeypatch, scale):
    monkeypatch.setattr(screening, "FAST_INT8", True)
    data, dictionary = (each.detach() for each in single(spread=0.0))
    data = data * scale
    data[0] = 0
    exact = (data.double() @ dictionary.double()).unflatten(1, (-1, GROUP)).norm(dim=-1)
    # Thresholds of its size, just below the norm of a group, and one of another size.
    for threshold in (*(exact[exact > 2 * scale] * (1 - 1e-7)).tolist(), 3.5):
        found = screening.screen(data, dictionary, threshold, GROUP)
        assert found is None or not ((exact > threshold) & ~screened(found)).any()
