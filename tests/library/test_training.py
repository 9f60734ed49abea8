"""The training loop: reproducible bits, exact resume, honest failure; the contract of methods."""

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData, FreshData, FreshNoise, StreamedData
from groupsparse.checkpoints import program
from groupsparse.convolutional import ConvolutionalAutoencoder
from groupsparse.dictionary import normalize_columns, perturb
from groupsparse.generative import Codes, decode, random_dictionary, sample
from groupsparse.loss import reconstruction_loss
from groupsparse.prox import PROX
from groupsparse.recovery import squared_error
from groupsparse.seeds import derive_seed, generator
from groupsparse.training import DivergedError, train
from groupsparse.trials import TrialData
from recovery.controls import CONTROLS

CONFIG = yaml.safe_load((Path(__file__).resolve().parents[2] / "config.yaml").read_text())
METHODS = [
    pytest.param(spec, id=f"{experiment}-{name}")
    for experiment in ("recovery", "clustering")
    for name, spec in CONFIG[experiment]["methods"].items()
]
N, GROUPS, D = 20, 8, 2
M = GROUPS * D
SETTING = {"group_size": D, "active_groups": 1, "amplitude": (4.0, 5.0), "samples": 96}
STD = 0.2
EPOCHS = 7


def simulation(replicates: int = 2, first: int = 0) -> dict[str, torch.Tensor]:
    """What recovery.simulate writes, small: replicate r depends on ``first + r`` alone."""
    truths, inits, samples = [], [], []
    for r in range(first, first + replicates):
        truth = random_dictionary(N, M, generator("dictionary", r))
        truths.append(truth)
        inits.append(perturb(truth, 0.7, generator("init", r)))
        model = {k: v for k, v in SETTING.items() if k != "samples"}
        samples.append(sample(truth, samples=96, generator=generator("data", r), std=STD, **model))
    return {
        "dictionary": torch.stack(truths),
        "init": torch.stack(inits),
        "data": torch.stack([s.data for s in samples]),
        "groups": torch.stack([s.codes.groups for s in samples]),
        "values": torch.stack([s.codes.values for s in samples]),
    }


def seeds(replicates: int = 2, first: int = 0) -> list[int]:
    return [derive_seed("training", r) for r in range(first, first + replicates)]


def fixed(replicates=2, first=0, batch_size=32):
    data = simulation(replicates, first)["data"]
    return FixedData(data, seeds(replicates, first), batch_size)


def fresh(replicates=2, first=0):
    truth = simulation(replicates, first)["dictionary"]
    return FreshData(truth, [STD] * replicates, seeds(replicates, first), **SETTING)


def fresh_noise(replicates=2, first=0):
    truth = simulation(replicates, first)["dictionary"]
    drawn = fresh(replicates, first).samples(0)
    codes = Codes(*(torch.stack(part) for part in zip(*(s.codes for s in drawn), strict=True)))
    return FreshNoise(truth, codes, [STD] * replicates, seeds(replicates, first))


SAMPLING = {"fixed": fixed, "fresh": fresh, "fresh_noise": fresh_noise}
UNFOLDED = {"prox": "group_soft", "lambda": 0.5, "encoder": "fista", "layers": 5}
either_sampling = pytest.mark.parametrize("sampling", SAMPLING)
either_optimizer = pytest.mark.parametrize("optimizer", ["adam", "sgd"])


def run(batches, replicates=2, first=0, spec=None, **options):
    """Train a small model: dictionary and history."""
    spec = spec or {"prox": "group_soft", "lambda": 1.0}
    tensors = simulation(replicates, first)
    model = Autoencoder(
        tensors["init"],
        spec["prox"],
        # A matched threshold is a number by the time a model is made; here any will do.
        1.0 if isinstance(spec["lambda"], dict) else spec["lambda"],
        D,
        spec.get("encoder", "shallow"),
        spec.get("layers", 1),
    )
    options = {
        "epochs": EPOCHS,
        "lr": 1e-2,
        "metrics": lambda a: {"squared_error": squared_error(a, tensors["dictionary"])},
        **options,
    }
    history = train(model, batches, **options)
    return model.dictionary.detach(), history


def same(first, second) -> bool:
    """Equal to the last bit: dictionary and history (the loss of epoch 0 is NaN in both)."""
    bits = [torch.equal(first[0], second[0]), first[1].keys() == second[1].keys()]
    bits += [
        torch.equal(v.nan_to_num(-1), second[1][k].nan_to_num(-1)) for k, v in first[1].items()
    ]
    return all(bits)


class Interrupted(RuntimeError):
    pass


class Interrupt:
    """Batches that fail in the middle of an epoch, after its first batch."""

    def __init__(self, batches, epoch):
        self.batches, self.epoch = batches, epoch
        self.fingerprint = batches.fingerprint

    def __call__(self, epoch):
        for batch in self.batches(epoch):
            yield batch
            if epoch == self.epoch:
                raise Interrupted


class Recording:
    """Batches that note the epochs which were asked for."""

    def __init__(self, batches):
        self.batches, self.epochs = batches, []
        self.fingerprint = batches.fingerprint

    def __call__(self, epoch):
        self.epochs.append(epoch)
        return self.batches(epoch)


def interrupt(batches, checkpoint, epoch=6, **options):
    with pytest.raises(Interrupted):
        run(Interrupt(batches, epoch), checkpoint=checkpoint, checkpoint_every=2, **options)
    assert checkpoint.exists()


@either_sampling
def test_the_same_seed_gives_the_same_bits(sampling):
    assert same(run(SAMPLING[sampling]()), run(SAMPLING[sampling]()))


@either_sampling
def test_other_seeds_give_another_result(sampling):
    batches = SAMPLING[sampling]()
    if sampling in ("fixed", "fresh_noise"):
        batches.seeds = [s + 1 for s in batches.seeds]
    else:
        batches.replicates = [(a, std, s + 1) for a, std, s in batches.replicates]
    assert not torch.equal(run(batches)[0], run(SAMPLING[sampling]())[0])


@either_sampling
def test_batches_are_a_function_of_the_epoch_alone(sampling):
    batches = SAMPLING[sampling]()
    first = [list(batches(e)) for e in (1, 2, 3)]
    again = list(batches(2))
    assert all(torch.equal(a, b) for a, b in zip(first[1], again, strict=True))
    assert not torch.equal(first[0][0], first[1][0])


