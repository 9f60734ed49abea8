"""Starts of the mixtures, the subspaces that follow, and the figure from their files."""

import json
import sys

import pytest
import torch
from made_up import DIGITS, section

from groupsparse.artifacts import save_tensors
from groupsparse.clustering import accuracy
from mixtures import conditions, figures
from mixtures.images import pixels
from mixtures.methods import mixture_of, network_of, subspaces
from mixtures.starts import clusters_of, dictionary_of, without_clusters

K, ATOMS, SIDE = 4, 6, 8


def images(count=80, seed=0):
    return torch.rand(count, SIDE * SIDE, generator=torch.Generator().manual_seed(seed))


def largest_cosine(atoms):
    """Of two atoms (columns) of one component."""
    gram = atoms.mT @ atoms - 2 * torch.eye(atoms.shape[-1])
    return float(gram.max())


# Cluster 1 has fewer images than atoms, cluster 2 a single one, cluster 3 none.
FEW = torch.tensor([0] * 74 + [1] * 5 + [2])


@pytest.mark.parametrize("clusters", [FEW, torch.arange(80) % K])
def test_atoms_have_unit_norm_and_no_two_are_equal_however_small_a_cluster(clusters):
    atoms = dictionary_of(clusters, images(), K, ATOMS, seed=1)
    assert atoms.shape == (K, SIDE * SIDE, ATOMS)
    # Float32 rounding of a norm.
    assert torch.allclose(atoms.norm(dim=1), torch.ones(K, ATOMS), atol=1e-6)
    # Copies have independent noise of a tenth: their cosine is about 0.99.
    assert all(largest_cosine(component) < 0.999 for component in atoms)


def test_atoms_are_images_of_their_cluster_without_their_mean():
    data = images()
    centred = torch.nn.functional.normalize(data - data.mean(1, keepdim=True), dim=1)
    atoms = dictionary_of(FEW, data, K, ATOMS, seed=1)
    cosines = torch.einsum("knh,in->khi", atoms, centred)
    for k, first in ((0, ATOMS), (1, 5), (2, 1)):  # atoms that no noise was added to
        nearest = cosines[k].max(-1)
        assert (FEW[nearest.indices] == k).all()
        assert torch.allclose(nearest.values[:first], torch.ones(first), atol=1e-6)
        assert len(nearest.indices[:first].unique()) == first
        # 1 / sqrt(1 + 0.1^2) = 0.995, and noise of 64 entries.
        assert (nearest.values[first:] < 0.999).all()
        assert (nearest.values[first:] > 0.98).all()


