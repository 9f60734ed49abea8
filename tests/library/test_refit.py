"""Codes refitted on the groups that the encoder finds: no shrinkage, and the whole gradient."""

import pytest
import torch

from groupsparse import autoencoder, screening
from groupsparse import loss as losses
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.loss import reconstruction_loss
from groupsparse.prox import PROX
from groupsparse.pursuit import refit_codes, refitted
from groupsparse.training import train

SAMPLES, N, GROUPS, D = 40, 20, 8, 2
THRESHOLD = 3.0  # keeps some groups of every sample, and not all
every_encoder = pytest.mark.parametrize("encoder", ["shallow", "ista", "fista"])
every_prox = pytest.mark.parametrize("prox", PROX)


def problem(replicates=(), dtype=torch.float64):
    rng = torch.Generator().manual_seed(3)
    data = 2 * torch.randn(*replicates, SAMPLES, N, generator=rng, dtype=dtype)
    dictionary = torch.randn(*replicates, N, GROUPS * D, generator=rng, dtype=dtype) / N**0.5
    return data, dictionary


def network(dictionary, prox="group_soft", encoder="shallow", **options):
    return Autoencoder(dictionary, prox, THRESHOLD, D, encoder, 3, refit=True, **options)


def plain_codes(dictionary, data, prox, encoder="shallow"):
    return Autoencoder(dictionary, prox, THRESHOLD, D, encoder, 3).encode(data)


def lstsq_codes(data, dictionary, active):
    """Least squares of every sample on its active atoms, one at a time."""
    codes = torch.zeros(len(data), dictionary.shape[1], dtype=data.dtype)
    for y, x, on in zip(data, codes, active, strict=True):
        x[on] = torch.linalg.lstsq(dictionary[:, on], y.unsqueeze(1)).solution.squeeze(1)
    return codes


def active_atoms(codes, prox):
    if not PROX[prox].grouped:
        return codes != 0
    return (codes.unflatten(-1, (-1, D)) != 0).any(-1).repeat_interleave(D, -1)


@every_prox
@every_encoder
def test_codes_are_least_squares_on_what_the_encoder_finds(prox, encoder):
    data, dictionary = problem()
    active = active_atoms(plain_codes(dictionary, data, prox, encoder).detach(), prox)
    assert 0.02 < active.double().mean() < 0.9, "the test needs some groups of each kind"
    codes = network(dictionary, prox, encoder).encode(data)
    assert torch.equal(codes != 0, active)
    # The ridge, 2e-12 of the mean of the diagonal, moves codes by less than 1e-12 times the
    # condition of their system, which is below 1e4 here.
    torch.testing.assert_close(
        codes.detach(), lstsq_codes(data, dictionary, active), rtol=1e-7, atol=1e-7
    )


@every_prox
@every_encoder
@pytest.mark.parametrize("backprop", [None, 0, 1])
def test_the_gradient_of_the_loss_is_the_decoders_and_that_through_the_solve(
    prox, encoder, backprop
):
    data, dictionary = problem()
    model = network(dictionary, prox, encoder, backprop=backprop)
    model.loss(data).backward()
    a = dictionary.clone().requires_grad_()
    codes = model.encode(data).detach()
    (decoder,) = torch.autograd.grad(reconstruction_loss(data, codes @ a.mT), a)
    size = D if PROX[prox].grouped else 1
    support = (codes.unflatten(-1, (-1, size)) != 0).any(-1)
    solved = refit_codes(data, a, support, size)
    (whole,) = torch.autograd.grad(reconstruction_loss(data, solved @ a.mT), a)
    torch.testing.assert_close(model.dictionary.grad, decoder, rtol=1e-9, atol=1e-9)
    # dL/dx is not 0 but the ridge, 2e-12, times x.
    torch.testing.assert_close(whole, decoder, rtol=1e-8, atol=1e-8)