def test_an_epoch_of_minibatches_has_every_sample_once():
    batches = fixed(batch_size=40)
    parts = list(batches(3))
    assert [part.shape[1] for part in parts] == [40, 40, 16]
    for r, epoch in enumerate(torch.cat(parts, 1)):
        assert sorted(epoch.tolist()) == sorted(batches.data[r].tolist())


def test_replicates_see_shared_data_in_orders_of_their_own():
    batches = FixedData(simulation(1)["data"][0], seeds(2), 96)
    first, second = next(iter(batches(1)))
    assert not torch.equal(first, second)
    assert sorted(first.tolist()) == sorted(second.tolist())


@either_sampling
@either_optimizer
@pytest.mark.parametrize(
    ("normalize", "decay"), [(False, None), (True, "cosine"), ("orthonormal", "cosine")]
)
def test_interrupted_and_resumed_training_equals_uninterrupted_bit_for_bit(
    tmp_path, sampling, optimizer, normalize, decay
):
    options = {"optimizer": optimizer, "normalize": normalize, "decay": decay}
    expected = run(SAMPLING[sampling](), **options)
    checkpoint = tmp_path / "checkpoint"
    interrupt(SAMPLING[sampling](), checkpoint, **options)
    resumed = Recording(SAMPLING[sampling]())
    result = run(resumed, checkpoint=checkpoint, checkpoint_every=2, **options)
    assert resumed.epochs == [5, 6, 7]
    assert same(result, expected)
    assert checkpoint.exists(), "the caller removes it once its results are safe"


def test_training_that_is_interrupted_twice_equals_uninterrupted(tmp_path):
    checkpoint = tmp_path / "checkpoint"
    interrupt(fixed(), checkpoint, epoch=4)
    interrupt(fixed(), checkpoint, epoch=6)
    assert same(run(fixed(), checkpoint=checkpoint, checkpoint_every=2), run(fixed()))


def test_checkpoints_do_not_change_the_result(tmp_path):
    with_checkpoints = run(fixed(), checkpoint=tmp_path / "checkpoint", checkpoint_every=1)
    assert same(with_checkpoints, run(fixed()))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"fingerprint": ["other data"]},
            "made with fingerprint ['data'], this run has ['other data']",
        ),
        ({"fingerprint": ["1" * 64]}, "it differs in its fingerprint"),
        ({"lr": 2e-2}, "it was made with lr 0.01, this run has 0.02"),
        ({"lr": 2e-2, "normalize": True}, "lr 0.01, this run has 0.02; it was made with normalize"),
        ({"epochs": 2}, "it is at epoch 4, this run ends at 2"),
        (
            {"spec": {"prox": "group_soft", "lambda": 0.9}},
            "it was made with lambda_ 1.0, this run has 0.9",
        ),
        ({"metrics": lambda a: {"mean": a.mean((-2, -1))}}, "it differs in its metrics"),
        ({"optimizer": "sgd"}, "it was made with optimizer 'Adam', this run has 'SGD'"),
        ({"normalize": True}, "it was made with normalize False, this run has True"),
        ({"normalize": "orthonormal"}, "made with normalize False, this run has 'orthonormal'"),
        ({"decay": "cosine"}, "it was made with decay None, this run has 'cosine'"),
    ],
)
def test_a_checkpoint_of_other_parameters_is_not_used(tmp_path, caplog, change, reason):
    checkpoint = tmp_path / "checkpoint"
    interrupt(fixed(), checkpoint, fingerprint=["data"])
    options = {"fingerprint": ["data"], **change}
    anew = Recording(fixed())
    result = run(anew, checkpoint=checkpoint, **options)
    assert anew.epochs[0] == 1
    assert same(result, run(fixed(), **options))
    assert f"starting over, and {checkpoint} will be overwritten: it" in caplog.text
    assert reason in caplog.text


def test_a_checkpoint_of_other_code_is_not_used(tmp_path, monkeypatch, caplog):
    checkpoint = tmp_path / "checkpoint"
    interrupt(fixed(), checkpoint)
    monkeypatch.setattr("groupsparse.checkpoints.source_digest", lambda: "other")
    anew = Recording(fixed())
    run(anew, checkpoint=checkpoint)
    assert anew.epochs[0] == 1
    assert "it differs in its version of groupsparse\n" in caplog.text, "and in nothing else"


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


@pytest.mark.parametrize("damage", [truncated, flipped, lambda content: b""])
def test_a_corrupt_checkpoint_is_not_used(tmp_path, caplog, damage):
    checkpoint = tmp_path / "checkpoint"
    interrupt(fixed(), checkpoint)
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    anew = Recording(fixed())
    result = run(anew, checkpoint=checkpoint)
    assert anew.epochs[0] == 1
    assert same(result, run(fixed()))
    assert f"{checkpoint} will be overwritten: it is damaged" in caplog.text
    assert "elete" not in caplog.text, "it is done without"


def test_another_file_than_a_checkpoint_is_not_overwritten(tmp_path):
    files = {"model": None, "data.npy": np.arange(9.0).tobytes(), "text": b"a,b"}
    files |= {"notes": b"Delete the checkpoint.", "state.json": b'{"kind": "checkpoint"}'}
    save_tensors(tmp_path / "model", {"dictionary": torch.zeros(2, N, M)}, kind="dictionary")
    for name, content in files.items():
        path = tmp_path / name
        if content:
            path.write_bytes(content)
        before = path.read_bytes()
        with pytest.raises(ValueError, match=f"{name} is no checkpoint: delete it or name another"):
            run(fixed(), checkpoint=path)
        assert path.read_bytes() == before
    with pytest.raises(ValueError, match="is a folder"):
        run(fixed(), checkpoint=tmp_path)


OTHER_DATA = {
    "differs in its data": lambda d: FixedData(1.1 * d, seeds(), 32),
    "it differs in its data": lambda d: FixedData(d[:, :90], seeds(), 32),
    "made with batch_size 32, this run has 48": lambda d: FixedData(d, seeds(), 48),
    "it was made with seeds [": lambda d: FixedData(d, seeds(2, 5), 32),
    "with block 0, this run has 50": lambda d: FixedData(d, seeds(), 32, block=50),
    ": it differs in its data": lambda d: FixedData(d[0], seeds(), 32),
    "with kind 'fixed', this run has 'fresh'": lambda d: fresh(),
    "with kind 'fixed', this run has 'fresh noise'": lambda d: fresh_noise(),
}


@pytest.mark.parametrize("reason", OTHER_DATA)
def test_a_checkpoint_of_other_data_is_not_used(tmp_path, caplog, reason):
    checkpoint = tmp_path / "checkpoint"
    run(fixed(), checkpoint=checkpoint, epochs=2)
    other = Recording(OTHER_DATA[reason](simulation()["data"]))
    assert same(run(other, checkpoint=checkpoint), run(other))
    assert other.epochs[0] == 1
    assert reason in caplog.text


