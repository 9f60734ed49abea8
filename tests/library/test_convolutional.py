"""The convolutional autoencoder: against the dense encoder, its optimality, gradients, training."""

import numpy as np
import pytest
import torch

from groupsparse import convolutional
from groupsparse.convolution import convolve
from groupsparse.convolutional import ConvolutionalAutoencoder
from groupsparse.encoder import unfolded
from groupsparse.files import CorruptArtifactError
from groupsparse.prox import soft_threshold
from groupsparse.training import train
from groupsparse.trials import TrialData

LAWS = {
    "gaussian": {"law": "gaussian"},
    "binomial": {"law": "binomial", "law_options": {"trials": 5}},
    "poisson": {"law": "poisson", "law_options": {"largest": 20.0}},
}
every_law = pytest.mark.parametrize("law", LAWS)
TRIALS, NEURONS, TIMES, COUNT, LENGTH = 3, 2, 24, 2, 5


def kernels(*lead, seed=0):
    drawn = torch.randn(
        *lead, COUNT, LENGTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return torch.nn.functional.normalize(drawn, dim=-1)


def made(law="gaussian", **options):
    return ConvolutionalAutoencoder(kernels(), **LAWS[law], **options)


def observed(law, seed=1):
    """Trials of neurons with a few shared events, under a law."""
    draw = torch.Generator().manual_seed(seed)
    model = made(law)
    starts = TIMES - LENGTH + 1
    codes = torch.zeros(starts, COUNT, TRIALS, NEURONS, dtype=torch.float64)
    for trial in range(TRIALS):
        for k in range(COUNT):
            codes[torch.randint(starts, (2,), generator=draw), k, trial] = 3.0
    eta = convolve(codes.flatten(-2), kernels()) - (0 if law == "gaussian" else 1)
    y = model.law.draw(eta, draw).to(torch.float64)
    return y.view(TIMES, TRIALS, NEURONS).permute(1, 2, 0)


def test_with_traces_the_encoder_is_the_dense_one_on_the_matrix_of_the_convolution():
    model, y, layers = made(lambda_=0.3, layers=30), observed("gaussian"), 30
    starts = TIMES - LENGTH + 1
    eye = torch.eye(starts * COUNT, dtype=torch.float64).view(starts, COUNT, -1)
    matrix = convolve(eye, kernels())
    norm = convolutional.squared_norm(kernels(), TIMES)
    flat = y.flatten(0, 1)
    dense = unfolded(flat, matrix, soft_threshold, 0.3, 1, layers, lipschitz=norm)
    codes = model.encode(y, baseline=torch.zeros(TRIALS, NEURONS))
    wanted = dense.view(TRIALS, NEURONS, starts, COUNT).transpose(-1, -2)
    torch.testing.assert_close(codes.detach(), wanted, rtol=0, atol=1e-12)


@every_law
@pytest.mark.parametrize(
    ("group_lambda", "fit_baseline"), [(0.0, False), (0.4, False), (0.4, True)]
)
def test_many_layers_reach_the_optimum(law, group_lambda, fit_baseline):
    options = {"lambda_": 0.2, "group_lambda": group_lambda, "fit_baseline": fit_baseline}
    model, y = made(law, layers=3000, **options), observed(law)
    recording = model.recording(y)

    def objective(codes, added):
        eta = model._signal(recording, codes, added)
        value = (model.law.nll(eta, recording.values)).sum() + 0.2 * codes.abs().sum()
        return value + group_lambda * codes.unflatten(-1, (-1, NEURONS)).norm(dim=-1).sum()

    with torch.no_grad():
        codes, added = model._encoded(recording)
        least = objective(codes, added)
        draw = torch.Generator().manual_seed(2)
        # Convex: nothing near is better by more than rounding.
        for scale in (1e-3, 1e-2, 0.1):
            for _ in range(10):
                step = scale * torch.randn(codes.shape, generator=draw, dtype=torch.float64)
                moved = codes + step * (codes != 0)
                shift = None if added is None else added + scale * torch.randn(1, generator=draw)
                assert objective(moved, shift) >= least - 1e-9
                assert objective(codes + step, shift) >= least - 1e-9


def test_a_fitted_baseline_takes_what_is_constant():
    y = torch.full((1, 1, TIMES), 4.0, dtype=torch.float64)
    model = made(lambda_=5.0, fit_baseline=True, layers=500)
    rate = model.rate(y, baseline=torch.zeros(1, 1))
    torch.testing.assert_close(rate.detach(), y, rtol=0, atol=1e-6)


def test_neurons_share_events_if_they_are_tied():
    y = observed("gaussian")
    tied = made(group_lambda=1.0, layers=200).encode(y) != 0
    assert torch.equal(tied[:, 0], tied[:, 1])
    assert tied.any()
    free = made(lambda_=0.7, layers=200).encode(y) != 0
    assert not torch.equal(free[:, 0], free[:, 1])


def test_events_have_the_signs_and_the_places_that_they_may_have():
    y = observed("gaussian")
    codes = made(lambda_=0.1, signs=[1, -1], layers=50).encode(y)
    assert (codes[:, :, 0] >= 0).all()
    assert (codes[:, :, 1] <= 0).all()
    assert (codes[:, :, 0] > 0).any()
    assert (codes[:, :, 1] < 0).any()
    support = torch.zeros(TRIALS, COUNT, TIMES - LENGTH + 1)
    support[1, 0, 3] = 1
    codes = made(layers=50).encode(y, support=support)
    places = codes.nonzero()[:, [0, 2, 3]].unique(dim=0)
    assert places.tolist() == [[1, 0, 3]]


@every_law
@torch.no_grad()
def test_a_short_trial_is_one_whose_end_is_not_observed(law):
    y = observed(law)
    short, baseline = y[..., :15], torch.full((TRIALS, NEURONS), -0.5, dtype=torch.float64)
    padded = torch.cat([short, torch.full_like(y[..., 15:], torch.nan)], -1)
    model = made(law, lambda_=0.2, layers=4000)
    starts = 15 - LENGTH + 1
    support = torch.zeros(TRIALS, COUNT, TIMES - LENGTH + 1)
    support[..., :starts] = 1
    alone = model.encode(short, baseline)
    found = model.encode(padded, baseline, support)[..., :starts]
    # The steps differ, the minimum does not, of which both are still a little short.
    torch.testing.assert_close(found, alone, rtol=0, atol=1e-3)
    ours = model.loss(model.recording(padded, baseline, support))
    theirs = model.loss(model.recording(short, baseline))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=0)


