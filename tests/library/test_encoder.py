"""Encoders: gradients, and the optimum that unfolded layers approach."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso

from groupsparse import encoder
from groupsparse.autoencoder import Autoencoder, encode_in_batches
from groupsparse.dictionary import normalize_columns, squared_spectral_norm
from groupsparse.encoder import shallow, unfolded
from groupsparse.loss import reconstruction_loss
from groupsparse.prox import PROX

D = 2


def problem(n: int, m: int, samples: int = 5, seed: int = 0, batch: tuple = ()):
    """Float64 data (..., samples, n) and unit-norm dictionary (..., n, m)."""
    noise = torch.Generator().manual_seed(seed)
    a = torch.randn(*batch, n, m, generator=noise, dtype=torch.float64)
    y = torch.randn(*batch, samples, n, generator=noise, dtype=torch.float64)
    return y, normalize_columns(a)


def lambda_max(y, a, d):
    """Smallest lambda whose solution is zero: max_g ||A_g^T y||."""
    return float((y @ a).unflatten(-1, (-1, d)).norm(dim=-1).max())


def objective(y, a, x, lambda_, d):
    """Group lasso objective of every sample."""
    fit = 0.5 * (y - x @ a.mT).square().sum(-1)
    return fit + lambda_ * x.unflatten(-1, (-1, d)).norm(dim=-1).sum(-1)


def block_descent(y, a, lambda_, d, nonnegative=False, sweeps=2000):
    """Independent solver: cyclic proximal descent on one group at a time, in numpy."""
    y, a = y.numpy(), a.numpy()
    x = np.zeros((len(y), a.shape[1]))
    for _ in range(sweeps):
        for start in range(0, a.shape[1], d):
            g = slice(start, start + d)
            lipschitz = np.linalg.norm(a[:, g], 2) ** 2
            v = x[:, g] + (y - x @ a.T) @ a[:, g] / lipschitz
            v = np.maximum(v, 0) if nonnegative else v
            norm = np.linalg.norm(v, axis=1, keepdims=True)
            x[:, g] = v * np.maximum(1 - lambda_ / lipschitz / np.maximum(norm, 1e-300), 0)
    return torch.from_numpy(x)


@pytest.mark.parametrize("name", PROX)
@pytest.mark.parametrize("kind", ["shallow", "ista", "fista"])
def test_gradient_of_the_loss_is_exact(monkeypatch, name, kind):
    y, a = problem(6, 8, samples=3, seed=4)
    # The step is not differentiated, so for gradcheck it must not depend on the dictionary.
    lipschitz = squared_spectral_norm(a)
    monkeypatch.setattr(encoder, "squared_spectral_norm", lambda *_: lipschitz)

    def loss(dictionary):
        if kind == "shallow":
            x = shallow(y, dictionary, PROX[name], 0.3, D)
        else:
            x = unfolded(y, dictionary, PROX[name], 0.3, D, 6, momentum=kind == "fista")
        return reconstruction_loss(y, x @ dictionary.mT)

    assert torch.autograd.gradcheck(loss, a.requires_grad_())


def test_the_step_size_is_not_differentiated(monkeypatch):
    y, a = problem(6, 8, seed=4)
    gradients = []
    constant = squared_spectral_norm(a)
    for step in (squared_spectral_norm, lambda *_: constant):
        monkeypatch.setattr(encoder, "squared_spectral_norm", step)
        variable = a.clone().requires_grad_()
        codes = unfolded(y, variable, PROX["group_soft"], 0.3, D, 5)
        gradients += torch.autograd.grad(codes.square().sum(), variable)
    assert torch.equal(*gradients)


def by_autograd(y, a, prox, lambda_, layers, momentum, backprop):
    """The layers one by one, with the codes cut from the graph ``backprop`` layers from the end."""
    step = 1 / squared_spectral_norm(a.detach())
    x = previous = torch.zeros(*y.shape[:-1], a.shape[-1], dtype=y.dtype)
    t = 1.0
    for layer in range(layers):
        if layer == layers - backprop:
            x, previous = x.detach(), previous.detach()
        w = x
        if layer and momentum:
            t, t_old = (1 + (1 + 4 * t * t) ** 0.5) / 2, t
            w = x + (t_old - 1) / t * (x - previous)
        previous, x = x, PROX[prox](w + step * ((y - w @ a.mT) @ a), step * lambda_, D)
    return x.detach() if backprop == 0 else x


@pytest.mark.parametrize("momentum", [False, True])
@pytest.mark.parametrize("name", PROX)
@pytest.mark.parametrize(("layers", "segment"), [(1, 16), (7, 1), (7, 3), (7, 7), (23, 16)])
@pytest.mark.parametrize("backprop", [None, 0, 1, 2, 5, 100])
def test_truncated_and_recomputed_gradients_are_those_of_autograd(
    monkeypatch, name, momentum, layers, segment, backprop
):
    monkeypatch.setattr(encoder, "SEGMENT", segment)
    y, a = problem(6, 8, samples=3, seed=4)
    a.requires_grad_()
    gradients = []
    model = Autoencoder(a, name, 0.3, D, "fista" if momentum else "ista", layers, backprop)
    for dictionary, codes in (
        (model.dictionary, model.encode(y)),
        (
            a,
            by_autograd(
                y, a, name, 0.3, layers, momentum, layers if backprop is None else backprop
            ),
        ),
    ):
        loss = reconstruction_loss(y, codes @ dictionary.mT)
        gradients += torch.autograd.grad(loss, dictionary)
    # The Gram matrix here, residuals there: float64 rounding over at most 23 layers.
    assert torch.allclose(*gradients, rtol=0, atol=1e-11)
    (through_loss,) = torch.autograd.grad(model.loss(y), model.dictionary)
    assert torch.allclose(through_loss, gradients[0], rtol=0, atol=1e-11)


@pytest.mark.parametrize("backprop", [0, 1, None])
def test_decoder_only_gradients_of_a_shallow_encoder(backprop):
    y, a = problem(6, 8)
    model = Autoencoder(a, "group_soft", 0.3, D, "shallow", backprop=backprop)
    codes = shallow(y, model.dictionary, PROX["group_soft"], 0.3, D)
    codes = codes.detach() if backprop == 0 else codes
    expected = reconstruction_loss(y, codes @ model.dictionary.mT)
    gradients = [torch.autograd.grad(v, model.dictionary)[0] for v in (model.loss(y), expected)]
    assert torch.allclose(*gradients, rtol=0, atol=1e-13)  # float64 rounding


def test_recomputation_bounds_what_the_backward_pass_keeps(monkeypatch):
    y, a = problem(6, 8, samples=50)
    kept = []
    for layers in (16, 64):
        codes = Autoencoder(a, "group_soft", 0.1, D, "fista", layers).encode(y)
        function = codes.grad_fn
        kept.append((len(function.tape), len(function.segments)))
    assert kept == [(16, 1), (16, 4)]


@pytest.mark.parametrize(("n", "m"), [(20, 12), (12, 20)])
def test_many_fista_layers_satisfy_the_optimality_conditions_of_the_group_lasso(n, m):
    y, a = problem(n, m)
    lambda_ = 0.3 * lambda_max(y, a, D)
    x = unfolded(y, a, PROX["group_soft"], lambda_, D, 5000)
    residual = ((y - x @ a.mT) @ a).unflatten(-1, (-1, D))
    groups = x.unflatten(-1, (-1, D))
    norm = groups.norm(dim=-1, keepdim=True)
    active = norm.squeeze(-1) > 0
    assert active.any()
    assert not active.all()
    # Convergence is linear once the support is found; 1e-7 leaves room for the rate.
    wanted = lambda_ * groups / norm.clamp_min(1e-300)
    assert (residual - wanted)[active].abs().max() <= 1e-7
    assert residual.norm(dim=-1)[~active].max() <= lambda_ + 1e-7


@pytest.mark.parametrize("name", ["group_soft", "group_soft_nonnegative"])
def test_many_fista_layers_agree_with_block_coordinate_descent(name):
    y, a = problem(20, 12)
    lambda_ = 0.3 * lambda_max(y, a, D)
    expected = block_descent(y, a, lambda_, D, nonnegative="nonnegative" in name)
    x = unfolded(y, a, PROX[name], lambda_, D, 3000)
    # n > m: strongly convex, so both converge linearly, far below 1e-8.
    assert torch.allclose(x, expected, rtol=0, atol=1e-8)
    assert x.abs().max() > 0.1


@pytest.mark.parametrize("name", ["soft", "relu"])
def test_many_fista_layers_agree_with_the_lasso_of_scikit_learn(name):
    y, a = problem(20, 12)
    lambda_ = 0.3 * lambda_max(y, a, 1)
    # Its objective is divided by the n rows of A, hence alpha = lambda / n.
    lasso = Lasso(lambda_ / 20, fit_intercept=False, positive=name == "relu", tol=1e-12)
    expected = lasso.set_params(max_iter=100_000).fit(a.numpy(), y.numpy().T).coef_
    x = unfolded(y, a, PROX[name], lambda_, 1, 3000).numpy()
    # Its duality gap of 1e-12 ||y||^2 and a smallest eigenvalue of about 0.05 give 1e-5.
    np.testing.assert_allclose(x, expected, rtol=0, atol=1e-5)
    assert np.abs(x).max() > 0.1


@pytest.mark.parametrize("name", PROX)
def test_ista_and_fista_agree_in_the_limit(name):
    y, a = problem(20, 12)
    ista, fista = (unfolded(y, a, PROX[name], 0.2, D, 3000, momentum=m) for m in (False, True))
    # Strongly convex (n > m): linear convergence, far below 1e-8.
    assert torch.allclose(ista, fista, rtol=0, atol=1e-8)


@pytest.mark.parametrize("layers", [1, 2, 5, 15, 50])
def test_objective_meets_the_convergence_bounds_of_beck_and_teboulle(layers):
    y, a = problem(12, 20)
    lambda_ = 0.1 * lambda_max(y, a, D)
    best = unfolded(y, a, PROX["group_soft"], lambda_, D, 5000)
    scale = squared_spectral_norm(a) * best.square().sum(-1)
    for momentum, bound in (
        (False, scale / (2 * layers)),
        (True, 2 * scale / (layers + 1) ** 2),
    ):
        x = unfolded(y, a, PROX["group_soft"], lambda_, D, layers, momentum)
        excess = objective(y, a, x, lambda_, D) - objective(y, a, best, lambda_, D)
        assert (excess <= bound).all()


@pytest.mark.parametrize("layers", [3, 5, 10, 15])
def test_fista_is_ahead_of_ista_at_equal_layers(layers):
    y, a = problem(12, 20, samples=50)
    lambda_ = 0.05 * lambda_max(y, a, D)
    ista, fista = (
        objective(y, a, unfolded(y, a, PROX["group_soft"], lambda_, D, layers, m), lambda_, D)
        for m in (False, True)
    )
    # Not a theorem sample by sample (FISTA is not monotone), so for the mean of 50.
    assert fista.mean() < ista.mean()


def test_ista_never_increases_the_objective():
    y, a = problem(12, 20)
    values = [
        objective(y, a, unfolded(y, a, PROX["group_soft"], 0.2, D, t, False), 0.2, D)
        for t in range(1, 30)
    ]
    # Rounding of an objective of about 10 in float64.
    assert all((new <= old + 1e-13).all() for old, new in pairwise(values))


@pytest.mark.filterwarnings("ignore:all codes are zero")
@pytest.mark.parametrize("name", PROX)
@pytest.mark.parametrize("kind", ["shallow", "ista", "fista"])
def test_lambda_above_lambda_max_gives_exactly_zero_codes(name, kind):
    y, a = problem(12, 20)
    limit = lambda_max(y, a, D if name.startswith("group") else 1)
    model = Autoencoder(a, name, 1.0001 * limit, D, kind, 10)
    assert not model.encode(y).any()


@pytest.mark.parametrize("kind", ["shallow", "ista", "fista"])
def test_lambda_just_below_lambda_max_gives_a_nonzero_code(kind):
    y, a = problem(12, 20)
    model = Autoencoder(a, "group_soft", 0.99 * lambda_max(y, a, D), D, kind, 10)
    assert model.encode(y).any()


@pytest.mark.parametrize("name", PROX)
@pytest.mark.parametrize("kind", ["ista", "fista"])
def test_one_layer_is_one_proximal_gradient_step_from_zero(name, kind):
    y, a = problem(12, 20)
    step = 1 / torch.linalg.matrix_norm(a, ord=2) ** 2
    expected = PROX[name](step * (y @ a), step * 0.5, D)
    codes = Autoencoder(a, name, 0.5, D, kind, 1).encode(y)
    # The step is an eigenvalue here and a singular value there: float64 rounding.
    assert torch.allclose(codes, expected, rtol=0, atol=1e-13)


def test_fista_layers_follow_the_textbook_recursion():
    y, a = problem(12, 20)
    step = 1 / torch.linalg.matrix_norm(a, ord=2) ** 2
    x = w = torch.zeros(5, 20, dtype=torch.float64)
    t = 1.0
    for _ in range(7):
        previous, x = x, PROX["group_soft"](w + step * ((y - w @ a.T) @ a), step * 0.2, D)
        t, t_old = (1 + (1 + 4 * t * t) ** 0.5) / 2, t
        w = x + (t_old - 1) / t * (x - previous)
    # Gram matrix here, residual there: float64 rounding over 7 layers.
    assert torch.allclose(unfolded(y, a, PROX["group_soft"], 0.2, D, 7), x, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["shallow", "ista", "fista"])
def test_group_soft_with_groups_of_one_encodes_like_soft(kind):
    y, a = problem(12, 20)
    grouped, entries = (Autoencoder(a, p, 0.3, 1, kind, 10)(y) for p in ("group_soft", "soft"))
    # |v| as the root of a square: float64 rounding over 10 layers.
    assert torch.allclose(grouped.codes, entries.codes, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PROX)
@pytest.mark.parametrize("kind", ["shallow", "ista", "fista"])
def test_leading_dimensions_are_separate_problems(name, kind):
    y, a = problem(12, 20, batch=(2, 3))
    together = Autoencoder(a, name, 0.3, D, kind, 10)(y)
    assert together.codes.shape == (2, 3, 5, 20)
    assert together.reconstruction.shape == (2, 3, 5, 12)
    for i in range(2):
        for j in range(3):
            alone = Autoencoder(a[i, j], name, 0.3, D, kind, 10)(y[i, j])
            # Batched and single products may sum in another order.
            assert torch.allclose(together.codes[i, j], alone.codes, rtol=0, atol=1e-12)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("m", [8, 20])
def test_gradients_by_a_dictionary_that_problems_share_add_up(m, masked):
    y, _ = problem(12, m, batch=(4, 2))
    a = problem(12, m, batch=(2,))[1].requires_grad_()
    mask = (torch.arange(12) % 5 > 0).to(y) if masked else None

    def total(data):
        options = {"mask": None if mask is None else mask.expand_as(data)}
        options["lipschitz"] = squared_spectral_norm(a.detach())
        return unfolded(data, a, PROX["group_soft"], 0.3, D, 10, **options).square().sum()

    (together,) = torch.autograd.grad(total(y), a)
    (alone,) = torch.autograd.grad(sum(map(total, y)), a)
    assert together.any()
    # Batched and single products may sum in another order.
    assert torch.allclose(together, alone, rtol=1e-10, atol=1e-12)
    if not masked:
        losses = Autoencoder(a, "group_soft", 0.3, D, "fista", 10).loss(y)
        assert losses.shape == (4, 2)
        losses.sum().backward()


def test_reconstruction_is_the_dictionary_times_the_codes():
    y, a = problem(12, 20)
    codes, reconstruction = Autoencoder(a, "soft", 0.3, D)(y)
    assert torch.allclose(reconstruction.T, a @ codes.T, rtol=0, atol=1e-13)  # rounding


def test_loss_is_half_the_squared_error_per_sample():
    y = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert reconstruction_loss(y, torch.tensor([[1.0, 0.0], [0.0, 4.0]])) == (4 + 9) / 4


def test_encoding_in_batches_equals_encoding_at_once():
    y, a = problem(12, 20, samples=23)
    model = Autoencoder(a, "group_soft", 0.3, D, "fista", 10)
    codes = encode_in_batches(model, y, batch_size=5)
    assert not codes.requires_grad
    # Products of other shapes may sum in another order.
    assert torch.allclose(codes, model.encode(y), rtol=0, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, float("inf")])
def test_a_zero_or_infinite_dictionary_is_refused(value):
    y, a = problem(12, 20)
    with pytest.raises(FloatingPointError, match="zero or not finite"):
        unfolded(y, torch.full_like(a, value), PROX["soft"], 0.3, D, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prox": "no_such"}, "unknown prox 'no_such'"),
        ({"encoder": "no_such"}, "unknown encoder 'no_such'"),
        ({"lambda_": -0.1}, "lambda_ must be finite and at least 0, not -0.1"),
        ({"layers": 0}, "layers must be a whole number of at least 1, not 0"),
        ({"group_size": 3}, "does not divide 20"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {"prox": "soft", "lambda_": 0.1, "group_size": 2, "encoder": "ista", "layers": 2}
    with pytest.raises(ValueError, match=message):
        Autoencoder(torch.eye(20), **{**arguments, **change})


@pytest.mark.parametrize(("lambda_", "layers"), [(0.1, 0), (-0.1, 2), (float("nan"), 2)])
def test_the_function_names_bad_arguments_too(lambda_, layers):
    with pytest.raises(ValueError, match=r"(layers|lambda_) must be"):
        encoder.unfolded(torch.ones(1, 4), torch.eye(4), PROX["soft"], lambda_, 1, layers)


def test_the_given_dictionary_is_copied():
    a = torch.eye(4)
    model = Autoencoder(a, "soft", 0.1, 2)
    with torch.no_grad():
        model.dictionary.zero_()
    assert torch.equal(a, torch.eye(4))