@pytest.mark.parametrize("data", ["fixed", "fresh", "fresh_noise", "streamed"])
def test_equal_data_have_equal_fingerprints(tmp_path, data):
    np.save(tmp_path / "data.npy", simulation()["data"][0].numpy())
    make = SAMPLING | {"streamed": lambda: StreamedData(tmp_path / "data.npy", [0, 1], 32, 64)}
    first, second = make[data]().fingerprint(), make[data]().fingerprint()
    assert json.dumps(first) == json.dumps(second)


def test_fresh_noise_keeps_the_codes_and_draws_other_noise_in_every_epoch():
    batches = fresh_noise()
    first, second = batches.samples(1), batches.samples(2)
    for a, b, truth in zip(first, second, simulation()["dictionary"], strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a.codes, b.codes, strict=True))
        signal = decode(truth, a.codes)
        noises = [(s.data - signal) / STD for s in (a, b)]
        # A standard deviation of k normal numbers is 1 / sqrt(2 k) off, a correlation 1 / sqrt(k).
        tolerance = 5 / signal.numel() ** 0.5
        assert all(abs(float(noise.std()) - 1) < tolerance for noise in noises)
        assert abs(float((noises[0] * noises[1]).mean())) < tolerance
    again = fresh_noise().samples(1)
    assert all(torch.equal(a.data, b.data) for a, b in zip(first, again, strict=True))


def test_replicates_have_seeds_of_their_own_by_default():
    data = torch.arange(60.0).view(3, 10, 2)
    assert FixedData(data, batch_size=4).seeds == [0, 1, 2]
    assert FixedData(data[0]).seeds == [0]


def test_a_seed_of_fresh_samples_is_a_number():
    dictionary, options = torch.eye(4).unsqueeze(0), {"group_size": 2, "active_groups": 1}
    options |= {"amplitude": (1.0, 2.0), "samples": 5}
    one, same = (next(FreshData(dictionary, [0.1], s, **options)(1)) for s in (7, [7]))
    assert torch.equal(one, same)
    codes = Codes(torch.zeros(1, 5, 1, dtype=torch.long), torch.ones(1, 5, 1, 2))
    one, same = (next(FreshNoise(dictionary, codes, [0.1], s)(1)) for s in (7, [7]))
    assert torch.equal(one, same)
    for make in (
        lambda s: FreshData(dictionary, [0.1], [s], **options),
        lambda s: FreshNoise(dictionary, codes, [0.1], [s]),
    ):
        for seed in (-1, 0.5):
            with pytest.raises(ValueError, match="a seed must be"):
                make(seed)


def test_fresh_noise_needs_one_of_all_for_each_replicate():
    codes = Codes(torch.zeros(2, 5, 1, dtype=torch.long), torch.ones(2, 5, 1, 2))
    with pytest.raises(ValueError, match="3 dictionaries need as many codes"):
        FreshNoise(torch.zeros(3, 4, 6), codes, [1.0] * 3, [0, 1, 2])


def test_a_checkpoint_from_another_start_is_not_used(tmp_path, caplog):
    checkpoint = tmp_path / "checkpoint"
    models = [Autoencoder(s * simulation()["init"], "group_soft", 1.0, D) for s in (1, 2)]
    for model in models:
        history = train(model, fixed(), epochs=2, checkpoint=checkpoint)
    assert "differs in its start" in caplog.text
    alone = Autoencoder(2 * simulation()["init"], "group_soft", 1.0, D)
    assert same(
        (models[1].dictionary, history), (alone.dictionary, train(alone, fixed(), epochs=2))
    )


def test_a_trained_model_goes_on_from_its_own_checkpoint(tmp_path):
    model = Autoencoder(simulation()["init"], "group_soft", 1.0, D)
    for epochs in (2, EPOCHS):
        history = train(
            model, fixed(), epochs=epochs, lr=1e-2, checkpoint=tmp_path / "checkpoint",
            metrics=lambda a: {"squared_error": squared_error(a, simulation()["dictionary"])},
        )  # fmt: skip
    assert same((model.dictionary.detach(), history), run(fixed()))


def test_an_edited_activation_of_ones_own_is_another(tmp_path, caplog):
    checkpoint = tmp_path / "checkpoint"
    for factor in (1.0, 1.0, 2.0):
        # As in a notebook: the same name, another body.
        program = f"def mine(v, t, d): return v * (v.abs() > {factor} * t)"
        scope = {}
        exec(program, scope)
        model = Autoencoder(simulation()["init"], scope["mine"], 1.0, D)
        seen = Recording(fixed())
        train(model, seen, epochs=2, checkpoint=checkpoint)
        assert seen.epochs == ([1, 2] if factor == 2 or not caplog.records else [])
        caplog.set_level("INFO")
    assert "differs in its model" in caplog.text


def test_what_an_activation_closes_over_is_part_of_it(tmp_path, caplog):
    def scaled(factor):
        return lambda v, t, d: v * (v.abs() > factor * t)

    for factor in (1.0, 2.0):
        model = Autoencoder(simulation()["init"], scaled(factor), 1.0, D)
        train(model, fixed(), epochs=2, checkpoint=tmp_path / "checkpoint")
    assert "differs in its model" in caplog.text


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, v, t, d):
        return v * (v.abs() > self.factor * t)


class Layer(torch.nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(factor))

    def forward(self, v, t, d):
        return v * (v.abs() > self.factor * t)


def scaled(v, t, d, factor=1.0):
    return v * (v.abs() > factor * t)


def names_itself(v, t, d):
    return names_itself(v, t, d) if d else v


def around(inner):
    return lambda v, t, d: inner(v, t, d)


@pytest.mark.parametrize(
    "make",
    [
        Scaled,
        Layer,
        lambda f: partial(scaled, factor=f),
        lambda f: Scaled(f).__call__,
        lambda f: around(partial(scaled, factor=f)),
        lambda f: around(Scaled(torch.full((2000,), f)[:1])),
        lambda f: partial(scaled, factor=np.append(np.ones(5000), f)[-1:]),
    ],
)
def test_a_program_is_told_by_what_it_holds_and_not_by_its_place(make):
    one, again, other = (json.dumps(program(make(f))) for f in (1.0, 1.0, 2.0))
    assert one == again != other
    assert " at 0x" not in one, "the next process has another address"


