"""The library's interface: names, arrays of any kind, one-line errors, save and load."""

import importlib
import json
import pkgutil
import re
import tomllib
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT

import groupsparse as gs
from groupsparse.files import CorruptArtifactError

N, M, D = 12, 8, 2
ENCODERS = ("shallow", "ista", "fista")
every_encoder = pytest.mark.parametrize("encoder", ENCODERS)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def model(encoder: str = "fista", replicates: tuple = (), dtype=torch.float32, **options):
    dictionary = torch.randn(*replicates, N, M, generator=rng(), dtype=dtype)
    options = {"prox": "group_soft", "lambda_": 0.5, "group_size": D, "layers": 4, **options}
    return gs.Autoencoder(dictionary, encoder=encoder, **options)


def samples(count: int = 20, dtype=torch.float32) -> torch.Tensor:
    return torch.randn(count, N, generator=rng(1), dtype=dtype)


def test_no_module_hides_a_public_name():
    modules = {m.name for m in pkgutil.iter_modules(gs.__path__)}
    assert modules & set(gs.__all__) == set()
    for name in sorted(modules - {"torchvision_compat"}):
        importlib.import_module(f"groupsparse.{name}")
    for name in gs.__all__:
        value = getattr(gs, name)
        assert name in dir(gs)
        assert not isinstance(value, type(pkgutil)), name


def test_what_the_readme_and_the_issue_tracker_promise_is_public():
    promised = {
        "Autoencoder", "train", "FixedData", "FreshData", "StreamedData", "initialize",
        "encode_in_batches", "group_soft_threshold", "squared_error", "lambda_max", "activation",
    }  # fmt: skip
    assert promised <= set(gs.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'autoencodr'"):
        gs.autoencodr  # noqa: B018


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "groupsparse.__version__"
    }
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == gs.__version__
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest.group(1) in (gs.__version__, "Unreleased")


@every_encoder
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("replicates", [(), (3,), (2, 3)])
def test_arrays_of_every_kind_are_encoded_alike(encoder, dtype, replicates):
    network, data = model(encoder, replicates, dtype), samples(dtype=dtype)
    expected = network.encode(data)
    assert (expected.shape, expected.dtype) == ((*replicates, 20, M), dtype)
    kinds = [data.numpy(), data.tolist(), pd.DataFrame(data.numpy()), data.T.contiguous().T]
    kinds += [np.asfortranarray(data.numpy()), data.numpy()[::-1].copy()[::-1]]
    for other in kinds:
        assert torch.equal(network.encode(other), expected)
    # A dictionary from numpy makes the same model.
    again = gs.Autoencoder(
        network.dictionary.detach().numpy(), "group_soft", 0.5, D, encoder, 4
    ).encode(data)
    assert torch.equal(again, expected)


@every_encoder
def test_data_take_the_precision_of_the_dictionary(encoder):
    for dtype, other in ((torch.float32, torch.float64), (torch.float64, torch.float32)):
        network = model(encoder, dtype=dtype)
        output = network(samples(dtype=other))
        assert (output.codes.dtype, output.reconstruction.dtype) == (dtype, dtype)
        assert network.loss(samples(dtype=other)).dtype == dtype


def test_data_move_to_the_device_of_the_dictionary():
    network = model().to("meta")
    assert network.loss(samples()).device.type == "meta"
    assert network.decode(torch.zeros(3, M)).device.type == "meta"


def test_integer_lambdas_and_lists_of_them_are_numbers():
    assert model(lambda_=1).lambda_ == 1.0
    assert torch.equal(model(replicates=(2,), lambda_=[1, 2]).lambda_, torch.tensor([1.0, 2.0]))


