"""The step of an unfolded layer: what it thresholds at, and what happens where it is too long."""

import warnings

import pytest
import torch

import groupsparse as gs
from groupsparse.encoder import STEP_LIMIT

N, M, D, LAYERS = 12, 8, 2, 30
unfolded = pytest.mark.parametrize("encoder", ["ista", "fista"])


def problem(replicates: tuple = (), samples: int = 20):
    noise = torch.Generator().manual_seed(0)
    dictionary = torch.randn(*replicates, N, M, generator=noise, dtype=torch.float64)
    data = torch.randn(samples, N, generator=noise, dtype=torch.float64)
    return data, gs.normalize_columns(dictionary)


def model(dictionary, encoder="fista", lambda_=0.3, **options):
    return gs.Autoencoder(dictionary, "group_soft", lambda_, D, encoder, LAYERS, **options)


@unfolded
def test_the_lipschitz_step_is_a_number_too(encoder):
    data, a = problem()
    step = 1 / float(gs.squared_spectral_norm(a))
    values = []
    for network in (model(a, encoder), model(a, encoder, step=step)):
        network.loss(data).backward()
        values.append((network.encode(data).detach(), network.dictionary.grad))
    for one, other in zip(*values, strict=True):
        # 1 / (1 / L) is rounded twice, in double precision, and 30 layers do not expand it.
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


@unfolded
def test_one_layer_thresholds_at_step_times_lambda(encoder):
    data, a = problem()
    step, lambda_ = 0.1, 1.0
    network = gs.Autoencoder(a, "group_soft", lambda_, D, encoder, 1, step=step)
    expected = gs.group_soft_threshold(step * (data @ a), step * lambda_, D)
    # One product and one factor in double precision.
    torch.testing.assert_close(network.encode(data), expected, rtol=1e-12, atol=1e-14)


@unfolded
def test_a_fixed_step_reaches_the_same_optimum_later(encoder):
    data, a = problem()
    best = gs.unfolded(data, a, gs.group_soft_threshold, 0.3, D, 5000)
    far, near = (
        gs.Autoencoder(a, "group_soft", 0.3, D, encoder, layers, step=0.1).encode(data)
        for layers in (5, 2000)
    )
    assert (far - best).abs().max() > 1e-3
    torch.testing.assert_close(near, best, rtol=0, atol=1e-9)


def scaled():
    """Three replicates, of which a step of 0.1 is too long for the second: L = 40."""
    data, a = problem((3,))
    norm = gs.squared_spectral_norm(a)
    wanted = torch.tensor([4.0, 40.0, 9.0], dtype=a.dtype)
    return data, a * (wanted / norm).sqrt()[:, None, None]


@unfolded
def test_a_step_that_is_too_long_would_explode_and_is_shortened(encoder):
    data, a = scaled()
    raw = gs.unfolded(
        data, a[1], gs.group_soft_threshold, 0.3, D, 200, encoder == "fista",
        lipschitz=torch.tensor(10.0, dtype=a.dtype),
    )  # fmt: skip
    assert raw.abs().max() > 1e6
    network = model(a, encoder, step=0.1)
    with pytest.warns(UserWarning, match=r"step 0.1 is 4 / .* of 1 of 3 replicates: from"):
        codes = network.encode(data)
    # That replicate has the step of Lipschitz, the others keep theirs.
    for r, step in enumerate((0.1, "lipschitz", 0.1)):
        alone = model(a[r], encoder, step=step).encode(data)
        torch.testing.assert_close(codes[r], alone, rtol=1e-10, atol=1e-12)


