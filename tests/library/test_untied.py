"""The untied autoencoder: its gradient, its options, and what is saved."""

import pytest
import torch

import groupsparse as gs

N, M, D = 6, 8, 2


def inputs(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def made(prox="group_soft", lambda_=0.3, **options):
    center, bias = inputs(N, seed=3), inputs(M, seed=4)
    options = {"weight": inputs(N, M, seed=2), "bias": bias, "center": center} | options
    return gs.UntiedAutoencoder(inputs(N, M, seed=1), prox, lambda_, D, **options)


def test_it_is_the_network_of_its_formula():
    model, y = made(), inputs(5, N)
    x, yhat = model(y)
    c = model.center.detach()
    wanted = gs.group_soft_threshold((y - c) @ model.weight + model.bias, 0.3, D)
    assert torch.equal(x, wanted)
    assert torch.equal(yhat, wanted @ model.dictionary.mT + c)
    assert model.loss(y) == gs.reconstruction_loss(y, yhat)


def test_without_options_it_is_the_tied_one():
    y = inputs(20, N)
    tied = gs.Autoencoder(inputs(N, M, seed=1), "group_soft", 0.3, D)
    model = gs.UntiedAutoencoder(inputs(N, M, seed=1), "group_soft", 0.3, D, bias=None)
    assert [name for name, _ in model.named_parameters()] == ["dictionary", "weight"]
    assert torch.allclose(model.encode(y), tied.encode(y))
    assert torch.allclose(model.loss(y), tied.loss(y))


def test_every_parameter_has_the_exact_gradient():
    model, y = made(lambda_=0.7), inputs(4, N)
    names = [name for name, _ in model.named_parameters()]
    assert sorted(names) == ["bias", "center", "dictionary", "weight"]
    parameters = [p.detach().clone().requires_grad_() for p in model.parameters()]

    def loss(*values):
        return torch.func.functional_call(model, dict(zip(names, values, strict=True)), (y,))

    def through(*values):
        return gs.reconstruction_loss(y, loss(*values).reconstruction)

    assert torch.autograd.gradcheck(through, tuple(parameters))
    model.loss(y).backward()
    for parameter, value in zip(model.parameters(), parameters, strict=True):
        (gradient,) = torch.autograd.grad(through(*parameters), value)
        assert torch.allclose(parameter.grad, gradient)


def test_replicates_train_side_by_side_as_alone():
    y = inputs(2, 40, N).float()
    start, encoder = inputs(2, N, M, seed=1).float(), inputs(2, N, M, seed=2).float()
    options = {"epochs": 3, "lr": 1e-2}
    together = gs.UntiedAutoencoder(start, "group_soft", 0.3, D, encoder, center=y.mean(1))
    gs.train(together, gs.FixedData(y, [0, 1], 10), **options)
    for r in range(2):
        alone = gs.UntiedAutoencoder(
            start[r], "group_soft", 0.3, D, encoder[r], center=y[r].mean(0)
        )
        gs.train(alone, gs.FixedData(y[r], [r], 10), **options)
        assert torch.allclose(alone.dictionary, together.dictionary[r], atol=1e-6)
        assert torch.allclose(alone.bias, together.bias[r], atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"bias": None}, {"center": None}])
def test_a_saved_model_comes_back_with_the_same_bits(tmp_path, options):
    model = made("group_top_k(2)", 0.0, **options)
    gs.train(model, gs.FixedData(inputs(30, N)), epochs=2)
    model.save(tmp_path)
    again = gs.UntiedAutoencoder.load(tmp_path)
    assert again.config() == model.config()
    for (name, a), (other, b) in zip(
        model.named_parameters(), again.named_parameters(), strict=True
    ):
        assert name == other
        assert torch.equal(a, b)


