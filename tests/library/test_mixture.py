"""Mixtures: energies, probabilities, gradients, missing entries, training and files."""

import pytest
import torch

import groupsparse as gs
from groupsparse import encoder
from groupsparse.autoencoder import encode_in_batches
from groupsparse.dictionary import normalize_columns, squared_spectral_norm
from groupsparse.mixture import OBJECTIVES, Mixture
from groupsparse.prox import PROX

CONVEX = [name for name, prox in PROX.items() if prox.penalty]
D = 2


def problem(components=3, n=7, m=6, samples=9, seed=0, scale=1.0, replicates=()):
    """Float64 data (..., samples, n) and unit-norm dictionaries (..., components, n, m)."""
    noise = torch.Generator().manual_seed(seed)
    a = torch.randn(*replicates, components, n, m, generator=noise, dtype=torch.float64)
    y = scale * torch.randn(*replicates, samples, n, generator=noise, dtype=torch.float64)
    return y, normalize_columns(a)


def with_holes(y, share=0.3, seed=1):
    holes = torch.rand(y.shape, generator=torch.Generator().manual_seed(seed)) < share
    return y.masked_fill(holes, torch.nan)


def by_definition(y, model):
    """Energies (N, K) one component and one sample at a time, each on what was observed of it."""
    energies = torch.empty(len(y), len(model.dictionary), dtype=y.dtype)
    for k, a in enumerate(model.dictionary.detach()):
        step = squared_spectral_norm(a)
        for i, sample in enumerate(y):
            seen = ~sample.isnan()
            x = encoder.unfolded(
                sample[seen].unsqueeze(0), a[seen], model.activation, model.lambda_,
                model.group_size, model.layers, model.encoder == "fista", step,
            )[0]  # fmt: skip
            fit = (sample[seen] - a[seen] @ x).square().sum()
            groups = x.view(-1, model.group_size if model.activation.grouped else 1)
            energies[i, k] = model.weight * fit + model.lambda_ * groups.norm(dim=1).sum()
    return energies


@pytest.mark.parametrize("weight", [0.5, 1.0])
@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("kind", ["ista", "fista"])
@pytest.mark.parametrize("name", CONVEX)
def test_energies_are_those_of_the_entries_that_were_observed(name, kind, holes, weight):
    y, a = problem()
    y = with_holes(y) if holes else y
    model = Mixture(a, name, 0.3, D, kind, layers=6, weight=weight)
    # Gram matrices here, residuals there: float64 rounding over 6 layers.
    assert torch.allclose(model.energies(y), by_definition(y, model), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CONVEX)
def test_a_mask_of_ones_changes_nothing(name):
    y, a = problem()
    arguments = y, a, PROX[name], 0.3, D, 7
    codes = encoder.unfolded(*arguments)
    assert torch.allclose(encoder.unfolded(*arguments, mask=torch.ones_like(y)), codes, atol=1e-13)


@pytest.mark.parametrize("segment", [1, 3, 16])
@pytest.mark.parametrize("backprop", [None, 2])
def test_gradients_through_masked_layers_are_those_of_autograd(monkeypatch, segment, backprop):
    monkeypatch.setattr(encoder, "SEGMENT", segment)
    y, a = problem()
    mask = (~with_holes(y[0]).isnan()).to(y)
    lipschitz, gradients = squared_spectral_norm(a), []
    for by_hand in (False, True):
        variable = a.clone().requires_grad_()
        if by_hand:
            step = 1 / lipschitz[:, None, None]
            x = before = torch.zeros(3, 9, 6, dtype=y.dtype)
            t = 1.0
            for layer in range(7):
                if layer == 7 - (backprop or 7):
                    x, before = x.detach(), before.detach()
                t, t_old = ((1 + (1 + 4 * t * t) ** 0.5) / 2, t) if layer else (t, t)
                w = x + (t_old - 1) / t * (x - before)
                v = w + step * ((mask * (y - w @ variable.mT)) @ variable)
                before, x = x, PROX["soft"](v, 0.3 * step)
        else:
            x = encoder.unfolded(
                y, variable, PROX["soft"], 0.3, 1, 7,
                lipschitz=lipschitz, mask=mask, backprop=backprop,
            )  # fmt: skip
        gradients += torch.autograd.grad(x.square().sum(), variable)
    assert torch.allclose(*gradients, rtol=0, atol=1e-11)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("name", ["soft", "group_soft"])