BAD_MODELS = [
    ({"group_size": 0}, ValueError, "group_size 0 does not divide 8 entries"),
    ({"group_size": 3}, ValueError, "group_size 3 does not divide 8 entries"),
    ({"group_size": 2.0}, ValueError, "group_size 2.0 does not divide"),
    ({"group_size": "2"}, ValueError, "group_size 2 does not divide"),
    ({"lambda_": float("nan")}, ValueError, "lambda_ must be finite and at least 0, not nan"),
    ({"lambda_": float("inf")}, ValueError, "lambda_ must be finite and at least 0, not inf"),
    ({"lambda_": -1e-9}, ValueError, "lambda_ must be finite and at least 0"),
    ({"lambda_": torch.tensor([0.1, float("nan")])}, ValueError, "must be finite|must be a number"),
    ({"lambda_": torch.tensor([0.1, 0.2])}, ValueError, r"one for each replicate, not \(2,\)"),
    ({"prox": "sofft"}, ValueError, "unknown prox 'sofft'; known are group_soft"),
    ({"prox": None}, ValueError, "unknown prox None"),
    ({"encoder": "lista"}, ValueError, "unknown encoder 'lista'"),
    ({"lambda_": None}, TypeError, "lambda_ must be a number or a tensor, not None"),
    ({"lambda_": "0.1"}, TypeError, "lambda_ must be a number or a tensor, not '0.1'"),
    ({"layers": 0}, ValueError, "layers must be a whole number of at least 1, not 0"),
    ({"layers": 2.5}, ValueError, "layers must be a whole number of at least 1, not 2.5"),
    ({"backprop": -1}, ValueError, "backprop must be a whole number of at least 0, not -1"),
    ({"dictionary": torch.zeros(8)}, ValueError, r"shape \(n, m\) or \(R, n, m\), not \(8,\)"),
    ({"dictionary": torch.zeros(3, 0)}, ValueError, r"not \(3, 0\)"),
    ({"dictionary": torch.ones(4, 8, dtype=torch.int64)}, TypeError, "dictionary must be floating"),
    ({"dictionary": np.ones((4, 8), complex)}, TypeError, "array of floats, not of complex128"),
    ({"dictionary": np.array([["a"]])}, TypeError, "array of floats, not of <U1"),
    ({"dictionary": torch.ones(4, 8).half()}, TypeError, "float32 or float64, not torch.float16"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD_MODELS)
def test_a_model_that_cannot_be_is_refused_in_one_line(change, error, message):
    arguments = {"dictionary": torch.ones(4, 8), "prox": "soft", "lambda_": 0.1, "group_size": 2}
    with pytest.raises(error, match=message) as raised:
        gs.Autoencoder(**{**arguments, **change})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("method", ["encode", "loss", "__call__"])
@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (torch.zeros(5, N + 1), ValueError, rf"shape \(..., N, {N}\), not \(5, {N + 1}\)"),
        (torch.zeros(N), ValueError, rf"shape \(..., N, {N}\), not \({N},\)"),
        (torch.zeros(4, 5, N), ValueError, r"do not fit the replicates \(3,\)"),
        (torch.zeros(5, N, dtype=torch.uint8), TypeError, "data must be floating point, not uint8"),
        (np.zeros((5, N), np.int64), TypeError, "data must be floating point, not int64"),
        ([["a"] * N], TypeError, "data must be an array of floats, not of <U1"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_one_line(method, data, error, message):
    with pytest.raises(error, match=message) as raised:
        getattr(model(replicates=(3,)), method)(data)
    assert "\n" not in str(raised.value)


@every_encoder
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_data_that_are_not_finite_are_not_encoded(encoder, value):
    data = samples()
    data[3, 4] = value
    for encode in (model(encoder).encode, lambda y: gs.encode_in_batches(model(encoder), y, 2)):
        with pytest.raises(ValueError, match=r"1 samples have NaN or infinite values, .*\[3\]"):
            encode(data)


def entry_hard(v: torch.Tensor, threshold: float | torch.Tensor, group_size: int) -> torch.Tensor:
    """The prox of threshold * ||v||_0: not positively homogeneous, so its step matters."""
    return v * (v.square() > 2 * threshold)


@every_encoder
@pytest.mark.parametrize("prox", [*gs.PROX, entry_hard])
def test_silent_codes_warn_with_the_lambda_that_would_not_be(encoder, prox):
    with pytest.warns(UserWarning, match="all codes are zero") as caught:
        assert not model(encoder, prox=prox, lambda_=1e3).encode(samples()).any()
    limit = float(re.search(r"below (\S+)", str(caught[0].message)).group(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Six digits are printed.
        assert model(encoder, prox=prox, lambda_=limit * (1 - 1e-5)).encode(samples()).any()
    with pytest.warns(UserWarning, match="all codes are zero"):
        model(encoder, prox=prox, lambda_=limit * (1 + 1e-5)).encode(samples())


def test_the_warning_counts_the_silent_replicates():
    network = model(replicates=(3,), lambda_=[0.1, 1e3, 1e4])
    with pytest.warns(UserWarning, match="of 2 of 3 replicates are zero"):
        network.encode(samples())
    with pytest.warns(UserWarning, match="of 2 of 3 replicates are zero"):
        gs.encode_in_batches(network, samples(), batch_size=7)


def test_zero_data_and_single_silent_batches_do_not_warn():
    data = torch.cat([samples(), torch.zeros(5, N)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(lambda_=0.01).encode(torch.zeros(5, N))
        gs.encode_in_batches(model(lambda_=0.01), data, batch_size=5)


def test_lambda_max_of_the_group_soft_threshold_is_the_largest_group_norm():
    network, data = model("shallow", (2,)), samples()
    expected = gs.group_norms(data @ network.dictionary, D).amax((-2, -1))
    found = gs.lambda_max(data, network.dictionary, gs.group_soft_threshold, D)
    # Bisection to 2^-40 of the norm, in float32.
    torch.testing.assert_close(found, expected.detach(), rtol=1e-6, atol=0)


def test_lambda_max_takes_what_a_model_takes_and_refuses_the_rest():
    data, dictionary = samples(), gs.random_dictionary(N, M, 0)
    expected = gs.lambda_max(data, dictionary, "group_soft", D)
    for other in (data.numpy(), data.double(), pd.DataFrame(data.numpy())):
        assert gs.lambda_max(other, dictionary.numpy(), gs.group_soft_threshold, D) == expected
    for bad, message in ((data.T, "must have shapes"), (data[0], "must have shapes")):
        with pytest.raises(ValueError, match=message):
            gs.lambda_max(bad, dictionary, "group_soft", D)
    with pytest.raises(ValueError, match="NaN or infinite"):
        gs.lambda_max(data * float("nan"), dictionary, "group_soft", D)
    assert gs.lambda_max(data, dictionary, lambda v, t, d: v, D) == float("inf")


@every_encoder
@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_dictionary_that_is_zero_or_not_finite_does_not_encode(encoder, value):
    network = model(encoder)
    with torch.no_grad():
        network.dictionary.fill_(value)
    for encode in (network.encode, lambda y: gs.encode_in_batches(network, y)):
        with pytest.raises(FloatingPointError, match="the dictionary is zero or not finite"):
            encode(samples())


@every_encoder
def test_an_activation_of_another_shape_is_refused(encoder):
    network = gs.Autoencoder(torch.eye(4), lambda v, t, d: v[..., :3], 0.1, 2, encoder)
    with pytest.raises(ValueError, match=r"activation gave codes of shape \(5, 3\)|size"):
        network.encode(torch.ones(5, 4))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"group_size": 5}, ValueError, "group_size 5 does not divide 24 entries"),
        ({"std": -1.0}, ValueError, "std must be finite and at least 0, not -1.0"),
        ({"std": float("nan")}, ValueError, "std must be finite"),
        ({"samples": 0}, ValueError, "samples must be a whole number of at least 1, not 0"),
        ({"dictionary": torch.zeros(24)}, ValueError, r"shape \(n, m\), not \(24,\)"),
        ({"active_groups": 9}, ValueError, "need 0 < active_groups <= 8, not 9"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(change, error, message):
    arguments = {"dictionary": gs.random_dictionary(10, 24, 0), "group_size": 3, "std": 0.1}
    arguments |= {"active_groups": 2, "amplitude": (4.0, 5.0), "samples": 9, "generator": 1}
    assert gs.sample(**arguments).data.shape == (9, 10)
    with pytest.raises(error, match=message):
        gs.sample(**{**arguments, **change})


def test_a_seed_is_as_good_as_its_generator():
    assert torch.equal(gs.random_dictionary(5, 8, 3), gs.random_dictionary(5, 8, rng(3)))
    truth = gs.random_dictionary(5, 8, 3).double()
    first, second = (gs.sample(truth, 2, 1, (4, 5), 7, g, std=0.1).data for g in (4, rng(4)))
    assert torch.equal(first, second)
    assert first.dtype == torch.float64


def test_codes_as_tensors_are_clustered_and_counted():
    codes = model(lambda_=0.1).encode(samples(60))
    expected = codes.detach().numpy()
    assert (gs.cluster(codes, 3, "kmeans", 0) == gs.cluster(expected, 3, "kmeans", 0)).all()
    assert gs.sparsity(codes, D) == gs.sparsity(expected, D)
    assert (gs.nonnegative_normalized(codes) == gs.nonnegative_normalized(expected)).all()
    with pytest.raises(ValueError, match="group_size 3 does not divide 8"):
        gs.sparsity(codes, 3)


def test_batches_are_refused_that_are_no_function_of_the_epoch():
    for batches in (samples(), samples().numpy(), [samples()], None):
        with pytest.raises(TypeError, match=r"such as FixedData\(data, batch_size=100\), not"):
            gs.train(model(), batches, epochs=1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": -1}, ValueError, "epochs must be a whole number of at least 0, not -1"),
        ({"epochs": 2.5}, ValueError, "epochs must be a whole number"),
        ({"checkpoint_every": 0}, ValueError, "checkpoint_every must be a whole number of at le"),
        ({"metrics": lambda a: {"loss": 1.0}}, ValueError, "other names than loss"),
        ({"metrics": lambda a: {"norms": a.norm(dim=0)}}, ValueError, r"not norms of shape \(8,\)"),
    ],
)
def test_bad_options_of_a_training_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        gs.train(model(), gs.FixedData(samples()), **{"epochs": 1, **options})


def test_metrics_may_be_numbers():
    truth = gs.random_dictionary(N, M, 5)
    history = gs.train(
        model(), gs.FixedData(samples()), epochs=2,
        metrics=lambda a: {"lost": gs.invariant_squared_error(a, truth, D)},
    )  # fmt: skip
    assert history["lost"].shape == (3,)


def test_decoding_is_the_dictionary_times_the_codes():
    network = model(replicates=(2,))
    output = network(samples())
    assert torch.equal(network.decode(output.codes), output.reconstruction)
    assert torch.equal(network.decode(output.codes.detach().numpy()), output.reconstruction)
    with pytest.raises(ValueError, match=r"codes must have shape \(..., N, 8\), not \(5, 7\)"):
        network.decode(torch.zeros(5, 7))


@every_encoder
@pytest.mark.parametrize("replicates", [(), (2,)])
def test_training_and_encoding_use_the_same_step(encoder, replicates):
    network, data = model(encoder, replicates), samples()
    optimizer = torch.optim.SGD([network.dictionary], lr=1e-2)
    for scale in (1.0, 8.0, 1e-3, 1.0):
        with torch.no_grad():  # whatever happened to the dictionary since the last call
            network.dictionary[..., : M // 2] *= scale
        optimizer.zero_grad()
        value = network.loss(data)
        value.sum().backward()
        expected = gs.reconstruction_loss(data, network(data).reconstruction)
        # Sums in another order: float32 rounding, of energies where the Gram matrix is used.
        energy = float(data.square().sum(-1).mean()) if encoder != "shallow" else 0.0
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-6 * energy)
        optimizer.step()


def test_a_modality_that_grows_late_does_not_make_training_explode():
    # One block is silent at first and then outgrows the other: a step from the past is too large.
    n, k = 15, 10
    noise = rng(3)
    truth = gs.random_dictionary(n, k, noise)
    codes = torch.zeros(300, k).scatter_(1, torch.randint(k, (300, 1), generator=noise), 4.0)
    data = torch.zeros(300, 2 * n)
    data[:, n:] = 2 * codes @ truth.T
    init = torch.zeros(2 * n, 2 * k)
    init[:n, :k] = 1.5 * gs.random_dictionary(n, k, noise)
    init[n:, k:] = 0.8 * gs.normalize_columns(truth + 0.1 * torch.randn(n, k, generator=noise))
    network = gs.Autoencoder(init, "soft", 0.3, 1, "fista", 15)
    gs.train(network, gs.FixedData(data), epochs=300, lr=1e-2)
    steep = torch.linalg.matrix_norm(network.dictionary.detach().double(), ord=2) ** 2
    assert steep > 1.05 * 1.5**2 * 2, "the grown block decides the step"
    used = gs.unfolded(data, network.dictionary, gs.soft_threshold, 0.3, 1, 15, lipschitz=steep)
    expected = gs.reconstruction_loss(data, network.decode(used))
    torch.testing.assert_close(network.loss(data), expected.float(), rtol=1e-4, atol=0)


def hard(v: torch.Tensor, threshold: float | torch.Tensor, group_size: int) -> torch.Tensor:
    keep = gs.group_norms(v, group_size) > threshold / 2
    return v * keep.repeat_interleave(group_size, -1)


def top(v: torch.Tensor, threshold: float | torch.Tensor, group_size: int) -> torch.Tensor:
    """The one largest group of a sample: no function of each group by itself."""
    norms = gs.group_norms(v, group_size)
    return v * (norms == norms.amax(-1, keepdim=True)).repeat_interleave(group_size, -1)


@every_encoder
@pytest.mark.parametrize("prox", [hard, top])
def test_any_callable_is_an_activation(encoder, prox):
    # So few active groups that a registered activation would take the sparse path.
    dictionary, data = gs.random_dictionary(N, 60 * D, rng()), 3 * samples(300)
    network = gs.Autoencoder(dictionary, prox, 16.0, D, encoder, layers=4)
    output = network(data)
    active = float((output.codes != 0).double().mean())
    assert 0 < active < (0.1 if encoder == "shallow" else 1)
    expected = gs.reconstruction_loss(data, output.reconstruction)
    (gradient,) = torch.autograd.grad(expected, network.dictionary)
    value = network.loss(data)
    torch.testing.assert_close(value, expected, rtol=1e-5, atol=0)  # float32 sums
    torch.testing.assert_close(
        torch.autograd.grad(value, network.dictionary)[0], gradient, rtol=1e-4, atol=1e-4
    )
    history = gs.train(network, gs.FixedData(data), epochs=5, lr=1e-3)
    assert history["loss"][-1] < history["loss"][1]


def test_a_registered_function_goes_by_its_name():
    assert model(prox=gs.group_soft_threshold).prox == "group_soft"


def test_one_edit_registers_an_activation_for_models_and_configs(monkeypatch):
    from groupsparse import prox

    monkeypatch.setattr(prox, "PROX", dict(prox.PROX))
    for module in ("autoencoder", "topk"):
        monkeypatch.setattr(f"groupsparse.{module}.PROX", prox.PROX)
    prox.activation("mine", grouped=True, convex=False)(hard)
    assert model(prox="mine").encode(samples()).any()
    with pytest.raises(ValueError, match="an activation 'mine' already"):
        prox.activation("mine", grouped=True)(top)


@every_encoder
@pytest.mark.parametrize("lambda_", [0.1, 1 / 3, [0.1, 1 / 3]])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_saved_model_comes_back_with_the_same_bits(tmp_path, encoder, lambda_, dtype):
    network = model(encoder, (2,), dtype, lambda_=lambda_, backprop=2)
    gs.train(network, gs.FixedData(samples(), [0, 1], 5), epochs=2)
    network.save(tmp_path / "model")
    again = gs.Autoencoder.load(tmp_path / "model")
    assert again.config() == network.config()
    assert torch.equal(again.dictionary, network.dictionary)
    assert torch.equal(again.encode(samples()), network.encode(samples()))
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["shape"] == [2, N, M]
    assert config["prox"] == "group_soft"
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "config.json", "weights.safetensors",
    ]  # fmt: skip


def test_the_config_of_a_saved_model_may_be_edited(tmp_path):
    model().save(tmp_path)
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"lambda_": 0.5', '"lambda_": 0.25'))
    assert gs.Autoencoder.load(tmp_path).lambda_ == 0.25


def test_a_save_that_fails_leaves_the_model_that_was_there(tmp_path):
    model().save(tmp_path)
    broken = model(lambda_=0.7)
    broken.layers = object()  # nothing that JSON can say
    with pytest.raises(TypeError):
        broken.save(tmp_path)
    assert gs.Autoencoder.load(tmp_path).lambda_ == 0.5


def test_numbers_of_numpy_are_numbers(tmp_path):
    network = model(lambda_=np.float32(0.5), layers=np.int64(4), group_size=np.int64(2))
    batches = gs.FixedData(samples(), np.int64(3), np.int64(5))
    path = tmp_path / "checkpoint"
    gs.train(network, batches, epochs=np.int64(2), lr=np.float32(1e-3), checkpoint=path)
    network.save(tmp_path / "model")
    assert gs.Autoencoder.load(tmp_path / "model").config() == network.config()


def test_an_activation_of_ones_own_is_given_when_loading(tmp_path):
    model(prox=hard).save(tmp_path)
    with pytest.raises(ValueError, match=r"activation 'test_library.hard': give it as load\("):
        gs.Autoencoder.load(tmp_path)
    again = gs.Autoencoder.load(tmp_path, prox=hard)
    assert torch.equal(again.encode(samples()), model(prox=hard).encode(samples()))


def damage(name: str):
    def action(folder):
        path = folder / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    return action


@pytest.mark.parametrize(
    ("action", "named"),
    [
        (damage("weights.safetensors"), "weights.safetensors"),
        (lambda f: (f / "config.json").write_text("{}"), "config.json"),
        (lambda f: (f / "config.json").write_text("[]"), "config.json"),
        (lambda f: (f / "config.json").write_text("{"), "config.json"),
        (lambda f: model(replicates=(2,)).save(f / "other") or
         (f / "other" / "weights.safetensors").replace(f / "weights.safetensors"), "of another"),
        (lambda f: (f / "config.json").write_text(
            (f / "config.json").read_text().replace("fista", "lista")), "unknown encoder 'lista'"),
        (lambda f: (f / "config.json").write_text(
            (f / "config.json").read_text().replace("layers", "leyers")), "leyers"),
    ],
)  # fmt: skip
def test_a_damaged_model_is_named_and_not_loaded(tmp_path, action, named):
    model().save(tmp_path)
    action(tmp_path)
    with pytest.raises(CorruptArtifactError, match=named) as raised:
        gs.Autoencoder.load(tmp_path)
    assert str(tmp_path) in str(raised.value)


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors"])
def test_a_model_that_is_missing_is_not_called_damaged(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=r"nowhere.* give load the folder that Autoencoder"):
        gs.Autoencoder.load(tmp_path / "nowhere")
    model().save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"there is no .*{name}"):
        gs.Autoencoder.load(tmp_path)


def test_a_model_of_another_class_is_named_with_the_class_that_loads_it(tmp_path):
    untied = gs.UntiedAutoencoder(model().dictionary.detach(), "group_soft", 0.5, D)
    events = gs.ConvolutionalAutoencoder(torch.ones(2, 3), lambda_=0.1, layers=1)
    for saved, other in (
        (untied, gs.Autoencoder), (model(), gs.UntiedAutoencoder),
        (events, gs.Autoencoder), (model(), gs.ConvolutionalAutoencoder),
    ):  # fmt: skip
        saved.save(tmp_path)
        kind = type(saved).__name__
        with pytest.raises(ValueError, match=f"holds a model of {kind}: load it by {kind}.load"):
            other.load(tmp_path)


def test_the_representation_says_what_the_model_is():
    assert "shape=(12, 8), prox='group_soft', lambda_=0.5, group_size=2" in repr(model())


METRICS = {
    "squared_error": lambda a, b: gs.squared_error(a, b),
    "mean_correlation": lambda a, b: gs.mean_correlation(a, b),
    "invariant_squared_error": lambda a, b: gs.invariant_squared_error(a, b, D),
    "aligned_squared_error": lambda a, b: gs.aligned_squared_error(a, b, D),
}


@pytest.mark.parametrize("name", METRICS)
def test_metrics_take_arrays_and_refuse_what_does_not_fit(name):
    metric = METRICS[name]
    estimate = torch.randn(N, M, generator=rng(1))
    truth = torch.randn(N, M, generator=rng(2))
    expected = metric(estimate, truth)
    assert metric(estimate.numpy(), truth.numpy()) == expected
    assert metric(torch.nn.Parameter(estimate), truth) == expected
    assert metric(estimate.double(), truth) == expected
    with pytest.raises(ValueError, match=r"estimate \(8, 12\) and truth \(12, 8\) must be"):
        metric(estimate.T, truth)
    with pytest.raises(TypeError, match="estimate must be floating point"):
        metric(estimate.long(), truth)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["random", "data", "kmeans", "spectral", "pca", "class"])
def test_initial_dictionaries_come_from_arrays_too(name, dtype):
    data = torch.randn(60, 6, generator=rng()).numpy().astype(dtype)
    labels = np.arange(60) % 4
    found = gs.initialize(name, data, 4, 3, labels=labels)
    expected = gs.initialize(name, torch.from_numpy(data), 4, 3, 0, torch.from_numpy(labels))
    assert torch.equal(found, expected)
    assert found.numpy().dtype == dtype


@pytest.mark.parametrize("names", [[1, 2, 3], [100, 200, 300], [0.5, 1.5, 2.5], ["a", "b", "c"]])
def test_classes_may_have_any_names(names):
    data = torch.randn(60, 6, generator=rng())
    labels = np.arange(60) % 3
    expected = gs.initialize("class", data, 3, 4, labels=labels)
    assert torch.equal(gs.initialize("class", data, 3, 4, labels=np.array(names)[labels]), expected)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"data": torch.zeros(3, 5, 6)}, ValueError, r"shape \(N, n\), not \(3, 5, 6\)"),
        ({"group_size": 0}, ValueError, "group_size 0 does not divide"),
        ({"labels": np.zeros(3)}, ValueError, "20 samples need as many labels"),
        ({"labels": np.arange(20) % 3}, ValueError, "labels of 3 classes do not fit 2 groups"),
        ({"seed": -1}, ValueError, "seed must be a whole number of at least 0, not -1"),
        ({"data": np.zeros((20, 6), int)}, TypeError, "data must be floating point, not int64"),
    ],
)
def test_bad_arguments_of_an_initial_dictionary_are_named(arguments, error, message):
    defaults = {"name": "class", "data": torch.ones(20, 6), "groups": 2, "group_size": 2}
    with pytest.raises(error, match=message):
        gs.initialize(**{**defaults, "labels": np.zeros(20), **arguments})


def test_prox_functions_take_arrays_and_refuse_thresholds_that_are_none():
    v = np.array([3.0, 4.0, 0.3, 0.4])
    assert gs.group_soft_threshold(v, 1.0, 2).tolist() == pytest.approx([2.4, 3.2, 0, 0])
    for name in ("group_soft", "group_soft_nonnegative", "soft", "relu"):
        prox = gs.PROX[name]
        assert torch.equal(prox(v, 0.5, 2), prox(torch.from_numpy(v), 0.5, 2))
        for threshold in (-1.0, float("nan")):
            with pytest.raises(ValueError, match="threshold must be finite and at least 0"):
                prox(v, threshold, 2)
