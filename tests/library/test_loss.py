"""The sparse-aware loss is the dense one, in value and gradient, whatever is active."""

import pytest
import torch

from groupsparse import loss
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
    monkeypatch.setattr(loss, "DENSE_FROM", 1.0)  # the sparse path, also with everything active
    monkeypatch.setattr(loss, "BLOCK", 0)
    monkeypatch.setattr(loss, "ROWS", 7)  # blocks that do not divide the samples
    data, dictionary = problem(replicates)
    (value, gradient), (expected, expected_gradient) = both(data, dictionary, prox, threshold)
    # Sums of at most 40 * 18 terms in another order: far below 1e-10 in float64.
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-10)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-10, atol=1e-10)


def test_a_product_with_many_atoms_has_no_fewer_samples_at_a_time(monkeypatch):
    """Every product reads the dictionary once: few samples at a time would read it too often."""
    seen = []
    longer = loss._longer_than
    monkeypatch.setattr(
        loss, "_longer_than", lambda p, *rest: seen.append(tuple(p.shape)) or longer(p, *rest)
    )
    atoms = 4 * loss.BLOCK // loss.ROWS  # so many that a block of entries has a quarter of the rows
    dictionary = torch.randn(3, atoms, generator=torch.Generator().manual_seed(0))
    loss._above(torch.ones(600, 3), dictionary, PROX["group_soft"], 1e3, 1)
    assert [rows for rows, _ in seen] == [256, 256, 88]


def test_thresholds_of_the_test_reach_from_all_groups_active_to_none():
    data, dictionary = problem()
    shares = []
    for threshold in (0.0, 4.0, 9.0, 1e3):
        codes = PROX["group_soft"](data @ dictionary, threshold, GROUP)
        shares.append(float((codes != 0).double().mean()))
    assert shares[0] == 1
    assert 1 > shares[1] > shares[2] > shares[3] == 0


@pytest.mark.parametrize(("threshold", "sparse"), [(0.0, False), (1e3, True)])
def test_the_path_follows_the_share_of_active_groups(monkeypatch, threshold, sparse):
    taken = []
    original = loss._ShallowLoss.apply
    monkeypatch.setattr(loss._ShallowLoss, "apply", lambda *a: taken.append(1) or original(*a))
    data, dictionary = problem()
    shallow_loss(data, dictionary, PROX["group_soft"], threshold, GROUP)
    assert bool(taken) == sparse


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