@pytest.mark.parametrize("objective", ["expected", "likelihood"])
def test_gradients_of_the_loss_are_exact(monkeypatch, objective, name, holes):
    y, a = problem(samples=4)
    y = with_holes(y) if holes else y
    lipschitz = squared_spectral_norm(a)
    monkeypatch.setattr(
        "groupsparse.autoencoder.squared_spectral_norm", lambda *_: lipschitz
    )  # the step is not differentiated
    options = {"objective": objective, "temperature": 0.7, "weight": 1.0, "learn_bias": True}
    model = Mixture(a, name, 0.2, D, layers=5, bias=[0.1, -0.2, 0.3], **options)

    def loss(dictionary, bias):
        parameters = {"dictionary": dictionary, "bias": bias}
        return torch.func.functional_call(model, parameters, (y,), {"loss": True})

    monkeypatch.setattr(Mixture, "forward", lambda self, data, loss: self.loss(data))
    parameters = a.clone().requires_grad_(), model.bias.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(loss, parameters)


def test_em_has_the_gradient_of_the_likelihood_and_bounds_it():
    """Jensen: sum p E - T H(p) - T sum p log pi is at least the free energy, equal at its p."""
    y, a = problem(scale=0.5)
    options = {"layers": 8, "temperature": 2.0, "bias": [0.3, 0.0, -0.5], "learn_bias": True}
    gradients, losses = [], []
    for objective in ("em", "likelihood"):
        model = Mixture(a, "soft", 0.2, objective=objective, **options)
        losses.append(model.loss(y))
        gradients.append(torch.autograd.grad(losses[-1], (model.dictionary, model.bias)))
    # The probabilities are softmax(-E / T + log pi), so dF/dE_k = p_k whatever T is.
    for em, likelihood in zip(*gradients, strict=True):
        assert torch.allclose(em, likelihood, rtol=0, atol=1e-12)
    assert gradients[0][1].abs().max() > 0.01, "the priors are learnt too"
    chosen = model.predict_proba(y)
    entropy = -(chosen * chosen.log()).sum(1).mean()
    assert torch.allclose(losses[0] - 2 * entropy, losses[1], atol=1e-12)


def test_the_expected_energy_pushes_away_what_costs_more_than_the_mean_and_t():
    """dL/dE_k = p_k (1 + (Ebar - E_k) / T), by hand."""
    y, a = problem(scale=0.7)
    found = {}
    for objective in ("expected", "em"):
        model = Mixture(a, "soft", 0.2, layers=8, objective=objective)
        (found[objective],) = torch.autograd.grad(model.loss(y), model.dictionary)
    energies = model.energies(y)
    p = model.predict_proba(y)
    slope = p * (1 + (p * energies.detach()).sum(1, keepdim=True) - energies.detach())
    (by_hand,) = torch.autograd.grad((slope * energies).sum() / len(y), model.dictionary)
    assert torch.allclose(found["expected"], by_hand, rtol=0, atol=1e-12)
    assert not torch.allclose(found["em"], by_hand, atol=1e-3)


def test_probabilities_follow_the_priors_and_the_temperature():
    y, a = problem(components=2)
    energies = Mixture(a, "soft", 0.2).energies(y)
    for bias, temperature in (([0.0, 0.0], 1.0), ([3.0, 1.0], 1.0), ([0.0, 1.0], 5.0)):
        model = Mixture(a, "soft", 0.2, bias=bias, temperature=temperature)
        odds = (energies[:, 1] - energies[:, 0]) / temperature + bias[0] - bias[1]
        assert torch.allclose(model.predict_proba(y)[:, 0], odds.sigmoid(), atol=1e-12)
        assert torch.equal(model.predict(y), (odds < 0).long())


def test_replicates_are_independent_mixtures():
    y, a = problem(replicates=(2,))
    both = Mixture(a, "group_soft", 0.2, D)
    single = [Mixture(part, "group_soft", 0.2, D) for part in a]
    for method in ("encode", "energies", "predict_proba", "predict", "reconstruct", "loss"):
        together = getattr(both, method)(y)
        apart = torch.stack([getattr(m, method)(part) for m, part in zip(single, y, strict=True)])
        assert torch.allclose(together.double(), apart.double(), rtol=0, atol=1e-12), method
    assert torch.allclose(both.loss(y[0])[1], single[1].loss(y[0]), atol=1e-12)  # shared data