def test_a_training_resumes_exactly(tmp_path):
    data = gs.FixedData(inputs(30, N), batch_size=10)
    whole, parts = made(), made()
    options = {"checkpoint": tmp_path / "c", "checkpoint_every": 2}
    gs.train(whole, data, epochs=4)
    gs.train(parts, data, epochs=2, **options)
    parts = made()
    gs.train(parts, data, epochs=4, **options)
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weight": torch.zeros(N, M + D)}, r"weight must have shape \(6, 8\), not \(6, 10\)"),
        ({"bias": torch.zeros(M + 1)}, r"bias must have shape \(8,\), not \(9,\)"),
        ({"center": torch.zeros(M)}, r"center must have shape \(6,\), not \(8,\)"),
        ({"prox": "no"}, "unknown prox 'no'"),
    ],
)
def test_what_does_not_fit_is_named(options, said):
    with pytest.raises(ValueError, match=said):
        made(**options)


def test_a_lambda_that_silences_all_is_said_with_the_largest_that_does_not():
    model = made(lambda_=1e3)
    with pytest.warns(UserWarning, match="lambda_ is too large"):
        model.encode(inputs(5, N))


def test_dead_groups_start_again_where_the_data_need_them():
    # Three lines; the dictionary knows one of them, twice, and two groups that nothing uses.
    truth = torch.eye(N)[:, :4]
    data = torch.cat([torch.outer(inputs(30, seed=g).float(), truth[:, g]) for g in range(3)])
    start = torch.eye(N)[:, [0, 1, 4, 5, 4, 5]]
    for model in (
        gs.Autoencoder(start, "group_top_k(1)", 0.0, D),
        gs.UntiedAutoencoder(start, "group_top_k(1)", 0.0, D),
    ):
        assert gs.dead_groups(model.encode(data), D).tolist() == [1, 2]
        before = model.loss(data).detach()
        gs.Revival(data)(1, model)
        assert len(gs.dead_groups(model.encode(data), D)) < 2
        assert model.loss(data) < before / 2
        kept = model.dictionary[:, :2].detach()
        assert torch.equal(kept, start[:, :2]), "living groups stay"
        atoms = model.dictionary.detach().view(N, 3, D).movedim(1, 0)
        assert torch.allclose(atoms.mT @ atoms, torch.eye(D).expand(3, D, D), atol=1e-6)


def test_revival_keeps_its_interval_its_seed_and_its_peace():
    data, start = inputs(30, N).float(), torch.eye(N)[:, [0, 1, 0, 1]]
    one, other, third = (gs.Autoencoder(start, "group_top_k(1)", 0.0, D) for _ in range(3))
    gs.Revival(data, every=2)(1, one)
    assert torch.equal(one.dictionary, start)
    gs.Revival(data, every=2)(2, one)
    gs.Revival(data)(2, other)
    gs.Revival(data, seed=1)(2, third)
    assert torch.equal(one.dictionary, other.dictionary)
    assert not torch.equal(one.dictionary, third.dictionary)
    gs.Revival(torch.zeros(4, N))(1, other)  # nothing is left to explain
    with pytest.raises(ValueError, match="replicates"):
        gs.Revival(data)(1, gs.Autoencoder(start.expand(2, N, 4), "group_soft", 0.1, D))
    with pytest.raises(ValueError, match=r"data must have shape \(N, n\)"):
        gs.Revival(data[0])


def test_a_training_with_revival_leaves_no_group_dead():
    # The data are in half of the space, and half of the groups start in the other half.
    truth = gs.random_dictionary(20, 24, generator=0)
    truth[10:] = 0
    data = gs.sample(truth, 2, 2, (4.0, 5.0), samples=500, generator=1, snr_db=20.0).data
    start = gs.random_dictionary(20, 24, generator=2)
    start[:10, :12], start[10:, 12:] = 0, 0
    dead = {}
    for name, callback in (("with", gs.Revival(data)), ("without", None)):
        model = gs.UntiedAutoencoder(start, "group_top_k(2)", 0.0, 2)
        batches = gs.FixedData(data, batch_size=100)
        gs.train(model, batches, epochs=10, lr=3e-3, normalize=True, callback=callback)
        dead[name] = len(gs.dead_groups(model.encode(data), 2))
    assert dead["with"] < dead["without"] / 2


def test_groups_of_more_atoms_than_samples_have_entries_are_not_revived():
    model = gs.Autoencoder(inputs(2, 6), "group_soft", 1e6, 3)
    with pytest.raises(ValueError, match="3 atoms cannot be orthonormal in samples of 2 entries"):
        gs.Revival(inputs(20, 2))(1, model)