@every_law
@pytest.mark.parametrize("options", [{}, {"group_lambda": 0.1}, {"fit_baseline": True}])
def test_the_gradient_of_the_loss_is_that_of_finite_differences(law, options, monkeypatch):
    norm = torch.tensor(8.0, dtype=torch.float64)  # the step is not differentiated
    monkeypatch.setattr(convolutional, "squared_norm", lambda *_: norm)
    model = made(law, lambda_=0.05, layers=20, smooth=0.3, **options)
    recording = model.recording(observed(law))

    def loss(dictionary):
        return torch.func.functional_call(model, {"dictionary": dictionary}, (recording,))

    model.forward = model.loss
    assert torch.autograd.gradcheck(loss, model.dictionary.detach().clone().requires_grad_())


def test_truncated_gradients_hold_the_events_fixed():
    recording = made().recording(observed("gaussian"))
    model = made(lambda_=0.1, layers=20, backprop=0)
    model.loss(recording).backward()
    codes = model._encoded(recording)[0].detach()
    hand = model.dictionary.detach().clone().requires_grad_()
    eta = recording.baseline + convolve(codes, hand.mT)
    model.law.nll(eta, recording.values).mean().backward()
    torch.testing.assert_close(model.dictionary.grad, hand.grad)


def test_replicates_are_independent():
    both = torch.stack([kernels(), kernels(seed=5)])
    y = observed("binomial")
    many = ConvolutionalAutoencoder(both, **LAWS["binomial"], lambda_=0.1, layers=20)
    loss, codes = many.loss(many.recording(y)), many.encode(y)
    for r in range(2):
        one = ConvolutionalAutoencoder(both[r], **LAWS["binomial"], lambda_=0.1, layers=20)
        torch.testing.assert_close(codes[r], one.encode(y), rtol=0, atol=1e-12)
        torch.testing.assert_close(loss[r], one.loss(one.recording(y)), rtol=1e-12, atol=0)


@every_law
def test_training_lowers_the_loss_keeps_norms_and_resumes_exactly(law, tmp_path):
    y, start = observed(law), kernels(seed=7)

    def run(epochs, checkpoint=None):
        model = ConvolutionalAutoencoder(
            start, **LAWS[law], lambda_=0.05, layers=20, nonnegative=[True, False]
        )
        data = TrialData(model.recording(y), seed=3, batch_size=2)
        options = {"lr": 1e-2, "normalize": True, "checkpoint": checkpoint}
        return model, train(model, data, epochs=epochs, **options)

    model, history = run(8)
    assert history["loss"][8] < history["loss"][1]
    norms = model.kernels.norm(dim=-1)
    torch.testing.assert_close(norms, torch.ones_like(norms))
    assert (model.kernels[0] >= 0).all()
    assert (model.kernels[1] < 0).any()
    run(3, tmp_path / "checkpoint")
    again = run(8, tmp_path / "checkpoint")[0]
    assert torch.equal(model.dictionary, again.dictionary)


def test_batches_have_every_trial_once_in_an_order_of_their_own():
    recording = made().recording(observed("gaussian"))
    batches = TrialData(recording, seed=0, batch_size=2)
    assert [batch.trials for batch in batches(1)] == [2, 1]
    columns = torch.cat([batch.values for batch in batches(1)], -1)
    assert torch.equal(columns.sum(0).sort().values, recording.values.sum(0).sort().values)
    whole = TrialData(recording)
    assert [batch.trials for batch in whole(1)] == [TRIALS]
    assert batches.fingerprint() != whole.fingerprint()