def test_batches_change_nothing():
    y, a = problem()
    model = Mixture(a, "soft", 0.2)
    for method in ("free_energy", "predict_proba", "reconstruct"):
        whole, parts = getattr(model, method)(y), getattr(model, method)(y, batch_size=4)
        assert torch.allclose(whole, parts, rtol=0, atol=1e-13), method


@pytest.mark.parametrize("replicates", [(), (2,)])
def test_encoding_in_batches_equals_encoding_at_once(replicates):
    y, a = problem(replicates=replicates)
    model = Mixture(a, "soft", 0.2)
    codes = encode_in_batches(model, y, batch_size=4)
    assert torch.allclose(codes, model.encode(y), rtol=0, atol=1e-13)


def test_what_a_mixture_explains_is_what_its_methods_say_one_by_one():
    y, a = problem(replicates=(2,))
    model = Mixture(a, "soft", 0.2, bias=[[0.0, 1.0, 2.0], [0.5, 0.0, 0.0]], temperature=2.0)
    y = with_holes(y, 0.3)
    found = model.explain(y, batch_size=5)
    for value, method in zip(found, ("predict_proba", "free_energy", "reconstruct"), strict=True):
        assert torch.allclose(value, getattr(model, method)(y), rtol=0, atol=1e-13), method
    short = model.explain(y, reconstruct=False)
    assert torch.allclose(short.probabilities, found.probabilities, rtol=0, atol=1e-13)
    assert torch.allclose(short.free_energy, found.free_energy, rtol=0, atol=1e-13)
    assert short.reconstruction is None, "nobody asked for it"
    every = model.encode(y) @ a.mT
    best = model.predict(y)
    for r in range(2):
        by_hand = torch.stack([every[r, k, i] for i, k in enumerate(best[r])])
        assert torch.allclose(found.reconstruction[r], by_hand, rtol=0, atol=1e-13)


def test_missing_entries_are_filled_in_by_the_cluster():
    generator = torch.Generator().manual_seed(0)
    planes = gs.orthonormalize_groups(torch.randn(3, 20, 2, generator=generator).double(), 2)
    truth = torch.arange(300) % 3
    codes = torch.randn(300, 2, generator=generator, dtype=torch.float64) * 5
    clean = torch.einsum("ink,ik->in", planes[truth], codes)
    model = Mixture(planes, "soft", 1e-3, layers=100)
    seen = with_holes(clean, 0.5)
    assert gs.accuracy(truth.numpy(), model.predict(seen).numpy()) > 0.99
    wrong = (model.reconstruct(seen) - clean).norm(dim=1) > 0.05 * clean.norm(dim=1)
    assert wrong.double().mean() < 0.02


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_training_finds_clusters_that_a_start_confuses(objective):
    """Three subspaces whose starts are mixed up for a third of the atoms."""
    generator = torch.Generator().manual_seed(0)
    planes = gs.orthonormalize_groups(torch.randn(3, 20, 3, generator=generator), 3)
    truth = torch.arange(600) % 3
    codes = torch.randn(600, 3, generator=generator) * 3
    data = torch.einsum("ink,ik->in", planes[truth], codes)
    data += 0.1 * torch.randn(600, 20, generator=generator)
    start = torch.stack([torch.cat([planes[k][:, :2], planes[k - 1][:, 2:]], 1) for k in range(3)])
    model = Mixture(start, "soft", 0.1, objective=objective, layers=15)
    before = gs.accuracy(truth.numpy(), model.predict(data).numpy())
    history = gs.train(model, gs.FixedData(data, batch_size=50), epochs=20, lr=1e-2, normalize=True)
    after = gs.accuracy(truth.numpy(), model.predict(data).numpy())
    assert before < 0.95 < 0.98 < after
    assert history["loss"].shape == (21,)
    assert history["loss"][20] < history["loss"][1]
    assert torch.allclose(model.dictionary.norm(dim=-2), torch.tensor(1.0), atol=1e-5)