READING = {
    "number": "F = {f}\ndef mine(v, t, d): return v * (v.abs() > F * t)",
    "array": "import numpy as np\nF = np.array({f})\ndef mine(v, t, d): return v * F.item()",
    "helper": "def by(): return {f}\ndef mine(v, t, d): return v * by()",
    "helper's number": "F = {f}\ndef by(): return F\ndef mine(v, t, d): return v * by()",
    "inside": "F = {f}\ndef mine(v, t, d): return (lambda: v * F)()",
    "method": "F = {f}\nclass Mine:\n  def __call__(self, v, t, d): return v * F\nmine = Mine()",
}


@pytest.mark.parametrize("program_text", READING.values(), ids=READING)
def test_what_a_program_reads_of_its_module_is_part_of_it(program_text):
    found = []
    for factor in (1.0, 1.0, 2.0):
        scope = {"__name__": "notebook"}
        exec(program_text.format(f=factor), scope)
        found.append(json.dumps(program(scope["mine"])))
    one, again, other = found
    assert one == again != other
    assert " at 0x" not in one


def test_a_program_may_hold_itself():
    def again(v, t, d):
        return again(v, t, d) if d else v

    assert json.dumps(program(again))
    assert json.dumps(program(names_itself))


def test_a_fingerprint_that_is_no_json_is_refused(tmp_path):
    for fingerprint in (torch.zeros(2), np.zeros(2), {1, 2}):
        with pytest.raises(TypeError, match="fingerprint must be JSON-able"):
            run(fixed(), checkpoint=tmp_path / "checkpoint", fingerprint=fingerprint)


@pytest.mark.parametrize("encoder", ["shallow", "fista"])
def test_a_lambda_that_leaves_nothing_active_is_said_at_once(caplog, encoder):
    model = Autoencoder(simulation()["init"], "group_soft", torch.tensor([1e3, 1.0]), D, encoder, 5)
    train(model, fixed(), epochs=2)
    assert caplog.text.count("all codes of 1 of 2 replicates are zero") == 1
    caplog.clear()
    train(Autoencoder(simulation()["init"], "group_soft", 1.0, D, encoder, 5), fixed(), epochs=2)
    assert "are zero" not in caplog.text


@pytest.mark.parametrize("scale", [0.0, 1.0])
@pytest.mark.parametrize("encoder", ["shallow", "fista"])
def test_nothing_to_learn_is_no_silence(caplog, encoder, scale):
    data = FixedData(scale * torch.randn(20, 6, generator=generator("exact")))
    train(Autoencoder(torch.eye(6), "soft", 0.0, 1, encoder), data, epochs=2)
    assert "are zero" not in caplog.text


def test_a_last_batch_without_active_groups_is_no_silence(caplog):
    data = simulation()["data"][:1, :40].clone()
    data[:, 7] = 0
    model = Autoencoder(simulation()["init"][:1], "group_soft", 1.0, D)
    order = torch.cat([torch.arange(7), torch.arange(8, 40), torch.tensor([7])])
    train(model, lambda epoch: iter(data[:, order].split(13, 1)), epochs=1)
    assert "are zero" not in caplog.text


@pytest.mark.parametrize("prox", ["group_soft", "group_top_k(1)"])
@pytest.mark.parametrize("lambda_", [1.0, 8.0])
def test_an_atom_that_is_no_number_is_divergence(prox, lambda_):
    start = simulation()["init"].clone()
    start[1, 0, 0] = torch.nan
    with pytest.raises(DivergedError, match=r"replicates \[1\]"):
        train(Autoencoder(start, prox, lambda_, D), fixed(), epochs=1)


def test_orthonormal_groups_need_a_model_of_equal_groups():
    model = Autoencoder(torch.eye(4), "group_soft", 0.1, [1, 3])
    kernels = ConvolutionalAutoencoder(torch.ones(1, 3))
    trials = TrialData(kernels.recording(torch.ones(2, 1, 8)))
    for made, batches in ((model, FixedData(torch.eye(4))), (kernels, trials)):
        with pytest.raises(ValueError, match="needs equal groups"):
            train(made, batches, epochs=1, normalize="orthonormal")


def test_an_explosion_within_the_first_epoch_is_divergence():
    with pytest.raises(DivergedError, match=r"epoch 1 .*lr = 30"):
        run(fixed(batch_size=8), lr=30.0)


def test_a_dark_first_batch_is_no_reason_to_expect_little():
    data = simulation()["data"]
    for first in (0.0, 1e-3):
        model = Autoencoder(simulation()["init"], "group_soft", 0.0, D, "fista", 5)
        train(model, lambda epoch, s=first: [s * data[:, :5], data], epochs=2)


def test_a_checkpoint_holds_the_history_so_far(tmp_path):
    checkpoint = tmp_path / "checkpoint"
    interrupt(fixed(), checkpoint)
    tensors, header = load_tensors(checkpoint)
    assert header["kind"] == "checkpoint"
    expected = run(fixed())[1]["squared_error"][:5]
    assert torch.equal(tensors["history.squared_error"], expected)


@either_sampling
@either_optimizer
@pytest.mark.parametrize("encoder", ["shallow", "fista"])
def test_replicates_together_equal_replicates_alone(sampling, optimizer, encoder):
    spec = {"prox": "group_soft", "lambda": 1.0, "encoder": encoder, "layers": 5}
    options = {"spec": spec, "optimizer": optimizer}
    together, history = run(SAMPLING[sampling](2), 2, **options)
    for r in range(2):
        alone, single = run(SAMPLING[sampling](1, r), 1, r, **options)
        # Batched products sum in another order: float32 rounding, which Adam may blow up where
        # a gradient nearly vanishes, over 21 steps of 1e-2.
        assert torch.allclose(together[r], alone[0], rtol=0, atol=1e-3)
        error, expected = history["squared_error"][:, r], single["squared_error"][:, 0]
        assert torch.allclose(error, expected, rtol=1e-3, atol=0)


@either_sampling
@either_optimizer
def test_the_loss_decreases(sampling, optimizer):
    loss = run(SAMPLING[sampling](), optimizer=optimizer, epochs=20)[1]["loss"]
    # Fresh data fluctuate by sqrt(1 / 96 / 20) = 2 % per epoch; training gains more than 10 %.
    assert (loss[-1] < 0.9 * loss[1]).all()


