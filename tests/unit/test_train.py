"""The training loop: reproducible, resumable bit for bit, and the same contract for all methods."""

import pytest
import torch
import yaml
from conftest import ROOT

from groupsparse.autoencoder import Autoencoder, reconstruction_loss
from groupsparse.controls import CONTROLS
from groupsparse.generative import random_dictionary, sample
from groupsparse.recovery import squared_error
from groupsparse.seeds import derive_seed, generator
from groupsparse.train import DivergedError, FixedData, FreshData, train

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
ENTRIES = [
    pytest.param(spec, id=f"{experiment}-{name}")
    for experiment in ("simulation", "clustering")
    for name, spec in CONFIG[experiment]["methods"].items()
]
MODEL = {"group_size": 2, "active_groups": 2, "amplitude": (4.0, 5.0), "samples": 60}
SEEDS = [3, 4]


@pytest.fixture
def tensors():
    """Two replicates of a small simulation, as the artefact of simulate_data.py holds it."""
    truths = [random_dictionary(12, 16, generator(s, "A")) for s in SEEDS]
    arguments = {**MODEL, "std": 0.1}
    samples = [sample(a, generator=generator(s, "y"), **arguments) for a, s in zip(truths, SEEDS, strict=True)]  # fmt: skip  # noqa: E501
    return {
        "dictionary": torch.stack(truths),
        "data": torch.stack([s.data for s in samples]),
        "groups": torch.stack([s.codes.groups for s in samples]),
        "values": torch.stack([s.codes.values for s in samples]),
    }


def sources(tensors):
    return {
        "fixed": FixedData(tensors["data"], SEEDS, batch_size=25),
        "full batch": FixedData(tensors["data"], SEEDS),
        "fresh": FreshData(tensors["dictionary"], [0.1, 0.1], SEEDS, **MODEL),
    }


def new_model(tensors, spec=None):
    spec = spec or CONFIG["simulation"]["methods"]["group_sparse"]
    noise = torch.randn(tensors["dictionary"].shape, generator=generator(0))
    start = tensors["dictionary"] + 0.2 * noise
    return Autoencoder(start, spec["prox"], 0.5, 2, spec["encoder"], spec["layers"])