@unfolded
def test_a_step_that_is_too_long_is_shortened_in_training_and_said_once(encoder):
    data, a = scaled()
    network = model(a, encoder, step=0.1)
    with pytest.warns(UserWarning, match="shortened") as raised:
        history = gs.train(network, gs.FixedData(data, [0, 1, 2], 5), epochs=3, lr=1e-3)
    assert len(raised) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gs.encode_in_batches(network, data)
    assert torch.isfinite(history["loss"][1:]).all()
    # What training saw is what the codes are: one step for both.
    loss, output = network.loss(data), network(data)
    # The loss is summed in another order: float64 rounding of energies of about 10.
    expected = gs.reconstruction_loss(data, output.reconstruction)
    assert torch.allclose(loss, expected, rtol=0, atol=1e-12)


def test_a_step_that_is_short_enough_is_not_mentioned():
    data, a = scaled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(a, step=1.3 / 40.0).encode(data)
        model(a, "ista", step=1.9 / 40.0).encode(data)
        model(a, "shallow", step=10.0).encode(data)


@pytest.mark.parametrize(("encoder", "limit"), STEP_LIMIT.items())
def test_the_limit_of_the_step_is_where_codes_explode(encoder, limit):
    """Without a penalty, one per cent on either side of it; momentum tends to 1 slowly."""
    data, a = problem()
    norm = gs.squared_spectral_norm(a)

    def codes(step):
        problem = data, a, gs.group_soft_threshold, 0.0, D, 4000, encoder == "fista"
        return gs.unfolded(*problem, lipschitz=norm / step)

    best = torch.linalg.lstsq(a, data.T).solution.T
    torch.testing.assert_close(codes(0.99 * limit), best, rtol=0, atol=1e-6)
    assert codes(1.01 * limit).abs().max() > 1e6


def test_the_step_of_the_paper_is_taken_as_it_is():
    """On MNIST 0.04 is 1.2 / ||A||_2^2: beyond 1, and within the limit of FISTA."""
    data, a = problem()
    a = a * (30.5 / gs.squared_spectral_norm(a)).sqrt()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codes = model(a, step=0.04).encode(data)
    options = {"lipschitz": torch.tensor(25.0, dtype=a.dtype)}
    expected = gs.unfolded(data, a, gs.group_soft_threshold, 0.3, D, LAYERS, **options)
    torch.testing.assert_close(codes, expected, rtol=1e-10, atol=1e-12)


def test_a_shallow_encoder_has_no_step():
    data, a = problem()
    codes = [model(a, "shallow", step=step).encode(data) for step in ("lipschitz", 0.01)]
    assert torch.equal(*codes)


def test_the_step_survives_saving_and_comes_from_a_spec(tmp_path):
    spec = {"prox": "soft", "lambda": 0.75, "encoder": "fista", "layers": 3, "step": 0.04}
    network = gs.Autoencoder.from_spec(problem()[1], spec, D)
    assert network.config()["step"] == 0.04
    network.save(tmp_path)
    assert gs.Autoencoder.load(tmp_path).step == 0.04
    assert gs.Autoencoder.from_spec(problem()[1], {**spec, "step": "lipschitz"}, D).step == (
        "lipschitz"
    )


@pytest.mark.parametrize("step", [0.0, -0.1, float("nan"), float("inf"), "long", None, True])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(ValueError, match="step must be 'lipschitz' or a finite number above 0"):
        model(problem()[1], step=step)


@pytest.mark.parametrize("prox", gs.PROX)
def test_the_gradient_with_a_fixed_step_is_exact(prox):
    data, a = problem(samples=3)

    def loss(dictionary):
        codes = gs.unfolded(
            data, dictionary, gs.PROX[prox], 0.3, D, 6,
            lipschitz=torch.tensor(20.0, dtype=a.dtype), gram=dictionary.mT @ dictionary,
        )  # fmt: skip
        return gs.reconstruction_loss(data, codes @ dictionary.mT)

    assert torch.autograd.gradcheck(loss, a.requires_grad_())


def test_the_warning_of_silence_knows_the_step():
    data, a = problem()
    limit = float(gs.lambda_max(data, a, "group_soft", D))
    with pytest.warns(UserWarning, match=f"nonzero below {limit:.6g}"):
        model(a, lambda_=1.01 * limit, step=0.05).encode(data)
