"""Activations that keep a number of groups, in a sample or in a batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import groupsparse as gs
from groupsparse.groups import active, group_norms
from groupsparse.topk import BatchGroupTopK, GroupTopK, activation_of

D, GROUPS = 2, 6
often = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def inputs(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, GROUPS * D, generator=draw, dtype=torch.float64)


@often
@given(k=st.integers(1, GROUPS + 2), seed=st.integers(0, 10**6))
def test_every_sample_keeps_its_k_largest_groups_as_they_are(k, seed):
    v = inputs(3, 5, seed=seed)
    x = GroupTopK(k)(v, 0.0, D)
    used = active(x, D)
    assert (used.sum(-1) == min(k, GROUPS)).all()
    assert torch.equal(x[x != 0], v[x != 0])
    norms = group_norms(v, D)
    least = norms.masked_fill(~used, torch.inf).amin(-1)
    assert (norms.masked_fill(used, 0).amax(-1) <= least).all()


@often
@given(k=st.integers(1, GROUPS), seed=st.integers(0, 10**6))
def test_top_k_is_the_projection_on_its_value(k, seed):
    v = inputs(seed=seed)
    rule = GroupTopK(k)
    x = rule(v, 0.0, D)
    assert rule.value(x, 0.0, D) == 0
    # A point with at most k groups that are not zero is nearest if it has those of v.
    for choice in torch.combinations(torch.arange(GROUPS), k):
        other = torch.zeros(GROUPS, D, dtype=v.dtype)
        other[choice] = v.view(GROUPS, D)[choice]
        assert (x - v).norm() <= (other.flatten() - v).norm() + 1e-12
    if k < GROUPS:
        assert rule.value(v, 0.0, D) == torch.inf


def test_a_batch_keeps_k_groups_a_sample_on_average_whoever_has_them():
    v = inputs(4, 50)
    v[:, :10] *= 10
    x = BatchGroupTopK(1.5)(v, 0.0, D)
    used = active(x, D)
    assert (used.sum((-2, -1)) == 75).all(), "in every replicate"
    assert used[:, :10].double().mean() > 3 * used[:, 10:].double().mean()
    norms = group_norms(v, D)
    assert (
        norms[~used].view(4, -1).amax(-1) <= norms.masked_fill(~used, torch.inf).amin((-2, -1))
    ).all()
    alone = torch.stack([BatchGroupTopK(1.5)(one, 0.0, D) for one in v])
    assert torch.equal(x, alone)


def test_with_a_level_a_sample_does_not_depend_on_its_batch():
    v = inputs(20)
    rule = BatchGroupTopK(1.0, level=1.7)
    together = rule(v, 0.0, D)
    assert torch.equal(together, torch.cat([rule(one.unsqueeze(0), 0.0, D) for one in v]))
    assert torch.equal(active(together, D), group_norms(v, D) > 1.7)


@pytest.mark.parametrize("rule", [GroupTopK(4), BatchGroupTopK(4.0), BatchGroupTopK(4.0, 0.1)])
def test_a_threshold_removes_groups_besides(rule):
    v = inputs(30)
    used = active(rule(v, 1.5, D), D)
    assert torch.equal(used, active(rule(v, 0.0, D), D) & (group_norms(v, D) > 1.5))


@pytest.mark.parametrize("rule", [GroupTopK(2), BatchGroupTopK(2.0)])
def test_the_gradient_passes_what_is_kept_unchanged(rule):
    v = inputs(5).requires_grad_()
    x = rule(v, 0.0, D)
    weights = inputs(5, seed=1)
    (x * weights).sum().backward()
    assert torch.equal(v.grad, weights * (x != 0))


@pytest.mark.parametrize(
    "rule",
    [
        GroupTopK(3),
        BatchGroupTopK(1.5),
        BatchGroupTopK(2.0, 0.123456789012345),
        BatchGroupTopK(1234567),
        BatchGroupTopK(1 / 3),
        BatchGroupTopK(np.float64(0.1), np.float64(0.3)),
    ],
)
def test_a_name_says_it_all(rule):
    assert activation_of(str(rule)) == rule
    assert activation_of(rule) is rule


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("group_top_k(0)", "k must be"),
        ("group_top_k(1.5)", "invalid literal"),
        ("batch_group_top_k(-1)", "k must be a finite number above 0"),
        ("batch_group_top_k(1, -2)", "level"),
        ("group_top_k", "unknown prox"),
        ("group_top_k(1, 2)", "unknown prox"),
        ("top_k(1)", "known are group_soft"),
    ],
)
def test_a_wrong_name_is_refused(name, said):
    with pytest.raises((ValueError, TypeError), match=said):
        gs.Autoencoder(torch.eye(4), name, 0.0, 2)


@pytest.mark.parametrize("encoder", ["shallow", "fista"])
def test_a_network_learns_with_them_is_calibrated_and_saved(encoder, tmp_path):
    truth = gs.orthonormalize_groups(gs.random_dictionary(20, 16, generator=0), 2)
    data = gs.sample(truth, 2, 2, (4.0, 5.0), samples=400, generator=1, snr_db=20.0).data
    start = gs.perturb(truth, correlation=0.8, generator=2)
    for prox in ("group_top_k(2)", BatchGroupTopK(2)):
        model = gs.Autoencoder(start, prox, 0.0, 2, encoder, layers=5)
        options = {"epochs": 150, "lr": 3e-3, "normalize": True}
        gs.train(model, gs.FixedData(data, batch_size=100), **options)
        before, after = (
            gs.invariant_squared_error(a.detach(), truth, 2) for a in (start, model.dictionary)
        )
        assert after < before / 2
    level = gs.calibrate(model, data)
    used = active(model.encode(data), 2).sum(-1)
    assert used.double().mean() == pytest.approx(2, abs=0.05)
    alone = torch.cat([model.encode(one) for one in data[:20].split(1)])
    assert torch.allclose(alone, model.encode(data)[:20], atol=1e-5)
    model.save(tmp_path)
    again = gs.Autoencoder.load(tmp_path)
    assert again.activation == BatchGroupTopK(2.0, level)
    assert torch.equal(again.encode(data), model.encode(data))


@pytest.mark.parametrize(
    ("encoder", "refit"), [("shallow", False), ("shallow", True), ("ista", False)]
)
@pytest.mark.parametrize("k", [0.3, 2, 20])
def test_the_level_is_the_least_that_keeps_no_more_than_k(encoder, refit, k):
    dictionary = torch.randn(
        13, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    data = torch.randn(40, 13, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    model = gs.Autoencoder(dictionary, BatchGroupTopK(k), 0.1, D, encoder, refit=refit)
    level = gs.calibrate(model, data)
    assert model.activation == BatchGroupTopK(k, level)
    assert gs.active_per_sample(model.encode(data).detach(), D) <= k
    if level > 1e-6:
        model.prox = BatchGroupTopK(k, level * (1 - 1e-6))
        assert gs.active_per_sample(model.encode(data).detach(), D) > k


def test_a_calibration_that_fails_leaves_the_model_as_it_was():
    model = gs.Autoencoder(torch.eye(4), "batch_group_top_k(1)", 0.0, 2)
    with pytest.raises(ValueError, match="NaN"):
        gs.calibrate(model, torch.full((3, 4), torch.nan))
    assert model.prox == "batch_group_top_k(1)"


def test_only_a_batch_rule_is_calibrated():
    model = gs.Autoencoder(torch.eye(4), "group_top_k(1)", 0.0, 2)
    with pytest.raises(TypeError, match="only batch_group_top_k has a level, not 'group_top_k"):
        gs.calibrate(model, torch.eye(4))


def test_the_test_of_groups_and_lambda_max_take_them_too():
    v = inputs(10).float()
    used = gs.select_groups(v, torch.eye(12), D, lambda_=0.0, prox="group_top_k(2)")
    assert (used.sum(-1) == 2).all()
    largest = group_norms(v, D).max()
    assert float(gs.lambda_max(v, torch.eye(12), "group_top_k(2)", D)) == pytest.approx(largest)


def test_a_registered_activation_is_told_by_its_program_and_not_by_its_place(monkeypatch):
    from groupsparse import prox
    from groupsparse.checkpoints import program

    monkeypatch.setattr(prox, "PROX", dict(prox.PROX))

    def registered(name, factor):
        def mine(v, threshold, group_size):
            return factor * v * (v.abs() > threshold)

        return prox.activation(name, grouped=True, convex=False)(mine)

    one, same, other = (registered(f"mine{i}", factor) for i, factor in enumerate((1, 1, 2)))
    assert program(one) == program(same), "another process must find the same"
    assert program(one) != program(other)
    assert "0x" not in str(program(one))
    assert program(prox.PROX["group_soft"]) is None


def test_a_function_of_the_users_is_named_by_its_import_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "def mine(v, threshold, group_size):\n    return v * 0.5\n"
    (tmp_path / "my_activations.py").write_text(code)
    path = "my_activations:mine"
    model = gs.Autoencoder(torch.eye(4), path, 1.0, 2)
    assert torch.equal(model.encode(torch.ones(1, 4)), torch.full((1, 4), 0.5))
    for wrong, reason in (
        ("nowhere:mine", "ModuleNotFoundError"), ("my_activations:yours", "AttributeError"),
        ("math:pi", "no function"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=reason):
            gs.Autoencoder(torch.eye(4), wrong, 1.0, 2)
    model.save(tmp_path / "model")
    with pytest.raises(ValueError, match="give it as load"):
        gs.Autoencoder.load(tmp_path / "model")  # a file from elsewhere chooses no import
    assert gs.Autoencoder(torch.eye(4), "torch:relu", 1.0, 2).prox == "torch:relu", "no attributes"
    loaded = gs.Autoencoder.load(tmp_path / "model", prox=path)
    assert torch.equal(loaded.encode(torch.ones(1, 4)), torch.full((1, 4), 0.5))
