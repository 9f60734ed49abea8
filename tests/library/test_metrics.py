"""Metrics of codes and dictionaries: exact cases, invariances, and shapes that do not fit."""

import math

import pytest
import torch

import groupsparse as gs


def inputs(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_explained_variance_is_that_of_regression():
    y = inputs(50, 4) + 3
    assert gs.explained_variance(y, y) == 1
    assert gs.explained_variance(y, y.mean(0).expand_as(y)) == pytest.approx(0, abs=1e-12)
    assert gs.explained_variance(y, torch.zeros_like(y)) < 0
    half = y.mean(0) + (y - y.mean(0)) / 2
    assert gs.explained_variance(y, half) == pytest.approx(0.75)
    same = torch.ones(3, 2)
    assert gs.explained_variance(same, same) == 1
    assert gs.explained_variance(same, 0 * same) == -math.inf


def test_least_squares_codes_have_no_bias_and_soft_ones_have():
    a, y = inputs(6, 8), inputs(100, 6, seed=1)
    support = gs.select_groups(y, a, 2, active_groups=2)
    exact = gs.refit_codes(y, a, support, 2) @ a.mT
    assert gs.relative_bias(y, exact) == pytest.approx(1, abs=1e-9)
    assert gs.relative_bias(y, 0.7 * exact) == pytest.approx(0.7, abs=1e-9)
    assert math.isnan(gs.relative_bias(y, 0 * exact))
    # It is the scale that would mend the reconstruction best.
    scales = torch.linspace(0.5, 2, 151, dtype=torch.float64)
    errors = torch.stack([(y - 0.7 * exact / s).square().sum() for s in scales])
    assert float(scales[errors.argmin()]) == pytest.approx(0.7, abs=0.01)


def test_rates_count_samples_with_any_atom_of_the_group():
    codes = torch.zeros(10, 6)
    codes[:4, 1] = 1
    codes[2:5, 0] = -1
    codes[0, 4] = 1e-30
    rates = gs.firing_rates(codes, 2)
    assert torch.allclose(rates, torch.tensor([0.5, 0.0, 0.1]))
    assert gs.active_per_sample(codes, 2) == pytest.approx(0.6)
    assert gs.dead_groups(codes, 2).tolist() == [1]
    assert gs.dead_groups(codes, 2, least=0.1).tolist() == [1, 2]


def test_the_effective_rank_is_between_one_and_the_size_and_does_not_know_the_basis():
    values = inputs(20_000, 3)
    turn = torch.linalg.qr(inputs(3, 3, seed=1)).Q
    ranks = [float(gs.effective_ranks(x, 3)) for x in (values, 5 * values @ turn)]
    assert ranks == pytest.approx([3, 3], abs=0.01)
    flat = values[:, :1] * torch.tensor([1.0, 2.0, -1.0])
    assert float(gs.effective_ranks(flat, 3)) == pytest.approx(1)
    assert gs.effective_ranks(torch.zeros(4, 6), 3).isnan().all()
    two = values * torch.tensor([1.0, 1.0, 0.0])
    assert float(gs.effective_ranks(two, 3)) == pytest.approx(2, abs=0.01)


def test_max_cosines_find_copies():
    a = inputs(30, 6)
    assert gs.max_cosines(a).max() < 0.9
    twice = torch.cat([a, -3 * a[:, :1]], -1)
    assert torch.allclose(gs.max_cosines(twice)[[0, 6]], torch.ones(2, dtype=a.dtype))
    assert torch.allclose(gs.max_cosines(a, a[:, [3, 1, 2, 0, 5, 4]]), torch.ones(6).double())
    assert gs.max_cosines(a, a[:, :2])[2:].max() < 0.9


def test_stability_does_not_know_order_and_basis_and_has_its_chance_level():
    a = gs.orthonormalize_groups(inputs(200, 20), 2)
    blocks = a.view(200, 10, 2)[:, torch.randperm(10, generator=torch.Generator().manual_seed(0))]
    turned = (blocks @ torch.linalg.qr(inputs(2, 2)).Q).reshape(200, 20)
    assert gs.stability([a, turned, a], 2) == pytest.approx(1)
    others = [inputs(200, 20, seed=s) for s in range(3)]
    # Matched, so a little above d / n.
    assert 0.01 < gs.stability(others, 2) < 0.05
    assert gs.stability([a, turned, others[1]], 2) == pytest.approx(1 / 3, abs=0.05)
    with pytest.raises(ValueError, match="at least two"):
        gs.stability([a], 2)


def test_what_does_not_fit_is_named():
    for call, said in (
        (lambda: gs.explained_variance(inputs(3, 2), inputs(3, 3)), "one shape"),
        (lambda: gs.relative_bias(inputs(3), inputs(3)), "one shape"),
        (lambda: gs.firing_rates(inputs(3), 1), r"codes must have shape \(N, m\)"),
        (lambda: gs.active_per_sample(inputs(2, 5), 2), "does not divide"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


def test_iterated_batches_are_flattened_in_any_precision_and_count_their_epochs():
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(inputs(10, 3, 4).bfloat16()), batch_size=4
    )
    data = gs.IterableData(loader)
    for epoch in (1, 2):
        assert [tuple(b.shape) for b in data(epoch)] == [(12, 4), (12, 4), (6, 4)]
    assert next(iter(gs.IterableData([{"x": inputs(2, 4)}], key="x")(1))).shape == (2, 4)
    by_epoch = gs.IterableData(lambda epoch: iter([inputs(epoch, 4)]))
    assert [len(next(iter(by_epoch(e)))) for e in (1, 3)] == [1, 3]
    once = gs.IterableData(b for b in [inputs(2, 4)])
    assert len(list(once(1))) == 1
    with pytest.raises(ValueError, match="only once"):
        list(once(2))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_model_trains_on_a_stream_of_half_precision(dtype):
    truth = gs.orthonormalize_groups(gs.random_dictionary(20, 16, generator=0), 2)
    made = gs.sample(truth, 2, 2, (4.0, 5.0), samples=2000, generator=1, snr_db=20.0).data
    start = gs.perturb(truth, correlation=0.8, generator=2)
    model = gs.UntiedAutoencoder(start, "group_top_k(2)", 0.0, 2, center=made.mean(0))
    batches = gs.IterableData(lambda epoch: made.to(dtype).view(-1, 50, 20).split(4))
    history = gs.train(model, batches, epochs=5, lr=3e-3, normalize=True)
    assert history["loss"][-1] < history["loss"][1] / 2
    assert model.dictionary.dtype == torch.float32


def test_noise_is_active_at_the_rate_that_was_asked():
    noise = 0.5 * inputs(200_000, 12)
    for rate in (0.2, 0.01):
        t = gs.noise_threshold(rate, 4, std=0.5)
        share = float((gs.group_norms(noise, 4) > t).double().mean())
        # 600,000 groups: three standard deviations.
        assert share == pytest.approx(rate, abs=3 * math.sqrt(rate / 6e5))
    for wrong in ((0.0, 4, 1.0), (1.0, 4, 1.0), (0.1, 4, 0.0)):
        with pytest.raises(ValueError, match="rate must be in"):
            gs.noise_threshold(*wrong)


def test_a_source_is_iterated_once_an_epoch():
    class Source:
        draws = 0

        def __iter__(self):
            self.draws += 1
            return iter([inputs(2, 4)])

    data = gs.IterableData(source := Source())
    for epoch in (1, 2):
        assert len(list(data(epoch))) == 1
        assert source.draws == epoch


@pytest.mark.parametrize("key", [None, "z"])
def test_a_mapping_without_the_key_is_refused_by_what_it_has(key):
    data = gs.IterableData([{"x": inputs(2, 4), "y": 0}], key)
    with pytest.raises(ValueError, match="a mapping of 'x', 'y': give key="):
        next(data(1))
