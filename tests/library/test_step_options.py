"""What a training step may do besides the step: orthonormal groups, and a rate that decays."""

import math

import pytest
import torch

from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData, FreshData
from groupsparse.dictionary import (
    blocks,
    normalize_columns,
    orthonormalize_groups,
    perturb,
    retract_groups,
    tangent,
)
from groupsparse.generative import random_dictionary, sample
from groupsparse.recovery import invariant_squared_error
from groupsparse.training import train
from groupsparse.untied import UntiedAutoencoder

N, GROUPS, D = 20, 8, 2
MODEL = {"group_size": D, "active_groups": 1, "amplitude": (4.0, 5.0), "samples": 96}
TRUTH = random_dictionary(N, GROUPS * D, 0)
DATA = sample(TRUTH, generator=1, std=0.2, **MODEL).data


def network(start=None):
    return Autoencoder(perturb(TRUTH, 0.7, 2) if start is None else start, "group_soft", 1.0, D)


def rates(epochs, checkpoint=None):
    """The learning rate of every epoch that runs, read off the steps: SGD moves by lr times g."""
    model, seen = network(), []
    before = [model.dictionary.detach().clone()]

    def follow(_, model):
        step = before[0] - model.dictionary.detach()
        seen.append(float(step.norm() / model.dictionary.grad.norm()))
        before[0] = model.dictionary.detach().clone()

    train(
        model, FixedData(DATA, [0]), epochs=epochs, lr=0.1, optimizer="sgd", decay="cosine",
        callback=follow, checkpoint=checkpoint, checkpoint_every=1,
    )  # fmt: skip
    return seen


@pytest.mark.parametrize("start", [1.0, 1e-6, 1e6])
def test_a_retraction_is_orthonormal_and_keeps_the_span(start):
    dictionary = start * random_dictionary(N, GROUPS * D, 3).double()
    groups = blocks(retract_groups(dictionary, D), D)
    identity = torch.eye(D, dtype=torch.float64).expand(GROUPS, D, D)
    torch.testing.assert_close(groups.mT @ groups, identity, rtol=0, atol=1e-14)
    for q, a in zip(groups, blocks(dictionary, D), strict=True):
        torch.testing.assert_close(q @ (q.mT @ a), a)


@pytest.mark.parametrize("sign", [1, -1])  # Householder's choice depends on the first entries
def test_a_small_step_is_retracted_to_a_small_step(sign):
    base = sign * orthonormalize_groups(random_dictionary(N, GROUPS * D, 3).double(), D)
    direction = torch.randn(base.shape, generator=torch.Generator().manual_seed(0)).double()
    for step in (0.0, 1e-6, 1e-3):
        moved = retract_groups(base + step * direction, D)
        # Householder's R may have a negative diagonal, which would flip an atom: a move of 2.
        # Q differs from A by the upper triangle of A^T E and its lower triangle twice at most,
        # to first order: less than 3 ||E|| in all.
        assert (moved - base).norm() <= 3 * step * direction.norm() + 1e-13


def test_a_retraction_to_first_order_is_the_step_within_the_manifold():
    base = orthonormalize_groups(random_dictionary(N, GROUPS * D, 3).double(), D)
    noise = torch.randn(base.shape, generator=torch.Generator().manual_seed(0)).double()
    a, e = blocks(base, D), blocks(noise, D)
    inside = e - a @ ((a.mT @ e + e.mT @ a) / 2)  # a tangent: A^T E is skew
    step = 1e-4
    moved = blocks(retract_groups(base + step * torch.cat(list(inside), -1), D), D)
    torch.testing.assert_close(moved, a + step * inside, rtol=0, atol=20 * step**2)


def test_a_group_with_more_atoms_than_dimensions_cannot_be_retracted():
    with pytest.raises(ValueError, match="3 atoms of a group cannot be orthonormal in 2 dim"):
        retract_groups(torch.ones(2, 6), 3)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_groups_are_orthonormal_after_every_step(optimizer):
    seen = []
    model = network()
    train(
        model, FixedData(DATA, [0], 32), epochs=3, lr=0.05, optimizer=optimizer,
        normalize="orthonormal", callback=lambda _, m: seen.append(m.dictionary.detach().clone()),
    )  # fmt: skip
    for dictionary in seen:
        groups = blocks(dictionary, D)
        expected = torch.eye(D).expand(GROUPS, D, D)
        torch.testing.assert_close(groups.mT @ groups, expected, rtol=0, atol=1e-6)
    unit = network()
    train(unit, FixedData(DATA, [0], 32), epochs=3, lr=0.05, optimizer=optimizer, normalize=True)
    torch.testing.assert_close(unit.dictionary, normalize_columns(unit.dictionary))
    assert not torch.allclose(unit.dictionary, model.dictionary)