def single(n: int = 200, spread: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Float32 data of norms that differ, and a dictionary of unit atoms."""
    generator = torch.Generator().manual_seed(5)
    scale = 1 + spread * torch.rand(SAMPLES, 1, generator=generator)
    data = scale * torch.randn(SAMPLES, n, generator=generator)
    atoms = torch.randn(n, ATOMS, generator=generator)
    return data, torch.nn.functional.normalize(atoms, dim=0).requires_grad_()


@pytest.mark.parametrize("prox", PROX)
def test_screening_in_bfloat16_changes_nothing(monkeypatch, prox):
    data, dictionary = single()
    monkeypatch.setattr(loss, "DENSE_FROM", 1.0)
    results = []
    for fast in (True, False):
        monkeypatch.setattr(loss, "FAST_BFLOAT16", fast)
        assert bool(loss._screening_threshold(data, dictionary, 3.0, GROUP)) == fast
        value = shallow_loss(data, dictionary, PROX[prox], 3.0, GROUP)
        results.append((value.detach(), torch.autograd.grad(value, dictionary)[0]))
    (value, gradient), (expected, expected_gradient) = results
    # Products of 200 terms summed in another order in float32: 200 * 2^-24 relative at the worst.
    torch.testing.assert_close(value, expected, rtol=1.2e-5, atol=0)
    scale = float(expected_gradient.abs().max())
    torch.testing.assert_close(gradient, expected_gradient, rtol=0, atol=1.2e-5 * scale)


@pytest.mark.parametrize("prox", PROX)
def test_screening_lets_every_active_group_pass(monkeypatch, prox):
    monkeypatch.setattr(loss, "FAST_BFLOAT16", True)
    data, dictionary = single(spread=0.0)
    norms = PROX[prox](data.double() @ dictionary.double(), 0.0, GROUP)
    norms = norms.unflatten(-1, (-1, GROUP)).norm(dim=-1).flatten()
    missed, passed = 0, 0
    # Thresholds just below the norm of a group, where rounding could lose it.
    for threshold in (norms[norms > 3] * (1 - 1e-7)).tolist():
        reach = loss._screening_threshold(data, dictionary, threshold, GROUP)
        rounded = (data.bfloat16() @ dictionary.bfloat16()).float()
        screened = loss.active(PROX[prox](rounded, reach, GROUP), GROUP)
        exact = PROX[prox](data.double() @ dictionary.double(), threshold, GROUP)
        exact = loss.active(exact, GROUP)
        missed += int((exact & ~screened).sum())
        passed += int(screened.sum() - exact.sum())
    assert missed == 0
    assert passed > 0, "the margin is never needed: the test shows nothing"


def test_many_samples_cost_no_digits_of_the_loss():
    data = torch.randn(40_000, 200, generator=torch.Generator().manual_seed(3))
    dictionary = torch.eye(200)[:, :6].requires_grad_()
    value = shallow_loss(data, dictionary, PROX["group_soft"], 1e3, GROUP)
    exact = data.double().square().sum() / (2 * len(data))
    # Rows of 200 terms in float32, then float64: 200 * 2^-24 at the very worst.
    torch.testing.assert_close(value.double(), exact, rtol=2e-6, atol=0)


def just_below_a_midpoint(n: int) -> torch.Tensor:
    """Entries that bfloat16 rounds down by almost 2^-8 of themselves: none can lose more."""
    return torch.full((n,), 1 + 2.0**-8 - 2.0**-20)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("n", [64, 255, 257, 514])
def test_screening_survives_the_largest_rounding_there_is(monkeypatch, n, size):
    monkeypatch.setattr(loss, "FAST_BFLOAT16", True)
    atom = just_below_a_midpoint(n)
    # Alternating signs in pairs leave every product positive: all roundings point downwards.
    sign = torch.ones(n).index_fill_(0, torch.arange(0, n, 2), -1)
    noise = 1e-3 * torch.randn(n, 6 * size, generator=torch.Generator().manual_seed(0))
    dictionary = torch.cat([(sign * atom).unsqueeze(1).expand(n, size), noise], 1)
    data = torch.zeros(400, n)
    data[0] = sign * atom
    norm = float((data[0].double() @ dictionary[:, :size].double()).norm())
    for share in (1 - 2.0**-7, 1 - 2.0**-9, 1 - 2.0**-12):
        # The group is active, by more than float32 sums in another order may differ: n 2^-24.
        threshold = norm * share
        assert loss._screening_threshold(data, dictionary, threshold, size), "screening is on"
        used = []
        for function in (shallow_loss, loss.dense_loss):
            a = dictionary.clone().requires_grad_()
            value = function(data, a, PROX["group_soft"], threshold, size)
            used.append(torch.autograd.grad(value, a)[0].any(0))
        assert used[1].tolist() == [True] * size + [False] * 6 * size
        assert torch.equal(*used)


def test_screening_is_not_used_where_its_margin_would_let_everything_pass(monkeypatch):
    monkeypatch.setattr(loss, "FAST_BFLOAT16", True)
    data, dictionary = single()
    largest = float(data.norm(dim=1).amax() * dictionary.detach().norm(dim=0).amax())
    # Half of lambda is left for a margin of sqrt(d) (2u + ..) ||a|| ||y|| and the last rounding.
    assert loss._screening_threshold(data, dictionary, 0.01 * largest, GROUP) is None
    assert loss._screening_threshold(data, dictionary, 0.2 * largest, GROUP) > 0.1 * largest
