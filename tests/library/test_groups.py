"""Groups of any shape: what holds for equal groups holds for them wherever they are taken."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import groupsparse as gs
from groupsparse.clustering import sparsity
from groupsparse.groups import Groups, group_size_of, split_groups
from groupsparse.loss import dense_loss
from groupsparse.prox import PROX
from groupsparse.topk import BatchGroupTopK, GroupTopK

GROUPED = [name for name, prox in PROX.items() if prox.grouped]
MIXED = [[0, 3], [1, 2, 5], [4]]
every_grouped = pytest.mark.parametrize("name", GROUPED)
often = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def inputs(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@st.composite
def partitions(draw):
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    order = draw(st.permutations(range(sum(sizes))))
    ends = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    return [list(order[a:b]) for a, b in pairwise(ends)]


@every_grouped
@often
@given(members=partitions(), threshold=st.floats(0, 2), seed=st.integers(0, 10**6))
def test_every_group_is_thresholded_as_it_would_be_alone(name, members, threshold, seed):
    groups = Groups(members)
    v = inputs(3, groups.atoms, seed=seed)
    x = PROX[name](v, threshold, groups)
    for group in members:
        alone = PROX[name](v[:, group].contiguous(), threshold, len(group))
        # Norms of rows that are filled up with zeros are summed in another order.
        assert torch.allclose(x[:, group], alone, rtol=0, atol=1e-12)


@every_grouped
def test_weights_multiply_the_threshold_of_their_group(name):
    v, weights = inputs(50, 6), [0.5, 2.0, 1.0]
    x = PROX[name](v, 0.7, Groups(MIXED, weights))
    for group, weight in zip(MIXED, weights, strict=True):
        alone = PROX[name](v[:, group].contiguous(), 0.7 * weight, len(group))
        assert torch.allclose(x[:, group], alone, rtol=0, atol=1e-6)
    roots = Groups(MIXED, "sqrt").weights
    assert torch.allclose(roots, torch.tensor([2.0, 3.0, 1.0], dtype=torch.float64).sqrt())


@every_grouped
def test_the_value_that_it_minimises_has_the_weights_too(name):
    groups, prox = Groups(MIXED, [0.5, 2.0, 1.0]), PROX[name]
    v = inputs(40, 6)

    def objective(x):
        return 0.5 * (x - v).square().sum(-1) + prox.value(x, 0.7, groups)

    x = prox(v, 0.7, groups)
    for seed in range(30):
        for size in (1e-3, 0.1, 1.0):
            other = x + size * inputs(40, 6, seed=seed)
            other = other.clamp_min(0) if "nonnegative" in name else other
            other = torch.where(x == 0, 0, other) if seed % 2 else other
            assert (objective(x) <= objective(other) + 1e-6).all()
    assert (objective(x) <= objective(0 * x) + 1e-6).all()


def test_equal_consecutive_groups_are_the_number():
    v, groups = inputs(20, 6), Groups([2, 2, 2])
    for name in GROUPED:
        assert torch.allclose(PROX[name](v, 0.7, groups), PROX[name](v, 0.7, 2), atol=1e-12)
    assert torch.equal(split_groups(v, groups), split_groups(v, 2))
    assert torch.equal(groups.merge(groups.split(v)), v)
    x = GroupTopK(1)(v, 0.0, Groups(MIXED))
    used = torch.stack([x[:, g].any(-1) for g in MIXED], -1)
    assert (used.sum(-1) == 1).all()


@pytest.mark.parametrize("encoder", ["shallow", "fista"])
def test_a_network_of_unequal_groups_has_the_exact_gradient_and_is_saved(encoder, tmp_path):
    a, y = inputs(5, 6, seed=1), inputs(20, 5)
    model = gs.Autoencoder(a, "group_soft", 0.4, Groups(MIXED, "sqrt"), encoder, layers=4)
    model.loss(y).backward()
    variable = a.clone().requires_grad_()
    if encoder == "shallow":
        loss = dense_loss(y, variable, PROX["group_soft"], 0.4, model.group_size)
        loss.backward()
        assert torch.allclose(model.dictionary.grad, variable.grad)
    step = 1e-6
    for i, j in ((0, 0), (2, 4), (4, 5)):
        shift = torch.zeros_like(a)
        shift[i, j] = step
        up, down = (
            float(gs.Autoencoder(a + s * shift, "group_soft", 0.4, model.group_size, encoder, 4,
                                 step=0.02).loss(y).detach())
            for s in (1, -1)
        )  # fmt: skip
        fixed = gs.Autoencoder(a, "group_soft", 0.4, model.group_size, encoder, 4, step=0.02)
        fixed.loss(y).backward()
        assert float(fixed.dictionary.grad[i, j]) == pytest.approx(
            (up - down) / (2 * step), rel=1e-4
        )
    model.save(tmp_path)
    again = gs.Autoencoder.load(tmp_path)
    assert again.group_size == model.group_size
    assert torch.equal(again.encode(y), model.encode(y))


@pytest.mark.parametrize("rule", [GroupTopK(2), BatchGroupTopK(2), BatchGroupTopK(2, 0.5)])
def test_weights_multiply_the_threshold_of_what_is_kept_too(rule):
    groups, v = Groups(MIXED, [0.5, 2.0, 1.0]), inputs(50, 6)
    norms, threshold = gs.group_norms(v, groups), inputs(50, 1, seed=1).abs()
    free, kept = (gs.group_norms(rule(v, t, groups), groups) > 0 for t in (0.0, threshold))
    assert torch.equal(kept, free & (norms > threshold * groups.weights))


@every_grouped
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_weighted_threshold_has_the_precision_of_the_codes(name, dtype):
    v, groups = inputs(50, 6, dtype=dtype), Groups(MIXED, [0.3, 1.7, 1.0])
    number, tensor = (
        PROX[name](v, t, groups) for t in (0.7, torch.tensor(0.7, dtype=torch.float64))
    )
    assert number.dtype == tensor.dtype == dtype
    # A few roundings of numbers below 4.
    assert torch.allclose(number, tensor, rtol=0, atol=32 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("groups", [[2, 3, 1], [[0, 3], [1, 2, 5], [4]]])
def test_sizes_and_indices_are_taken_wherever_groups_are(groups):
    v, made = inputs(20, 6).abs() * (inputs(20, 6, seed=1) > 0), Groups(groups)
    for f in (
        gs.group_norms, gs.active_per_sample, gs.firing_rates, gs.effective_ranks, sparsity,
        *(lambda v, g, p=p: p(v, 0.7, g) for p in (*PROX.values(), GroupTopK(2))),
        *(lambda v, g, p=p: gs.lambda_max(v, torch.eye(6), p, g) for p in PROX),
    ):  # fmt: skip
        torch.testing.assert_close(f(v, groups), f(v, made), rtol=0, atol=0)


def test_a_network_takes_sizes_and_indices_as_they_are():
    for groups in ([2, 3, 1], [[0, 1], [2, 3, 4], [5]], Groups([2, 3, 1])):
        model = gs.Autoencoder(torch.eye(6), "group_soft", 0.1, groups)
        assert model.group_size == Groups([2, 3, 1])
        codes = model.encode(torch.eye(6)).detach()
        assert torch.allclose(gs.firing_rates(codes, model.group_size), torch.tensor([2, 3, 1]) / 6)


def test_unequal_groups_are_learnt_from_their_data():
    sizes = [1, 2, 3, 2]
    truth = gs.orthonormalize_groups(gs.random_dictionary(20, 8, generator=0), 8)
    draw = torch.Generator().manual_seed(1)
    groups, rows = Groups(sizes), []
    for _ in range(600):
        g = int(torch.randint(4, (1,), generator=draw))
        rows.append(truth[:, groups.members[g]] @ torch.randn(sizes[g], generator=draw) * 3)
    data = torch.stack(rows) + 0.05 * torch.randn(600, 20, generator=draw)
    start = gs.perturb(truth, correlation=0.8, generator=2)
    model = gs.Autoencoder(start, "group_top_k(1)", 0.0, groups)
    gs.train(model, gs.FixedData(data, batch_size=100), epochs=30, lr=1e-2, normalize=True)
    for members in groups.members:
        q = torch.linalg.qr(model.dictionary.detach()[:, members]).Q
        before = torch.linalg.qr(start[:, members]).Q
        span = truth[:, members]
        error, first = (len(members) - (b.mT @ span).square().sum() for b in (q, before))
        assert error < first / 3


@pytest.mark.parametrize(
    ("groups", "options", "said"),
    [
        ([0, 2], {}, "sizes of at least 1"),
        ([], {}, "sizes of at least 1"),
        ([[0, 1], [1, 2]], {}, "each index from 0 on once"),
        ([[0], [2]], {}, "each index from 0 on once"),
        ([2, 1], {"weights": [1.0]}, "weights must be 2 positive"),
        ([2, 1], {"weights": [1.0, 0.0]}, "weights must be 2 positive"),
        ([2, 1], {"weights": "root"}, "'sqrt' or numbers"),
    ],
)
def test_what_is_no_partition_is_refused(groups, options, said):
    with pytest.raises(ValueError, match=said):
        Groups(groups, **options)


def test_groups_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="groups of 3 atoms do not fit 4"):
        gs.Autoencoder(torch.eye(4), "group_soft", 0.1, [1, 2])
    with pytest.raises(ValueError, match="refit needs equal groups"):
        gs.Autoencoder(torch.eye(3), "group_soft", 0.1, [1, 2], refit=True)
    with pytest.raises(ValueError, match="do not fit 5 entries"):
        gs.group_norms(torch.zeros(5), Groups([1, 2]))
    assert repr(Groups([1, 2])) == "Groups of sizes [1, 2]"
    assert len(Groups([1, 2])) == 2


def test_equal_consecutive_groups_become_a_number_unless_they_have_weights():
    assert group_size_of([2, 2, 2], 6) == group_size_of([[0, 1], [2, 3], [4, 5]], 6) == 2
    for other in ([1, 3, 2], [[0, 2], [1, 3], [4, 5]], [[2, 3], [0, 1], [4, 5]]):
        assert isinstance(group_size_of(other, 6), Groups)
    assert isinstance(group_size_of(Groups([2, 2, 2], weights="sqrt"), 6), Groups)