def test_training_on_missing_entries_and_resuming_end_with_the_same_bits(tmp_path):
    y, a = problem(samples=40, replicates=(2,))
    data = gs.FixedData(with_holes(y), seeds=[0, 1], batch_size=10, missing=True)
    options = {"lr": 1e-2, "normalize": True, "checkpoint_every": 1}

    def model():
        return Mixture(a, "soft", 0.2, learn_bias=True, bias=[[0.5, 0.0, 0.0]] * 2)

    whole, resumed = model(), model()
    gs.train(whole, data, epochs=4, **options)
    gs.train(resumed, data, epochs=2, checkpoint=tmp_path / "c", **options)
    resumed = model()
    history = gs.train(resumed, data, epochs=4, checkpoint=tmp_path / "c", **options)
    assert history["loss"].shape == (5, 2)
    assert torch.equal(whole.dictionary, resumed.dictionary)
    assert torch.equal(whole.bias, resumed.bias)
    assert not torch.equal(whole.bias, model().bias)


def test_a_fixed_bias_is_not_trained():
    y, a = problem(samples=40)
    model = Mixture(a, "soft", 0.2, bias=[0.5, 0.0, 0.0])
    gs.train(model, gs.FixedData(y, batch_size=10), epochs=1, lr=0.1)
    assert model.bias.tolist() == [0.5, 0.0, 0.0]


def test_files_give_the_same_bits_back(tmp_path):
    y, a = problem()
    options = {"objective": "em", "temperature": 2.0, "weight": 1.0, "learn_bias": True}
    model = Mixture(a, "group_soft", torch.tensor([0.1, 0.2, 0.3]), D, bias=[1, 2, 3.0], **options)
    model.save(tmp_path)
    loaded = Mixture.load(tmp_path)
    assert torch.equal(loaded.energies(y), model.energies(y))
    assert torch.equal(loaded.predict_proba(y), model.predict_proba(y))
    assert loaded.config() == model.config()
    assert loaded.bias.requires_grad


def test_a_step_that_is_too_long_is_shortened_with_a_warning():
    y, a = problem()
    model = Mixture(a, "soft", 0.2, step=100.0)
    with pytest.warns(UserWarning, match="of 3 of 3 replicates.*shortened"):
        found = model.energies(y)
    assert torch.equal(found, Mixture(a, "soft", 0.2).energies(y))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dictionary": torch.eye(3)}, r"shape \(K, n, m\)"),
        ({"objective": "map"}, "expected, em, likelihood"),
        ({"temperature": 0.0}, "temperature"),
        ({"weight": float("inf")}, "weight"),
        ({"bias": [0.0]}, r"bias must be finite and have shape \(2,\)"),
        ({"bias": [0.0, float("nan")]}, "bias must be finite"),
        ({"prox": "group_hard"}, "no penalty"),
        ({"prox": lambda v, t, d: v}, "no penalty"),
        ({"lambda_": -1.0}, "lambda_"),
        ({"group_size": 2}, "group_size"),
    ],
)
def test_arguments_that_do_not_fit_are_explained(change, message):
    arguments = {"dictionary": torch.eye(3).expand(2, 3, 3), "prox": "soft", "lambda_": 0.1}
    with pytest.raises(ValueError, match=message):
        Mixture(**arguments | change)


def test_data_that_do_not_fit_are_explained():
    model = Mixture(torch.eye(3).expand(2, 3, 3), "soft", 0.1)
    for data in (torch.ones(4), torch.ones(4, 2)):
        with pytest.raises(ValueError, match=r"shape \(..., N, 3\)"):
            model.predict(data)
    with pytest.raises(ValueError, match="infinite"):
        model.predict(torch.full((2, 3), torch.inf))
    replicated = Mixture(torch.eye(3).expand(2, 2, 3, 3), "soft", 0.1)
    with pytest.raises(ValueError, match="replicates"):
        replicated.energies(torch.ones(3, 5, 3))
    with pytest.raises(ValueError, match="NaN"):
        gs.FixedData(torch.full((2, 3), torch.nan))
    with pytest.raises(ValueError, match="infinite"):
        gs.FixedData(torch.full((2, 3), torch.inf), missing=True)
