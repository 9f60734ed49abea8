"""Trainings of the clustering: where they start, what they keep, and what their scores are."""

import json
import sys

import numpy as np
import pytest
import torch

from clustering import cases, converge, evaluate, snapshots, sweep
from clustering.snapshots import forget, train_and_keep
from clustering.start import seeds_of, starts
from evidence.features import active_groups
from evidence.tables import load_table
from groupsparse.artifacts import save_tensors
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.preprocess import preprocess

DATA = torch.randn(60, 20, generator=torch.Generator().manual_seed(0))
SETTINGS = {"groups": 3, "group_size": 4, "unit_norm": False, "training": {"epochs": 6}}
KEPT = [0, 2, 4, 6]


def network() -> Autoencoder:
    seeds = seeds_of(1, "digits", 2)
    begin = starts("pca", DATA, None, SETTINGS, "group_soft", seeds)
    return Autoencoder(begin, "group_soft", 0.5, 4, "fista", 3)


def run(model, epochs=6, **options):
    batches = FixedData(DATA, seeds_of(1, "digits", 2), 20)
    return train_and_keep(
        model, batches, KEPT, epochs=epochs, lr=1e-2, checkpoint_every=1, **options
    )


def test_a_code_of_zeros_has_no_active_group_in_any_score():
    codes = torch.tensor([[0.0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 2], [0, 0, 0, 0]])
    model = Autoencoder(torch.eye(4), "group_soft", 0.5, 2)
    found = active_groups(codes, model)["group", "argmax"]
    assert found.tolist() == [-1, 0, 1, -1]
    # Silent samples that are a class of their own are right; in group 0 half of all were wrong.
    labels = np.array([2, 0, 1, 2])
    assert converge.scores(codes, labels, model, [], 0, 2)["acc_argmax"] == 1.0


class Killed(Exception):
    pass


def test_an_interrupted_training_keeps_the_same_dictionaries(tmp_path, monkeypatch):
    history, expected = run(network())
    checkpoint, real = str(tmp_path / "run.safetensors"), snapshots.save_tensors

    def dies(path, *arguments, **options):
        real(path, *arguments, **options)
        if "epoch4" in str(path):
            raise Killed

    monkeypatch.setattr(snapshots, "save_tensors", dies)
    with pytest.raises(Killed):
        run(network(), checkpoint=checkpoint)
    monkeypatch.setattr(snapshots, "save_tensors", real)
    resumed, found = run(network(), checkpoint=checkpoint)
    assert list(found) == KEPT
    assert torch.equal(resumed["loss"][1:], history["loss"][1:])
    for epoch in KEPT:
        assert torch.equal(found[epoch], expected[epoch])
    forget(checkpoint, KEPT)
    assert list(tmp_path.iterdir()) == []


def test_other_epochs_to_keep_are_another_training(tmp_path, monkeypatch):
    checkpoint = str(tmp_path / "run.safetensors")
    run(network(), checkpoint=checkpoint)
    monkeypatch.setitem(globals(), "KEPT", [1, 3])
    _, found = run(network(), checkpoint=checkpoint)
    assert list(found) == [1, 3]
    assert not torch.equal(found[1], found[3])


def test_an_element_wise_method_starts_from_as_many_directions_as_it_has_atoms():
    seeds = seeds_of(1, "digits", 2)
    grouped, single = (
        starts("pca", DATA, None, SETTINGS, prox, seeds) for prox in ("group_soft", "soft")
    )
    assert grouped.shape == single.shape == (2, 20, 12)
    assert torch.linalg.matrix_rank(grouped[0]) == 4
    # Singular vectors are orthonormal: float32 rounding.
    torch.testing.assert_close(single[0].mT @ single[0], torch.eye(12), rtol=0, atol=1e-5)
    data = starts("data", DATA, None, SETTINGS, "soft", seeds)
    assert torch.equal(data, starts("data", DATA, None, SETTINGS, "group_soft", seeds))


def test_only_an_init_by_class_gets_the_labels(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "clustering.start.initialize",
        lambda name, *others: seen.update({name: others[-1]}) or torch.zeros(2, 2),
    )
    for name in ("pca", "random", "data", "kmeans", "spectral", "class"):
        starts(name, DATA, "labels", SETTINGS, "group_soft", [1])
    assert {name for name, labels in seen.items() if labels is not None} == {"class"}