def test_a_step_with_orthonormal_groups_is_along_the_tangent_and_then_retracted():
    start = orthonormalize_groups(perturb(TRUTH, 0.7, 2).double(), D)
    model, held = network(start), network(start)
    model.loss(DATA.double()).backward()
    expected = []
    for a, g in zip(blocks(start, D), blocks(model.dictionary.grad, D), strict=True):
        moved = a - 0.01 * (g - a @ (a.T @ g + g.T @ a) / 2)
        q, r = torch.linalg.qr(moved)
        expected.append(q * r.diagonal().sign())
    train(
        held, FixedData(DATA, [0]), epochs=1, lr=0.01, optimizer="sgd", normalize="orthonormal"
    )  # fmt: skip
    # The same sums in another order, of numbers below 10.
    torch.testing.assert_close(
        held.dictionary.detach(), torch.cat(expected, -1), atol=1e-12, rtol=0
    )


def test_a_tangent_keeps_groups_orthonormal_to_first_order_and_leaves_out_the_rest():
    base = orthonormalize_groups(random_dictionary(N, GROUPS * D, 3).double(), D)
    gradient = torch.randn(base.shape, generator=torch.Generator().manual_seed(0)).double()
    along = tangent(base, gradient, D)
    a, t = blocks(base, D), blocks(along, D)
    torch.testing.assert_close(a.mT @ t, -(t.mT @ a), atol=1e-14, rtol=0)
    torch.testing.assert_close(tangent(base, along, D), along, atol=1e-14, rtol=0)
    # What is left out stretches and shears: A S with S symmetric.
    assert float(((gradient - along) * along).sum()) == pytest.approx(0, abs=1e-11)
    symmetric = torch.tensor([[2.0, 1.0], [1.0, -3.0]], dtype=torch.float64)
    stretched = torch.cat(list(blocks(base, D) @ symmetric), -1)
    torch.testing.assert_close(
        tangent(base, stretched, D), torch.zeros_like(base), atol=1e-14, rtol=0
    )


def test_a_tangent_keeps_what_turns_a_group_inside_its_span():
    base = orthonormalize_groups(random_dictionary(N, GROUPS * D, 3).double(), D)
    skew = torch.tensor([[0.0, 2.0], [-2.0, 0.0]], dtype=torch.float64)
    turned = torch.cat(list(blocks(base, D) @ skew), -1)
    torch.testing.assert_close(tangent(base, turned, D), turned, atol=1e-14, rtol=0)


def test_shrunk_codes_do_not_turn_orthonormal_groups_away_from_the_truth():
    truth = orthonormalize_groups(random_dictionary(100, GROUPS * D, 0), D)
    data = sample(truth, generator=1, std=0.0, **MODEL).data
    model = Autoencoder(truth, "group_soft", 2.0, D)
    train(model, FixedData(data, [0]), epochs=60, lr=0.01, normalize="orthonormal")
    # Without the tangent Adam leaves with 0.01 an epoch in every entry along sign(A).
    assert invariant_squared_error(model.dictionary.detach(), truth, D) < 0.05


@pytest.mark.parametrize("value", ["unit", "Orthonormal", None, 2])
def test_another_normalization_is_refused(value):
    with pytest.raises(ValueError, match=r"unknown normalize .*known are False, True, 'orthonor"):
        train(network(), FixedData(DATA, [0]), epochs=1, normalize=value)


@pytest.mark.parametrize("value", ["linear", True, 0.5])
def test_another_decay_is_refused(value):
    with pytest.raises(ValueError, match=r"unknown decay .*known are None, 'cosine'"):
        train(network(), FixedData(DATA, [0]), epochs=1, decay=value)


@pytest.mark.parametrize("epochs", [1, 2, 7])
def test_the_rate_falls_as_a_cosine_from_lr_towards_zero(epochs):
    expected = [0.05 * (1 + math.cos(math.pi * e / epochs)) for e in range(epochs)]
    # The step is read off float32 entries, which round by 6e-8 of their size: the smallest step of
    # these, 0.005 of the gradient, is seen to 1 %.
    assert rates(epochs) == pytest.approx(expected, rel=1e-2)


def test_a_resumed_training_goes_on_with_the_rate_of_its_epoch(tmp_path):
    class Interrupted(Exception):
        pass

    class Batches(FixedData):
        def __call__(self, epoch):
            if epoch == 5:
                raise Interrupted
            return super().__call__(epoch)

    model = network()
    options = {"epochs": 7, "lr": 0.1, "optimizer": "sgd", "decay": "cosine"}
    options |= {"checkpoint": tmp_path / "checkpoint", "checkpoint_every": 1}
    with pytest.raises(Interrupted):
        train(model, Batches(DATA, [0]), **options)
    assert rates(7, checkpoint=tmp_path / "checkpoint")[1:] == pytest.approx(rates(7)[5:], rel=1e-2)