def test_saving_gives_the_same_bits_back_and_damage_is_named(tmp_path):
    model = made("binomial", lambda_=0.1, signs=[1, 0], fit_baseline=True)
    model.save(tmp_path)
    again = ConvolutionalAutoencoder.load(tmp_path)
    assert again.config() == model.config()
    y = observed("binomial")
    assert torch.equal(again.encode(y), model.encode(y))
    file = tmp_path / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(CorruptArtifactError, match="weights"):
        ConvolutionalAutoencoder.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kernels": torch.ones(3)}, "shape"),
        ({"kernels": torch.full((2, 5), torch.nan)}, "finite"),
        ({"law": "gamma"}, "unknown law"),
        ({"lambda_": -1.0}, "lambda_"),
        ({"signs": [1]}, "signs must be 2"),
        ({"signs": [1, 2]}, "signs must be 2"),
        ({"nonnegative": [True]}, "nonnegative"),
        ({"dictionary": torch.ones(5, 2)}, "give kernels"),
        ({"kernels": torch.ones(2, 5).half()}, "float32 or float64, not torch.float16"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(change, words):
    with pytest.raises((ValueError, TypeError), match=words):
        ConvolutionalAutoencoder(**({"kernels": kernels()} | change))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((torch.zeros(3, 20),), "trials x neurons"),
        ((torch.zeros(3, 2, 4),), "at least 5 times"),
        (
            (torch.full((1, 1, 9), -1.0),),
            r"y\[0, 0, 0\] is -1: the law Poisson\(.*\) cannot",
        ),
        ((torch.zeros(3, 2, 9), torch.zeros(3)), "baseline must be finite"),
        ((torch.zeros(3, 2, 9), torch.full((3, 2), torch.nan)), "baseline must be finite"),
        ((torch.zeros(3, 2, 9), None, torch.zeros(3, 2, 9)), "support must be 0 or 1"),
        ((torch.zeros(3, 2, 9), None, torch.full((3, 2, 5), 0.5)), "support must be 0 or 1"),
    ],
)
def test_trials_that_do_not_fit_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        made("poisson").encode(*arguments)


@every_law
def test_layers_keep_the_largest_events(law):
    y = observed(law)
    codes = made(law, lambda_=0.01, layers=20, most=2).encode(y).detach()
    counts = (codes != 0).sum(-1)
    assert counts.max() == 2, "in some trial, neuron and kernel"
    tied = made(law, group_lambda=0.01, layers=20, most=2).encode(y).detach()
    assert (tied != 0).any(1).sum(-1).max() == 2, "shared by the neurons"
    free = made(law, lambda_=0.01, layers=20).encode(y)
    whole = made(law, lambda_=0.01, layers=20, most=TIMES).encode(y)
    torch.testing.assert_close(whole, free, rtol=0, atol=0)


def test_of_equal_events_no_more_are_kept_either():
    y = torch.zeros(1, 1, 12)
    y[0, 0, [2, 8]] = 1.0
    model = ConvolutionalAutoencoder(torch.ones(1, 1), lambda_=0.1, layers=5, most=1)
    assert model.encode(y, baseline=[[0.0]]).count_nonzero() == 1


def test_kernels_that_are_zero_are_refused():
    for model in (ConvolutionalAutoencoder(torch.zeros(2, 3)), made()):
        with torch.no_grad():
            model.dictionary.zero_()
        with pytest.raises(FloatingPointError, match="kernels are zero"):
            model.encode(torch.ones(1, 1, 9))
    # Beside another one, or a baseline, a zero kernel has no events.
    kernel = torch.tensor([[0.0, 0.0], [0.6, 0.8]])
    assert not ConvolutionalAutoencoder(kernel).encode(torch.rand(1, 1, 9))[..., 0, :].any()


def test_events_are_the_codes_that_are_kept():
    y = observed("gaussian")
    model = made("gaussian", lambda_=0.3, layers=50)
    found, codes = model.events(y), model.encode(y).detach()
    starts = TIMES - LENGTH + 1
    torch.testing.assert_close(found.codes(TRIALS, COUNT, starts), codes, rtol=0, atol=0)
    both = ConvolutionalAutoencoder(
        torch.stack([kernels(), kernels(seed=5)]), lambda_=0.3, layers=50
    )
    with pytest.raises(ValueError, match="replicates"):
        both.events(y)


def test_a_network_whose_options_came_from_numpy_can_be_saved(tmp_path):
    kernels = torch.rand(2, 4)
    model = ConvolutionalAutoencoder(
        kernels, "binomial", signs=np.array([1, -1]), nonnegative=np.array([True, False]),
        law_options={"trials": np.int64(3)},
    )  # fmt: skip
    model.save(tmp_path)
    assert ConvolutionalAutoencoder.load(tmp_path).config() == model.config()
    assert model.config()["law_options"] == {"trials": 3}