def test_every_kept_dictionary_is_a_case_and_the_last_one_is_marked():
    model = network()
    _, kept = run(model)
    tensors = {"train_data": DATA, "test_data": DATA[:30]}
    stored = {f"dictionary.pca.{e}": kept[e] for e in (2, 4)} | {"dictionary.pca": kept[6]}
    about = {
        "spec": {"prox": "group_soft", "lambda": 0.5, "encoder": "fista", "layers": 3},
        "settings": SETTINGS, "centered": False, "inits": ["pca"], "scored": [2, 4, 6],
        "method": "m",
    }  # fmt: skip
    found = list(cases.trained(tensors, stored, about))
    assert [(c.replicate, c.last) for c in found] == [
        (r, last) for r in (0, 1) for last in (False, False, True)
    ]
    end = found[-1]
    codes = Autoencoder(kept[6][1], "group_soft", 0.5, 4, "fista", 3).encode(DATA[:30])
    np.testing.assert_array_equal(end.features["codes"], codes.detach().numpy())
    norms = codes.detach().unflatten(1, (3, 4)).norm(dim=-1).numpy()
    np.testing.assert_allclose(end.features["norms"], norms, rtol=1e-6)
    np.testing.assert_array_equal(end.assignments["group", "argmax"], norms.argmax(1))


def test_a_mean_norm_scales_all_images_alike_and_comes_before_centring():
    train, test = DATA, 2 * DATA[:5] + 1
    scaled, other = preprocess(train, test, center=False, unit_norm=False, mean_norm=9.0)
    assert scaled.norm(dim=1).mean().item() == pytest.approx(9.0, rel=1e-6)
    torch.testing.assert_close(
        other / test, torch.full_like(test, float(scaled[0, 0] / train[0, 0]))
    )
    centred, _ = preprocess(train, test, center=True, unit_norm=False, mean_norm=9.0)
    torch.testing.assert_close(centred, scaled - scaled.mean(0))


def call(monkeypatch, script, folder, *arguments, **settings):
    """Run a script on the artefact ``data`` of a folder: its table."""
    options = ("--settings", json.dumps(settings), "--data", folder / "data", "--seed", 0)
    words = [*options, *arguments, "--replicates", 2, "--output", folder / "table.csv"]
    monkeypatch.setattr(sys, "argv", ["script", *map(str, words)])
    script.main()
    return load_table(folder / "table.csv")


@pytest.fixture
def rays(tmp_path):
    """Samples of two classes, whose directions differ, and far more so their lengths."""
    labels = torch.arange(60) % 2
    turn = 0.1 * torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    length = 1.0 + 99.0 * (torch.arange(60) // 2 % 2)
    data = length[:, None] * (torch.eye(3)[labels] + turn)
    tensors = {"train_data": data, "test_data": data.clone(), "train_labels": labels}
    tensors["test_labels"] = labels.clone()
    save_tensors(tmp_path / "data", tensors, kind="data", dataset="rays")
    return tmp_path


def test_raw_samples_are_clustered_as_networks_see_them(rays, monkeypatch):
    for unit_norm in (True, False):
        settings = {"groups": 2, "neighbors": 5, "unit_norm": unit_norm}
        table = call(monkeypatch, evaluate, rays, **settings)
        raw = table[(table.features == "raw") & (table.algorithm == "kmeans")]
        assert (raw[raw.metric == "acc"].value == 1).all() == unit_norm


def test_the_sweep_trains_as_the_settings_of_the_data_say(rays, monkeypatch):
    seen, real = [], sweep.train
    monkeypatch.setattr(
        sweep, "train", lambda *given, **options: seen.append(options) or real(*given, **options)
    )
    training = {"epochs": 2, "lr": 0.1, "optimizer": "adam", "decay": "cosine", "batch_size": 30}
    spec = {"prox": "group_soft", "lambda": 0.1, "encoder": "shallow", "layers": 1}
    call(
        monkeypatch, sweep, rays, "--init", "random", "--spec", json.dumps(spec), "--lambdas", 0.1,
        "--normalize", "[true, false]", groups=2, group_size=1, unit_norm=True, training=training,
    )  # fmt: skip
    for options, normalize in zip(seen, (True, False), strict=True):
        rest = {k: v for k, v in training.items() if k != "batch_size"}
        assert options == rest | {"normalize": normalize}