@pytest.mark.parametrize("source", ["fixed", "full batch", "fresh"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_resumed_training_equals_uninterrupted_training_bit_for_bit(
    tensors, source, optimizer, tmp_path
):
    batches, checkpoint = sources(tensors)[source], tmp_path / "checkpoint.safetensors"
    options = {"epochs": 11, "lr": 1e-2, "optimizer": optimizer, "checkpoint_every": 3}
    options["metrics"] = lambda a: {"error": squared_error(a, tensors["dictionary"])}
    whole = new_model(tensors)
    expected = train(whole, batches, **options)

    seen = []

    def interrupted(epoch):
        seen.append(epoch)
        if epoch == 8 and seen.count(8) == 1:
            raise KeyboardInterrupt
        return batches(epoch)

    with pytest.raises(KeyboardInterrupt):
        train(new_model(tensors), interrupted, checkpoint=checkpoint, **options)
    assert checkpoint.exists()
    resumed = new_model(tensors)
    history = train(resumed, interrupted, checkpoint=checkpoint, **options)
    assert seen == [*range(1, 9), *range(7, 12)], "training went on after epoch 6"
    assert torch.equal(resumed.dictionary, whole.dictionary)
    for name, values in expected.items():
        assert torch.equal(history[name][1:], values[1:]), name
    assert not checkpoint.exists()


@pytest.mark.parametrize("damage", ["other parameters", "corrupt"])
def test_a_checkpoint_that_does_not_fit_is_not_used(tensors, damage, tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    batches = sources(tensors)["fixed"]

    def stop(epoch):
        if epoch == 3:
            raise KeyboardInterrupt
        return batches(epoch)

    options = {"epochs": 5, "lr": 1e-2, "checkpoint": checkpoint, "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        train(new_model(tensors), stop, fingerprint="a", **options)
    if damage == "corrupt":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-7])
    other = new_model(tensors)
    train(other, batches, fingerprint="b" if damage == "other parameters" else "a", **options)
    clean = new_model(tensors)
    train(clean, batches, epochs=5, lr=1e-2)
    assert torch.equal(other.dictionary, clean.dictionary)


@pytest.mark.parametrize("source", ["fixed", "fresh"])
def test_the_same_seed_gives_the_same_bits_and_another_seed_other_data(tensors, source):
    first, second = (
        torch.cat(list(sources(tensors)[source](epoch)), dim=1) for epoch in (1, 1)
    )
    assert torch.equal(first, second)
    other = torch.cat(list(sources(tensors)[source](2)), dim=1)
    assert not torch.equal(first, other)
    assert derive_seed(1, "a") != derive_seed(1, "b")


def test_an_epoch_of_mini_batches_visits_every_sample_once(tensors):
    batches = list(sources(tensors)["fixed"](4))
    assert [b.shape[1] for b in batches] == [25, 25, 10]
    seen = torch.cat(batches, dim=1)
    for r in range(2):
        assert torch.equal(seen[r].sort(0).values, tensors["data"][r].sort(0).values)


def test_replicates_trained_together_equal_replicates_trained_alone(tensors):
    together = new_model(tensors)
    train(together, FixedData(tensors["data"], SEEDS), epochs=10, lr=1e-2)
    for r in range(2):
        alone = new_model(tensors)
        alone.dictionary = torch.nn.Parameter(alone.dictionary.detach()[r : r + 1])
        train(alone, FixedData(tensors["data"][r : r + 1], SEEDS[r : r + 1]), epochs=10, lr=1e-2)
        # Ten Adam steps of 1e-2; float32 rounding of the products enters at about 1e-6 each.
        torch.testing.assert_close(alone.dictionary[0], together.dictionary[r], atol=1e-4, rtol=0)


def test_one_sgd_step_follows_the_gradient_of_the_loss(tensors):
    model = new_model(tensors).double()
    data = tensors["data"].double()
    start = model.dictionary.detach().clone()
    (gradient,) = torch.autograd.grad(
        reconstruction_loss(data, model(data).reconstruction).sum(), model.dictionary
    )
    direction = torch.randn(start.shape, generator=generator(9), dtype=torch.float64)
    step = 1e-6
    with torch.no_grad():
        values = []
        for sign in (1, -1):
            model.dictionary.copy_(start + sign * step * direction)
            values.append(reconstruction_loss(data, model(data).reconstruction).sum())
        model.dictionary.copy_(start)
    # Central differences err by O(step^2) relative plus rounding 1e-16 / step.
    numeric = (values[0] - values[1]) / (2 * step)
    torch.testing.assert_close(numeric, (gradient * direction).sum(), rtol=1e-6, atol=0)
    train(model, FixedData(data, SEEDS), epochs=1, lr=0.1, optimizer="sgd")
    torch.testing.assert_close(model.dictionary.detach(), start - 0.1 * gradient)


def test_normalize_keeps_unit_atoms(tensors):
    model = new_model(tensors)
    train(model, FixedData(tensors["data"], SEEDS), epochs=3, lr=1e-2, normalize=True)
    norms = model.dictionary.detach().norm(dim=-2)
    torch.testing.assert_close(norms, torch.ones_like(norms))


@pytest.mark.parametrize("cause", ["learning rate", "nan in the data"])
def test_divergence_stops_with_epoch_and_likely_cause(tensors, cause):
    data = tensors["data"].clone()
    if cause == "nan in the data":
        data[1, 0, 0] = torch.nan
    lr = 1e8 if cause == "learning rate" else 1e-3
    with pytest.raises(DivergedError, match=r"epoch \d+ .*replicates.*Likely cause.*lr = "):
        train(new_model(tensors), FixedData(data, SEEDS), epochs=50, lr=lr, optimizer="sgd")


@pytest.mark.parametrize("spec", ENTRIES)
def test_every_method_of_the_config_keeps_the_contract(spec, tensors):
    epochs = 4

    def outcome():
        batches = sources(tensors)["full batch"]
        if "control" in spec:
            return CONTROLS[spec["control"]](tensors, batches, epochs, SEEDS)
        model = new_model(tensors, spec)
        metric = {"metrics": lambda a: {"squared_error": squared_error(a, tensors["dictionary"])}}
        history = train(model, batches, epochs=epochs, lr=1e-3, **metric)
        assert model.encode(tensors["data"]).shape == (2, 60, 16)
        return model.dictionary.detach(), history

    dictionary, history = outcome()
    assert dictionary.shape == tensors["dictionary"].shape
    assert torch.isfinite(dictionary).all()
    assert history["squared_error"].shape == (epochs + 1, 2)
    assert torch.isfinite(history["squared_error"][1:]).all()
    again, _ = outcome()
    assert torch.equal(dictionary, again)


@pytest.mark.parametrize("spec", [e for e in ENTRIES if "control" not in e.values[0]])
def test_every_method_lowers_its_loss(spec, tensors):
    model = new_model(tensors, spec)
    history = train(model, FixedData(tensors["data"], SEEDS), epochs=60, lr=1e-2)
    assert (history["loss"][-1] < history["loss"][1]).all()