def test_the_gradient_is_that_of_finite_differences():
    data, dictionary = problem()
    model = network(dictionary)
    model.loss(data).backward()
    direction = torch.randn(dictionary.shape, generator=torch.Generator().manual_seed(1)).double()
    step = 1e-5
    ahead, behind = (
        float(network(dictionary + s * direction).loss(data).detach()) for s in (step, -step)
    )
    slope = float((model.dictionary.grad * direction).sum())
    # A central difference errs by step^2 times the third derivative, and by rounding / step.
    assert (ahead - behind) / (2 * step) == pytest.approx(slope, rel=1e-6)


def test_codes_themselves_are_differentiable():
    data, dictionary = problem()
    model = network(dictionary)
    weights = torch.arange(1.0, GROUPS * D + 1, dtype=torch.float64)
    (model.encode(data) * weights).sum().backward()
    moved = torch.zeros_like(dictionary)
    moved[3, 5] = 1e-6
    ahead, behind = (
        float((network(dictionary + s * moved).encode(data) * weights).sum().detach())
        for s in (1, -1)
    )
    assert float(model.dictionary.grad[3, 5]) == pytest.approx((ahead - behind) / 2e-6, rel=1e-5)


@every_prox
@pytest.mark.parametrize("replicates", [(), (2,), (2, 2)])
def test_the_sparse_loss_is_the_dense_one(monkeypatch, prox, replicates):
    data, dictionary = problem(replicates)
    found = []
    for share in (-1.0, 1.0):  # the dense path, the sparse one
        monkeypatch.setattr(losses, "dense_from", lambda *_, share=share: share)
        monkeypatch.setattr(screening, "BLOCK", 0)
        monkeypatch.setattr(screening, "ROWS", 7)
        model = network(dictionary, prox)
        value = model.loss(data)
        value.sum().backward()
        found.append((value.detach(), model.dictionary.grad))
    # The same systems with sums in another order: rounding times their condition, below 1e4.
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-10)


@every_prox
def test_the_sparse_loss_does_not_depend_on_how_many_systems_fit_in_memory(monkeypatch, prox):
    data, dictionary = problem()
    monkeypatch.setattr(losses, "dense_from", lambda *_: 1.0)
    found = []
    for systems in (1, 3, 10**6):
        monkeypatch.setattr(losses, "systems_at_a_time", lambda k, d, n, s=systems: s)
        model = network(dictionary, prox)
        value = model.loss(data)
        value.backward()
        found.append((value.detach(), model.dictionary.grad))
    for few in found[:2]:
        # The same systems: batches of another size may round differently, as above.
        torch.testing.assert_close(few, found[2], rtol=1e-10, atol=1e-10)


@every_encoder
def test_the_loss_does_not_differentiate_through_the_solve(monkeypatch, encoder):
    data, dictionary = problem()
    solved = []

    def watched(*arguments):
        solved.append(refitted(*arguments))
        return solved[-1]

    monkeypatch.setattr(losses, "dense_from", lambda *_: -1.0)  # the dense path
    for module in (losses, autoencoder):
        monkeypatch.setattr(module, "refitted", watched)
    network(dictionary, encoder=encoder).loss(data).backward()
    assert [codes.requires_grad for codes in solved] == [False], "the envelope theorem's saving"


def test_the_loss_is_that_of_the_reconstruction_and_no_larger_than_without_refit():
    data, dictionary = problem((2,))
    model = network(dictionary)
    loss = model.loss(data).detach()
    reconstruction = model(data).reconstruction.detach()
    torch.testing.assert_close(loss, reconstruction_loss(data, reconstruction), rtol=1e-12, atol=0)
    plain = Autoencoder(dictionary, "group_soft", THRESHOLD, D).loss(data).detach()
    assert (loss < plain).all()


def test_codes_do_not_depend_on_how_much_an_activation_shrinks():
    data, dictionary = problem()
    soft, hard = (network(dictionary, p).encode(data) for p in ("group_soft", "group_hard"))
    assert torch.equal(soft, hard), "both keep the groups whose norm exceeds the threshold"