def test_the_first_loss_is_that_of_the_init():
    tensors = simulation()
    model = Autoencoder(tensors["init"], "group_soft", 1.0, D)
    expected = reconstruction_loss(tensors["data"], model(tensors["data"]).reconstruction)
    history = run(fixed(batch_size=0))[1]
    assert torch.equal(history["loss"][1], expected.detach())
    assert history["loss"][0].isnan().all()
    assert torch.equal(
        history["squared_error"][0], squared_error(tensors["init"], tensors["dictionary"])
    )


def test_the_loss_of_an_epoch_is_a_mean_over_samples_not_over_batches():
    # lr = 0: every batch sees the init, so unequal batches (40, 40, 16) must give the full loss.
    unequal = run(fixed(batch_size=40), lr=0.0, epochs=1)[1]["loss"][1]
    full = run(fixed(batch_size=0), lr=0.0, epochs=1)[1]["loss"][1]
    assert torch.allclose(unequal, full, rtol=1e-5, atol=0)  # float32 sums in another order


@either_optimizer
def test_normalize_keeps_atoms_at_unit_norm(optimizer):
    norms = []
    run(
        fixed(),
        normalize=True,
        optimizer=optimizer,
        metrics=lambda a: norms.append(a.norm(dim=-2)) or {},
    )
    assert len(norms) == EPOCHS + 1
    # Row 0 is the init as given; then float32 rounding of a norm.
    assert all(torch.allclose(v, torch.ones(2, M), rtol=0, atol=1e-6) for v in norms[1:])
    assert not torch.allclose(norms[0], torch.ones(2, M), rtol=0, atol=1e-2)


@pytest.mark.parametrize("batch_size", [0, 32])
def test_a_learning_rate_that_is_too_large_is_named_as_the_cause(batch_size):
    with pytest.raises(DivergedError, match=r"epoch \d+ .*lr = 1000000"):
        run(fixed(batch_size=batch_size), optimizer="sgd", lr=1e6, epochs=30)


@pytest.mark.parametrize("encoder", ["shallow", "ista", "fista"])
@pytest.mark.parametrize("batch_size", [0, 32])
def test_a_dictionary_that_overflows_is_reported_as_divergence(encoder, batch_size):
    # Unfolded encoders divide by ||A||^2, so their loss stays bounded until A overflows.
    spec = {"prox": "group_soft", "lambda": 0.1, "encoder": encoder, "layers": 5}
    with pytest.raises(DivergedError, match=r"epoch \d+ .*lr = 1e\+38"):
        run(fixed(batch_size=batch_size), spec=spec, optimizer="sgd", lr=1e38, epochs=30)


@pytest.mark.parametrize("encoder", ["shallow", "ista", "fista"])
@pytest.mark.parametrize("batch_size", [0, 32])
def test_data_that_are_not_finite_are_named_as_the_cause(encoder, batch_size):
    spec = {"prox": "group_soft", "lambda": 0.1, "encoder": encoder, "layers": 5}
    batches = fixed(batch_size=batch_size)
    batches.data[1, 3, 4] = torch.nan
    with pytest.raises(DivergedError, match=r"epoch 1 .*replicates \[1\].*not finite"):
        run(batches, spec=spec)


def test_a_loss_that_explodes_without_overflow_is_divergence():
    data = simulation()["data"]
    model = Autoencoder(simulation()["init"], "group_soft", 1.0, D)
    # Data of 100 times the length have 10^4 times the loss.
    with pytest.raises(DivergedError, match=r"epoch 3 .*at first"):
        train(model, lambda epoch: [data * (100 if epoch == 3 else 1)], epochs=5, lr=1e-3)


class Below(Autoencoder):
    """A loss below zero, as the logarithm of a density may be."""

    def loss(self, data):
        return super().loss(data) - 1e4


def test_a_loss_below_zero_rises_and_explodes_like_any_other(caplog):
    data = simulation()["data"]

    def below(lr, maximize=False, largest=1.0):
        model = Below(simulation()["init"], "group_soft", 1.0, D)
        own = torch.optim.SGD([model.dictionary], lr=lr, maximize=maximize)
        batches = [data * (largest if epoch == 3 else 1) for epoch in range(5)]
        return train(model, lambda epoch: [batches[epoch]], epochs=4, optimizer=own)["loss"][1:]

    loss = below(1e-9)
    assert (loss < 0).all()
    assert not caplog.text
    loss = below(1e-2, maximize=True)
    assert (loss < 0).all()
    assert "the loss rose from" in caplog.text
    with pytest.raises(DivergedError, match=r"epoch 3 .*at first"):
        below(1e-9, largest=3e3)


def float64_problem():
    truth = random_dictionary(6, 8, generator("small")).double().unsqueeze(0)
    data = torch.randn(1, 10, 6, generator=generator("small data"), dtype=torch.float64)
    return truth, FixedData(2 * data, [0])


def test_one_adam_step_equals_a_hand_written_step():
    a, batches = float64_problem()
    model = Autoencoder(a, "group_soft", 0.5, D)
    (g,) = torch.autograd.grad(
        reconstruction_loss(batches.data, model(batches.data).reconstruction), model.dictionary
    )
    moment, second = 0.1 * g, 0.001 * g**2
    step = (moment / (1 - 0.9)) / ((second / (1 - 0.999)).sqrt() + 1e-8)
    train(model, batches, epochs=1, lr=1e-3)
    # Float64 rounding.
    assert torch.allclose(model.dictionary, a - 1e-3 * step, rtol=0, atol=1e-12)


def test_one_sgd_step_follows_the_finite_difference_gradient():
    a, batches = float64_problem()

    def loss(dictionary):
        model = Autoencoder(dictionary, "group_soft", 0.5, D)
        return reconstruction_loss(batches.data, model(batches.data).reconstruction).item()

    gradient, h = torch.zeros_like(a), 1e-5
    for i in range(a.numel()):
        e = torch.zeros(a.numel(), dtype=torch.float64).index_fill_(0, torch.tensor(i), h)
        e = e.view_as(a)
        gradient.view(-1)[i] = (loss(a + e) - loss(a - e)) / (2 * h)
    model = Autoencoder(a, "group_soft", 0.5, D)
    train(model, batches, epochs=1, lr=1.0, optimizer="sgd")
    # Central differences: h^2 times a third derivative of order 10^2.
    assert torch.allclose(a - model.dictionary, gradient, rtol=0, atol=1e-7)
    assert gradient.abs().max() > 0.1


def train_method(spec, sampling, replicates):
    """What train_recovery.py does with an entry of the configuration."""
    batches = SAMPLING[sampling](replicates)
    if "control" in spec:
        return CONTROLS[spec["control"]](simulation(replicates), batches, EPOCHS, seeds(replicates))
    return run(batches, replicates, spec=spec, lr=1e-3)