def test_a_start_depends_on_its_seed_alone():
    first, second = (dictionary_of(FEW, images(), K, ATOMS, seed) for seed in (1, 2))
    assert torch.equal(first, dictionary_of(FEW, images(), K, ATOMS, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("start", ["ssc", "kmeans", "spectral", "any"])
def test_no_start_but_one_sees_labels(start):
    found = clusters_of(start, images(), images(seed=1), None, K, seed=0)
    assert found.shape == (80,)
    assert found.dtype == torch.int64
    assert set(found.tolist()) <= set(range(K))
    with pytest.raises(TypeError):
        clusters_of("class", images(), images(), None, K, seed=0)


def test_classes_are_clusters_whatever_their_names():
    labels = torch.tensor([9, 5, 5, 7])
    assert clusters_of("class", images(4), images(4), labels, 3, 0).tolist() == [2, 0, 0, 1]


def test_starts_and_counts_depend_on_no_setting_of_the_training():
    digits = {
        "clusters": 10, "atoms": 15, "sample": 9, "dimension": 2, "passes": 3, "lambda": 1,
    }  # fmt: skip
    section = {"settings": {"digits": digits}}
    assert set(conditions.of_start(section, "digits")) == {"clusters", "atoms", "sample"}
    assert set(conditions.of_counts(section, "digits")) == {"sample", "dimension", "passes"}


def test_an_unknown_start_is_refused():
    with pytest.raises(ValueError, match="unknown start 'nowhere'"):
        clusters_of("nowhere", images(), images(), None, K, 0)


@pytest.mark.parametrize("start", ["pca", "random"])
def test_a_start_without_clusters_has_the_shape_of_the_others(start):
    atoms = without_clusters(start, images(), K, ATOMS, seed=0)
    assert atoms.shape == (K, SIDE * SIDE, ATOMS)
    assert torch.allclose(atoms.norm(dim=1), torch.ones(K, ATOMS), atol=1e-5)


def test_the_autoencoder_has_the_atoms_of_the_mixture_as_groups():
    atoms = dictionary_of(FEW, images(), K, ATOMS, seed=1)
    mixture = mixture_of(atoms, {"prox": "soft", "weight": 1.0}, DIGITS)
    network = network_of(atoms, {"prox": "group_soft", "lambda": 5.0}, DIGITS)
    assert (mixture.weight, mixture.layers, mixture.lambda_) == (1.0, 15, 0.75)
    assert network.group_size == ATOMS
    for k in range(K):
        group = network.dictionary.detach()[:, k * ATOMS : (k + 1) * ATOMS]
        assert torch.equal(group, mixture.dictionary.detach()[k])


def on_planes(count=400, n=20, dimension=2, noise=0.05):
    """Samples of four random planes, and the plane of each."""
    draw = torch.Generator().manual_seed(3)
    planes = torch.linalg.qr(torch.randn(K, n, dimension, generator=draw)).Q
    labels = torch.arange(count) % K
    codes = torch.randn(count, dimension, generator=draw)
    data = torch.einsum("ind,id->in", planes[labels], codes)
    return data + noise * torch.randn(count, n, generator=draw), labels


def test_subspaces_alternate_until_they_settle_and_find_the_planes():
    data, labels = on_planes()
    # A quarter of the sample is in a random cluster, so that the first pass cannot be the last.
    sample = torch.arange(200)
    wrong = torch.rand(200, generator=torch.Generator().manual_seed(0)) < 0.25
    clusters = torch.where(wrong, (labels[:200] + 1) % K, labels[:200])
    found = subspaces(data[:300], data[300:], sample, clusters, K, 2, passes=20)
    assert 1 < found.values["passes"] < 20
    assert found.values["used"] == K
    # Samples near 0 may be in any plane.
    assert accuracy(labels[300:].numpy(), found.scored.numpy()) > 0.95
    # 18 of 20 dimensions of the noise, over an energy of 2 + 20 sigma^2.
    assert found.values["residual"] == pytest.approx(18 * 0.05**2 / 2.05, rel=0.2)


def test_a_subspace_without_samples_starts_as_that_of_all():
    data, _ = on_planes()
    found = subspaces(data, data, torch.arange(100), torch.zeros(100), K, 2, passes=5)
    assert torch.isfinite(found.dictionary).all()
    assert found.learnt.shape == (400,)


def test_the_figure_is_drawn_from_the_files_of_a_training(tmp_path, monkeypatch):
    labels = torch.arange(40) % K
    save_tensors(
        tmp_path / "data", {"train_data": images(30), "test_data": images(10, seed=1),
                            "train_labels": labels[:30], "test_labels": labels[30:]},
        dataset="digits",
    )  # fmt: skip
    settings = DIGITS | {"clusters": K, "atoms": ATOMS, "layers": 3}
    both = pixels(tmp_path / "data", "joined", settings).learnt
    atoms = dictionary_of(labels, both, K, ATOMS, seed=0)
    spec = {"kind": "mixture", "prox": "soft"}
    chosen = mixture_of(atoms, spec, settings).predict(both)
    save_tensors(
        tmp_path / "learnt", {"learnt": chosen[None].clone(), "scored": chosen[None],
                              "dictionary": atoms[None]},
        dataset="digits", protocol="joined", method="mine", start="ssc", spec=spec,
        settings=settings, seconds=[1.0],
    )  # fmt: skip
    output = tmp_path / "mixtures-digits.png"
    monkeypatch.setattr(sys, "argv", [
        "figures", "--data", str(tmp_path / "data"), "--learnt", str(tmp_path / "learnt"),
        "--settings", json.dumps(settings), "--output", str(output),
    ])  # fmt: skip
    figures.main()
    assert output.stat().st_size > 10_000


def test_held_out_images_are_scored_and_not_learnt_from(tmp_path):
    labels = torch.arange(40) % K
    save_tensors(
        tmp_path / "data", {"train_data": images(30), "test_data": images(10, seed=1),
                            "train_labels": labels[:30], "test_labels": labels[30:]},
    )  # fmt: skip
    part = pixels(tmp_path / "data", "held_out", DIGITS)
    assert (len(part.learnt), len(part.scored), len(part.scored_labels)) == (30, 10, 10)
    assert float(part.learnt.norm(dim=1).mean()) == pytest.approx(9.21, rel=1e-5)
    # Test images are scaled by what the training images say.
    ratio = images(10, seed=1).norm(dim=1).mean() / images(30).norm(dim=1).mean()
    assert float(part.scored.norm(dim=1).mean()) == pytest.approx(9.21 * float(ratio), rel=1e-5)
    both = pixels(tmp_path / "data", "joined", DIGITS)
    assert both.learnt is both.scored
    assert both.learnt_labels.tolist() == labels.tolist()


def test_others_start_from_subspaces_that_use_no_labels():
    changed = section()
    changed["methods"]["subspaces"]["starts"] = ["class", "kmeans"]
    assert conditions.before(changed, "digits", "joined").start == "kmeans"
    changed["methods"]["subspaces"]["starts"] = ["class"]
    with pytest.raises(ValueError, match="without labels"):
        conditions.before(changed, "digits", "joined")


MORE = {
    "another start": ("methods", "mixmate", {"starts": ["subspaces", "ssc"], "held_out": ["ssc"]}),
    "elsewhere": ("methods", "mixmate", {"datasets": ["mnist"], "replicates": 2}),
    "more seeds": ("settings", "digits", {"replicates": 9}),
}


def trained_from(changed: dict) -> dict:
    """What is given to every training of digits, and to that with missing pixels."""
    given = {
        name: (conditions.spec_of(changed, name), conditions.of_training(changed, "digits", name))
        for name in changed["methods"]
    }
    return given | {"missing": conditions.settings_of_missing(changed, "digits")}


@pytest.mark.parametrize(("part", "name", "change"), MORE.values(), ids=MORE)
def test_what_is_trained_more_changes_no_training(part, name, change):
    changed = section()
    changed[part][name] |= change
    assert trained_from(changed) == trained_from(section())


def test_a_setting_changes_the_trainings_that_use_it():
    every = set(section()["methods"]) | {"missing"}
    mixtures = every - {"subspaces", "group_sparse"}
    training = {"training": DIGITS["training"] | {"lr": 0.1}}
    for change, expected in (
        (training, every - {"subspaces"}),
        ({"layers": 9}, every - {"subspaces"}),
        ({"lambda": 2.0}, mixtures),
        ({"dimension": 3}, {"subspaces"}),
        ({"atoms": 9}, {"missing"}),  # elsewhere the start has them
        ({"mean_norm": 1.0}, every - {"subspaces"}),
        ({"scales": 1}, set()),  # of the features
    ):
        changed, before = section(), trained_from(section())
        changed["settings"]["digits"] |= change
        found = trained_from(changed)
        assert {name for name in found if found[name] != before[name]} == expected, change


def test_a_method_changes_the_settings_of_its_own_training_alone():
    changed = section()
    changed["methods"]["mixmate_doubled"]["settings"] = {"lambda": 0.5}
    found, before = trained_from(changed), trained_from(section())
    assert {name for name in found if found[name] != before[name]} == {"mixmate_doubled"}
    assert found["mixmate_doubled"][1]["lambda"] == 0.5