def test_more_active_atoms_than_dimensions_are_refused(monkeypatch):
    data, dictionary = problem()
    wide = torch.cat([dictionary, dictionary.flip(0)], 1)
    for share in (-1.0, 1.0):
        monkeypatch.setattr(losses, "dense_from", lambda *_, share=share: share)
        with pytest.raises(ValueError, match="32 atoms in 20 dimensions: a larger lambda_"):
            Autoencoder(wide, "group_soft", 0.0, D, refit=True).loss(data)


def test_silent_codes_stay_zero():
    data, dictionary = problem()
    model = Autoencoder(dictionary, "group_soft", 1e3, D, refit=True)
    loss = model.loss(data)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(data.square().sum() / (2 * SAMPLES)))
    assert not model.dictionary.grad.any()
    with pytest.warns(UserWarning, match="lambda_ is too large"):
        assert not model.encode(data).any()


def test_a_callable_is_refitted_on_groups():
    data, dictionary = problem()
    named, own = (
        Autoencoder(dictionary, p, THRESHOLD, D, refit=True)
        for p in ("group_soft", lambda v, t, d: PROX["group_soft"](v, t, d))
    )
    torch.testing.assert_close(own.encode(data), named.encode(data))
    torch.testing.assert_close(own.loss(data), named.loss(data))


def test_an_option_that_is_no_truth_value_is_refused():
    with pytest.raises(TypeError, match="refit must be True or False, not 'yes'"):
        Autoencoder(problem()[1], "soft", 0.1, D, refit="yes")


@every_encoder
def test_a_saved_model_remembers_and_a_method_s_entry_says_it(tmp_path, encoder):
    data, dictionary = problem()
    model = network(dictionary, encoder=encoder)
    model.save(tmp_path)
    again = Autoencoder.load(tmp_path)
    assert again.config() == model.config()
    assert again.config()["refit"] is True
    assert torch.equal(again.encode(data), model.encode(data))
    spec = {"prox": "group_soft", "lambda": THRESHOLD, "encoder": encoder, "layers": 3}
    assert Autoencoder.from_spec(dictionary, spec | {"refit": True}, D).config() == model.config()
    assert not Autoencoder.from_spec(dictionary, spec, D).refit


def test_a_checkpoint_of_a_network_without_refit_is_not_used(tmp_path, caplog):
    data, dictionary = problem()
    trained = []
    for refit in (False, True):
        model = Autoencoder(dictionary, "group_soft", THRESHOLD, D, refit=refit)
        train(model, FixedData(data, [0]), epochs=2, lr=1e-2, checkpoint=tmp_path / "checkpoint")
        trained.append(model.dictionary.detach())
    assert "made with refit False, this run has True" in caplog.text
    assert not torch.equal(*trained)


@pytest.mark.parametrize("wide", [1, 100])
def test_samples_with_one_group_are_solved_together_or_apart_alike(monkeypatch, wide):
    monkeypatch.setattr("groupsparse.normal_equations.WIDE", wide)
    generator = torch.Generator().manual_seed(0)
    dictionary = torch.randn(20, 12, generator=generator, dtype=torch.float64)
    data = torch.randn(30, 20, generator=generator, dtype=torch.float64)
    support = torch.zeros(30, 4, dtype=torch.bool)
    support[torch.arange(30), torch.randint(4, (30,), generator=generator)] = True
    support[7] = False  # no group, and two
    support[9, :2] = True
    codes = refit_codes(data, dictionary, support, 3)
    for i in range(30):
        used = support[i].repeat_interleave(3)
        expected = torch.linalg.lstsq(dictionary[:, used], data[i].unsqueeze(1)).solution[:, 0]
        # The ridge of eps^0.75 = 2e-12 of the diagonal.
        assert torch.allclose(codes[i, used], expected, rtol=0, atol=1e-9)
        assert not codes[i, ~used].any()