@pytest.mark.parametrize("spec", METHODS)
@either_sampling
@pytest.mark.parametrize("replicates", [1, 2])
def test_every_configured_method_gives_a_finite_dictionary_and_a_history(
    spec, sampling, replicates
):
    dictionary, history = train_method(spec, sampling, replicates)
    assert dictionary.shape == (replicates, N, M)
    assert dictionary.isfinite().all()
    assert "squared_error" in history
    for values in history.values():
        assert values.shape == (EPOCHS + 1, replicates)
        assert values[1:].isfinite().all()


@pytest.mark.parametrize("spec", [m for m in METHODS if "control" not in m.values[0]])
def test_every_configured_method_lowers_its_loss(spec):
    loss = run(fixed(batch_size=0), spec=spec, epochs=60)[1]["loss"]
    assert (loss[-1] < loss[1]).all()


@pytest.mark.parametrize("spec", METHODS)
@either_sampling
def test_every_configured_method_is_deterministic(spec, sampling):
    assert same(train_method(spec, sampling, 2), train_method(spec, sampling, 2))


@pytest.mark.parametrize("spec", METHODS)
@either_sampling
def test_the_last_row_of_the_history_describes_the_final_dictionary(spec, sampling):
    dictionary, history = train_method(spec, sampling, 2)
    expected = squared_error(dictionary, simulation()["dictionary"])
    assert torch.equal(history["squared_error"][-1], expected)


def test_the_oracle_with_fresh_data_improves_as_one_over_the_samples():
    _, history = CONTROLS["oracle"](simulation(), fresh(), 40, seeds())
    error = history["squared_error"].mean(1)
    # Error ~ 1 / N: four times the samples, a quarter of the error. 2 N M = 640 squared normals
    # have relative sd 6 %; the factor 2 allows 8 of them and the m / N = 17 % bias at epoch 10.
    assert 0.125 < error[40] / error[10] < 0.5


def test_the_control_of_chance_has_unit_atoms_and_ignores_the_data():
    first, _ = CONTROLS["chance"](simulation(), fixed(), 3, seeds())
    other = {**simulation(), "data": torch.zeros(2, 96, N)}
    second, _ = CONTROLS["chance"](other, fixed(), 3, seeds())
    assert torch.equal(first, second)
    assert torch.allclose(first, normalize_columns(first), rtol=0, atol=1e-6)  # float32


def test_a_resumed_unfolded_network_ends_with_the_same_bits(tmp_path):
    checkpoint = tmp_path / "checkpoint"
    interrupt(fixed(), checkpoint, spec=UNFOLDED)
    resumed = run(fixed(), spec=UNFOLDED, checkpoint=checkpoint, checkpoint_every=2)
    assert same(resumed, run(fixed(), spec=UNFOLDED))


@pytest.mark.parametrize("block", [0, 96, 40, 32, 7])
@pytest.mark.parametrize("batch_size", [1, 10, 96, 200])
def test_streamed_batches_are_those_of_data_in_memory(tmp_path, block, batch_size):
    data = torch.randn(96, 5, generator=generator("streamed"))
    np.save(tmp_path / "data.npy", data.numpy())
    streamed = StreamedData(tmp_path / "data.npy", seeds(), batch_size, block or 96)
    in_memory = FixedData(data, seeds(), batch_size, block)
    for epoch in (1, 2):
        batches = list(streamed(epoch))
        expected = list(in_memory(epoch))
        assert len(batches) == len(expected)
        assert all(torch.equal(b, e) for b, e in zip(batches, expected, strict=True))
        assert torch.equal(torch.cat(batches, 1)[0].sort(0).values, data.sort(0).values)


def test_training_on_streamed_data_gives_the_bits_of_data_in_memory(tmp_path):
    data = simulation()["data"][0]
    np.save(tmp_path / "data.npy", data.numpy())
    streamed = StreamedData(tmp_path / "data.npy", seeds(), 10, block=25)
    assert same(run(streamed), run(FixedData(data, seeds(), 10, block=25)))


def test_streaming_reads_one_block_at_a_time(tmp_path, monkeypatch):
    np.save(tmp_path / "data.npy", np.zeros((100, 3), np.float32))
    streamed = StreamedData(tmp_path / "data.npy", [0], 5, block=20)
    read = []
    load = np.load
    monkeypatch.setattr(np, "load", lambda *a, **k: read.append(1) or load(*a, **k))
    for count, _ in enumerate(streamed(1)):
        assert len(read) == count // 4 + 1