def test_a_checkpoint_for_another_number_of_epochs_starts_over_and_says_so(tmp_path, caplog):
    model, longer = network(), network()
    options = {"lr": 0.1, "optimizer": "sgd", "decay": "cosine"}
    train(model, FixedData(DATA, [0]), epochs=3, checkpoint=tmp_path / "c", **options)
    train(longer, FixedData(DATA, [0]), epochs=6, checkpoint=tmp_path / "c", **options)
    assert "starting over" in caplog.text
    assert "made with epochs of decay 3, this run has 6" in caplog.text
    alone = network()
    train(alone, FixedData(DATA, [0]), epochs=6, **options)
    assert torch.equal(longer.dictionary, alone.dictionary)


def test_an_optimizer_of_ones_own_decays_from_its_own_rates():
    model = network()
    own = torch.optim.SGD([model.dictionary], lr=0.02)
    for _ in range(2):  # a second training begins at 0.02 again
        train(model, FixedData(DATA, [0]), epochs=2, optimizer=own, decay="cosine")
        assert own.param_groups[0]["lr"] == pytest.approx(0.01)


def test_a_rate_that_is_set_between_two_trainings_is_decayed():
    model, seen = network(), []
    own = torch.optim.SGD([model.dictionary], lr=0.02)
    options = {"optimizer": own, "decay": "cosine"}
    for _ in range(2):
        train(
            model, FixedData(DATA, [0]), epochs=2, **options,
            callback=lambda *_: seen.append(own.param_groups[0]["lr"]),
        )  # fmt: skip
        own.param_groups[0]["lr"] = 0.08
    assert seen == pytest.approx([0.02, 0.01, 0.08, 0.04])


def untied():
    return UntiedAutoencoder(perturb(TRUTH, 0.7, 2), "group_soft", 1.0, D)


def groups_of(model, **options):
    rest = {"params": [model.weight, model.bias], "lr": 0.1, **options}
    return torch.optim.SGD([{"params": [model.dictionary]}, rest], lr=0.02)


@pytest.mark.parametrize("change", [{"lr": 0.2}, {"momentum": 0.9}])
def test_a_checkpoint_of_other_settings_of_a_group_is_not_used(tmp_path, caplog, change):
    checkpoint, data = tmp_path / "checkpoint", FixedData(DATA, [0])
    one, other, alone = untied(), untied(), untied()
    train(one, data, epochs=2, optimizer=groups_of(one), checkpoint=checkpoint)
    changed = {"epochs": 2, "optimizer": groups_of(other, **change)}
    train(other, data, checkpoint=checkpoint, **changed)
    assert f"it was made with {next(iter(change))} 0" in caplog.text
    train(alone, data, epochs=2, optimizer=groups_of(alone, **change))
    assert torch.equal(other.weight, alone.weight)
    assert not torch.equal(other.weight, one.weight)


def test_a_checkpoint_of_other_trained_parameters_is_not_used(tmp_path, caplog):
    checkpoint, data = tmp_path / "checkpoint", FixedData(DATA, [0])
    train(untied(), data, epochs=2, checkpoint=checkpoint)
    model = untied()
    model.bias.requires_grad_(False)
    train(model, data, epochs=3, checkpoint=checkpoint)
    assert "starting over" in caplog.text
    assert not model.bias.any()


@pytest.mark.parametrize("decay", [None, "cosine"])
def test_an_optimizer_of_ones_own_goes_on_whatever_rate_it_has_come_to(tmp_path, caplog, decay):
    options = {"epochs": 4, "decay": decay, "checkpoint": tmp_path / "checkpoint"}
    model, epochs = network(), []
    own = torch.optim.SGD([model.dictionary], lr=0.02)
    schedule = torch.optim.lr_scheduler.ExponentialLR(own, 0.5) if decay is None else None

    def follow(epoch, _):
        epochs.append(epoch)
        if schedule:
            schedule.step()

    for _ in range(2):
        train(model, FixedData(DATA, [0]), optimizer=own, callback=follow, **options)
    assert epochs == [1, 2, 3, 4]
    assert not caplog.text


def test_an_optimizer_without_a_rate_cannot_decay():
    class Still(torch.optim.Optimizer):
        def step(self, closure):
            closure()

    with pytest.raises(ValueError, match="decay needs an optimizer with a learning rate"):
        train(
            network(), FixedData(DATA, [0]), epochs=1, decay="cosine",
            optimizer=lambda parameters: Still(parameters, {}),
        )  # fmt: skip


def test_the_jitter_of_fresh_samples_fades_as_the_rate_decays():
    truth, errors = random_dictionary(100, GROUPS * D, 0).unsqueeze(0), {}
    for decay in (None, "cosine"):
        batches = FreshData(truth, [0.3], [0], **MODEL)
        model = Autoencoder(perturb(truth, 0.9, 2), "group_soft", 2.0, D)
        train(model, batches, epochs=100, lr=0.02, decay=decay)
        errors[decay] = invariant_squared_error(model.dictionary[0].detach(), truth[0], D)
    assert errors["cosine"] < errors[None] / 3