def test_streamed_data_that_are_pickled_are_refused(tmp_path):
    np.save(tmp_path / "data.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"data.npy is not a .npy file of numbers"):
        StreamedData(tmp_path / "data.npy", [0], 5, block=20)


@pytest.mark.parametrize("array", [np.zeros(5), np.zeros((2, 3, 4)), np.zeros((5, 3), np.uint8)])
def test_streamed_data_of_another_kind_are_refused(tmp_path, array):
    np.save(tmp_path / "data.npy", array)
    with pytest.raises(ValueError, match=r"must hold float32 or float64 of shape \(N, n\), not"):
        StreamedData(tmp_path / "data.npy", 0, 5, block=20)


def test_blocks_are_shuffled_and_so_are_samples_within():
    order = FixedData(torch.arange(100.0).unsqueeze(1), [3], 10, block=20)
    epochs = [torch.cat(list(order(epoch)), 1).flatten().long() for epoch in (1, 2)]
    blocks = [e.view(5, 20) for e in epochs]
    assert all((b // 20 == b[:, :1] // 20).all() for b in blocks), "a block stays together"
    assert (blocks[0][:, 0] // 20 != torch.arange(5)).any()
    assert not torch.equal(*epochs)


@pytest.mark.parametrize("encoder", ["shallow", "fista"])
def test_a_lambda_for_each_replicate_trains_them_as_if_alone(encoder):
    tensors = simulation()
    thresholds = torch.tensor([0.5, 1.5])
    options = {"epochs": 3, "lr": 1e-2}
    together = Autoencoder(tensors["init"], "group_soft", thresholds, D, encoder, 5)
    train(together, fixed(), **options)
    for r, threshold in enumerate(thresholds.tolist()):
        alone = Autoencoder(tensors["init"][r : r + 1], "group_soft", threshold, D, encoder, 5)
        train(alone, fixed(1, first=r), **options)
        # Products of other shapes may sum in another order; Adam's first steps amplify that.
        assert torch.allclose(together.dictionary[r], alone.dictionary[0], rtol=0, atol=1e-4)
    swapped = Autoencoder(tensors["init"], "group_soft", thresholds.flip(0), D, encoder, 5)
    train(swapped, fixed(), **options)
    assert not torch.allclose(together.dictionary, swapped.dictionary, rtol=0, atol=1e-3)


@pytest.mark.parametrize("encoder", ["shallow", "ista", "fista"])
@pytest.mark.parametrize("prox", PROX)
def test_a_training_step_never_waits_for_the_device(encoder, prox):
    # Tensors of the meta device have no values: whatever asks for one raises.
    model = Autoencoder(torch.empty(2, N, M, device="meta"), prox, 0.5, D, encoder, 5)
    data = torch.empty(2, 32, N, device="meta")
    optimizer = torch.optim.Adam([model.dictionary], lr=1e-3)
    model.loss(data).sum().backward()
    optimizer.step()
    assert model.dictionary.grad.shape == (2, N, M)


ANY_OPTIMIZER = {
    "name": "adam",
    "class": torch.optim.AdamW,
    "function": lambda p: torch.optim.RMSprop(p, lr=1e-3, momentum=0.9, centered=True),
    "partial": partial(torch.optim.SGD, lr=1e-2, momentum=0.9, nesterov=True),
    # Several evaluations a step, and a state of nested lists.
    "closure": lambda p: torch.optim.LBFGS(p, lr=0.1, max_iter=3, history_size=4),
}
any_optimizer = pytest.mark.parametrize("optimizer", ANY_OPTIMIZER.values(), ids=ANY_OPTIMIZER)


@any_optimizer
@pytest.mark.parametrize("spec", [None, UNFOLDED], ids=["shallow", "unfolded"])
def test_any_torch_optimizer_lowers_the_loss(optimizer, spec):
    loss = run(fixed(), optimizer=optimizer, spec=spec, epochs=20, lr=1e-2)[1]["loss"]
    assert (loss[-1] < loss[1]).all()


@any_optimizer
def test_any_torch_optimizer_resumes_with_the_same_bits(tmp_path, optimizer):
    checkpoint = tmp_path / "checkpoint"
    interrupt(fixed(), checkpoint, optimizer=optimizer)
    resumed = Recording(fixed())
    result = run(resumed, checkpoint=checkpoint, optimizer=optimizer)
    assert resumed.epochs == [5, 6, 7]
    assert same(result, run(fixed(), optimizer=optimizer))


@any_optimizer
@pytest.mark.parametrize("spec", [None, UNFOLDED], ids=["shallow", "unfolded"])
def test_a_finished_training_goes_on_to_more_epochs(tmp_path, optimizer, spec):
    options = {"optimizer": optimizer, "spec": spec, "checkpoint": tmp_path / "checkpoint"}
    run(fixed(), epochs=3, **options)
    further = Recording(fixed())
    result = run(further, epochs=EPOCHS, **options)
    assert further.epochs == [4, 5, 6, 7]
    assert same(result, run(fixed(), optimizer=optimizer, spec=spec))
    again = Recording(fixed())
    assert same(run(again, epochs=EPOCHS, **options), result)
    assert again.epochs == []


def test_metrics_are_of_any_kind_and_stay_what_they_were():
    seen = []

    def metrics(dictionary):
        view = dictionary[:, 0, 0]
        seen.append(view.clone())
        return {"view": view, "count": (dictionary > 0).sum((-2, -1)), "any": view > 0}

    history = run(fixed(), metrics=metrics)[1]
    assert torch.equal(history["view"], torch.stack(seen))
    assert not torch.equal(history["view"][0], history["view"][-1])
    assert history["count"].dtype is torch.int64
    assert torch.equal(history["any"], history["view"] > 0)


def test_the_recorded_loss_is_that_before_the_step():
    # A closure is evaluated several times a step; the last value is lower.
    options = {"epochs": 1, "optimizer": ANY_OPTIMIZER["closure"]}
    first = run(fixed(batch_size=0), **options)[1]["loss"][1]
    assert torch.equal(first, run(fixed(batch_size=0), epochs=1)[1]["loss"][1])


def test_a_checkpoint_of_another_number_of_threads_is_not_used(tmp_path, caplog):
    checkpoint = tmp_path / "checkpoint"
    interrupt(fixed(), checkpoint)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        anew = Recording(fixed())
        run(anew, checkpoint=checkpoint)
    finally:
        torch.set_num_threads(threads)
    assert anew.epochs[0] == 1
    assert f"it was made with threads {threads}, this run has {threads + 1}\n" in caplog.text


def test_an_optimizer_of_ones_own_is_taken_as_it_is():
    tensors = simulation()
    first, second = (Autoencoder(tensors["init"], "group_soft", 1.0, D) for _ in range(2))
    optimizer = torch.optim.Adam([first.dictionary], lr=1e-2)
    train(first, fixed(), epochs=3, optimizer=optimizer)
    train(second, fixed(), epochs=3, lr=1e-2)
    assert torch.equal(first.dictionary, second.dictionary)


def test_an_optimizer_that_is_none_is_refused():
    model = Autoencoder(torch.eye(M)[:N], "group_soft", 1.0, D)
    for optimizer, error, message in (
        ("adamw", ValueError, "unknown optimizer 'adamw'; known are adam, sgd, or give a torch"),
        (lambda p: None, TypeError, "must give a torch.optim.Optimizer, not <class 'NoneType'>"),
        (torch.optim.SGD([torch.zeros(3)]), ValueError, "does not hold model.dictionary"),
    ):
        with pytest.raises(error, match=re.escape(message)):
            train(model, fixed(1), epochs=1, optimizer=optimizer)


def test_the_callback_sees_every_epoch_with_its_model():
    seen = []
    dictionary, _ = run(fixed(), callback=lambda e, m: seen.append((e, m.dictionary.clone())))
    assert [epoch for epoch, _ in seen] == list(range(1, EPOCHS + 1))
    for epochs in (2, EPOCHS):
        assert torch.equal(seen[epochs - 1][1], run(fixed(), epochs=epochs)[0])
    assert torch.equal(seen[-1][1], dictionary)


def test_a_callback_stops_training_and_the_checkpoint_remembers_it(tmp_path):
    options = {"checkpoint": tmp_path / "checkpoint", "checkpoint_every": 2}
    stopping = {"callback": lambda epoch, _: epoch >= 3}
    result = run(fixed(), **options, **stopping)
    assert same(result, run(fixed(), epochs=3))
    again = Recording(fixed())
    assert same(run(again, **options, **stopping), result)
    assert again.epochs == [], "a training that was stopped stays so"
    further = Recording(fixed())
    assert same(run(further, **options, epochs=EPOCHS + 1), run(fixed(), epochs=EPOCHS + 1))
    assert further.epochs == [4, 5, 6, 7, 8], "more epochs than it was to have"


def test_a_checkpoint_beyond_the_epochs_asked_for_is_not_used(tmp_path, caplog):
    checkpoint = tmp_path / "checkpoint"
    run(fixed(), checkpoint=checkpoint)
    assert same(run(fixed(), checkpoint=checkpoint, epochs=4), run(fixed(), epochs=4))
    assert "it is at epoch 7, this run ends at 4" in caplog.text


@pytest.mark.parametrize("spec", [None, UNFOLDED], ids=["shallow", "unfolded"])
def test_a_dictionary_without_replicates_trains_as_one_replicate(spec):
    spec = spec or {"prox": "group_soft", "lambda": 1.0, "encoder": "shallow", "layers": 1}
    tensors = simulation(1)
    problem = spec["prox"], spec["lambda"], D, spec["encoder"], spec["layers"]
    results = []
    for init in (tensors["init"], tensors["init"][0]):
        model = Autoencoder(init, *problem)
        batches = FixedData(tensors["data"][0], seeds(1), 40)
        history = train(
            model, batches, epochs=3, lr=1e-2, metrics=lambda a: {"norm": a.norm(dim=(-2, -1))}
        )
        results.append((model.dictionary.detach(), history))
    (many, history), (single, plain) = results
    assert {k: v.shape for k, v in plain.items()} == {"loss": (4,), "norm": (4,)}
    # Batched and single products may sum in another order; Adam's first steps amplify that.
    assert torch.allclose(many[0], single, rtol=0, atol=1e-4)
    assert torch.allclose(history["loss"][1:, 0], plain["loss"][1:], rtol=1e-4, atol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_data_of_either_precision_train_as_tensors(dtype):
    tensors = simulation(1)
    array = tensors["data"][0].numpy().astype(dtype)
    array.flags.writeable = False
    trained = []
    for data in (array, tensors["data"][0]):
        model = Autoencoder(tensors["init"].numpy(), "group_soft", 1.0, D)
        train(model, FixedData(data, batch_size=32), epochs=2)
        trained.append(model.dictionary)
    assert torch.equal(*trained)


def test_batches_without_replicates_are_shared_by_all():
    tensors = simulation()
    data = tensors["data"][0]
    shared, spelled = (Autoencoder(tensors["init"], "group_soft", 1.0, D) for _ in range(2))
    train(shared, lambda epoch: [data], epochs=2)
    train(spelled, lambda epoch: [torch.stack([data, data])], epochs=2)
    assert torch.equal(shared.dictionary, spelled.dictionary)


def test_batches_that_do_not_fit_are_refused_in_one_line():
    model = Autoencoder(simulation(1)["init"], "group_soft", 1.0, D)
    for batch, message in (
        (torch.zeros(3, 5, N), rf"a batch of shape \(3, 5, {N}\) does not fit .* \(1, B, {N}\)"),
        (torch.zeros(5, N + 1), rf"a batch of shape \(5, {N + 1}\)|\(1, 5, {N + 1}\)"),
        (torch.zeros(N), "a batch of shape"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            train(model, lambda epoch, batch=batch: [batch], epochs=1)
        assert "\n" not in str(error.value)
    with pytest.raises(TypeError, match="a batch must be floating point, not int64"):
        train(model, lambda epoch: [torch.zeros(1, 5, N, dtype=torch.int64)], epochs=1)
    with pytest.raises(ValueError, match="no samples in epoch 1"):
        train(model, lambda epoch: [], epochs=1)
    nested = Autoencoder(torch.ones(2, 2, N, M), "group_soft", 1.0, D)
    with pytest.raises(ValueError, match=r"one model or replicates \(R,\), not \(2, 2\)"):
        train(nested, fixed(), epochs=1)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (torch.zeros(4), {}, r"shape \(N, n\) or \(R, N, n\), not \(4,\)"),
        (torch.zeros(0, 4), {}, r"not \(0, 4\)"),
        (torch.zeros(3, 5, 4), {"seeds": [0, 1]}, "3 replicates of data need as many seeds, not 2"),
        (
            torch.zeros(5, 4),
            {"batch_size": -1},
            "batch_size must be a whole number of at least 0, not -1",
        ),
    ],
)
def test_fixed_data_that_do_not_fit_are_refused(data, options, message):
    with pytest.raises(ValueError, match=message):
        FixedData(data, **options)


def test_validation_changes_no_later_bit():
    def trained(peek):
        model = Autoencoder(simulation()["init"], "group_soft", 0.5, D, "fista", 5)
        data = simulation()["data"]

        def validate(epoch, model):
            with torch.no_grad():
                model.loss(data[:, :7])
                model(data[:, :7])

        train(model, fixed(), epochs=5, lr=1e-2, callback=validate if peek else None)
        return model.dictionary

    assert torch.equal(trained(True), trained(False))


@pytest.mark.parametrize("encoder", ["shallow", "fista"])
def test_a_state_dict_survives_training_in_both_directions(encoder):
    tensors = simulation()
    first, second = (Autoencoder(tensors["init"], "group_soft", 0.5, D, encoder, 5) for _ in "ab")
    early = {k: v.clone() for k, v in first.state_dict().items()}
    train(first, fixed(), epochs=2, lr=1e-2)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.encode(tensors["data"]), second.encode(tensors["data"]))
    first.load_state_dict(early)
    assert torch.equal(first.dictionary, tensors["init"])


def test_a_loss_that_rose_is_said_with_what_to_try(caplog):
    upwards = partial(torch.optim.SGD, lr=1e-3, maximize=True)
    with caplog.at_level("WARNING"):
        run(fixed(batch_size=0), optimizer=upwards)
    assert "the loss rose from" in caplog.text
    assert "smaller learning rate" in caplog.text


def test_the_fingerprint_of_options_from_numpy_is_that_of_numbers():
    truth = random_dictionary(N, M, 0).expand(1, N, M)
    same = []
    for number, convert in ((int, tuple), (np.int64, np.array), (np.int64, torch.tensor)):
        weights = convert([1.0] * GROUPS)
        options = SETTING | {"samples": number(96), "frequencies": weights}
        same.append(json.dumps(FreshData(truth, [STD], 3, **options).fingerprint()))
    assert len(set(same)) == 1
