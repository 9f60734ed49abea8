"""Initial dictionaries from data use enough of the data."""

import numpy as np
import pytest
import torch

from groupsparse import clustering, init

pytestmark = pytest.mark.filterwarnings("ignore:Graph is not fully connected")


@pytest.mark.parametrize("name", ["kmeans", "spectral"])
def test_a_cluster_of_few_samples_is_found(name):
    # 12 of 812 samples: a share of the data too small for a part of the data.
    labels = torch.arange(3).repeat_interleave(torch.tensor([400, 400, 12]))
    noise = torch.randn(len(labels), 3, generator=torch.Generator().manual_seed(0))
    data = 50 * torch.eye(3)[labels] + noise
    for seed in range(3):
        atoms = init.initialize(name, data, 3, 2, seed)
        # Blobs are along the axes, so an atom points along that of its blob.
        assert sorted(atoms.argmax(0).reshape(3, 2)[:, 0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("name", ["kmeans", "spectral"])
@pytest.mark.parametrize(("samples", "seen"), [(9_000, 9_000), (12_000, 10_000)])
def test_at_most_ten_thousand_samples_are_clustered(monkeypatch, name, samples, seen):
    clustered, seeds = [], set()

    def first_half(features, groups, *others):
        clustered.append(features)
        seeds.add(others[-1])
        return np.arange(len(features)) * groups // len(features)

    monkeypatch.setattr(clustering, f"{name}_clusters", first_half)
    data = torch.arange(1.0, samples + 1).unsqueeze(1)
    init.initialize(name, data, 2, 1, 0)
    chosen = clustered[0][:, 0]
    assert len(set(chosen)) == len(chosen) == seen
    # A random part: its mean is within five standard deviations of that of all.
    spread = samples / 12**0.5 / seen**0.5
    assert abs(chosen.mean() - data.numpy().mean()) < 5 * spread
    init.initialize(name, data, 2, 1, 1)
    assert len(seeds) == 2, "the seed of the init is that of its clusters too"


def test_as_many_atoms_as_samples_take_each_sample_once():
    data = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    atoms = init.initialize("data", data, 4, 3, 0)
    cosines = atoms.T @ torch.nn.functional.normalize(data, dim=1).T
    assert sorted(cosines.argmax(1).tolist()) == list(range(12))
    # Float32 unit vectors.
    torch.testing.assert_close(cosines.max(1).values, torch.ones(12))


def principal(data, count):
    """The first right singular vectors, (n, count), by another routine than the init's."""
    return torch.linalg.svd(data.double(), full_matrices=False).Vh[:count].T


def test_pca_mixes_the_first_singular_vectors():
    data = torch.randn(300, 20, generator=torch.Generator().manual_seed(0)).double() + 1
    groups, size = 6, 4
    atoms = init.initialize("pca", data, groups, size, 0)
    v = principal(data, size)
    # In the span of V, which is orthonormal: nothing is left after projection (float64).
    torch.testing.assert_close(v @ (v.T @ atoms), atoms, rtol=0, atol=1e-12)
    # Every group by itself spans it: P_g is a dense matrix.
    spectra = torch.linalg.svdvals(atoms.unflatten(1, (groups, size)).permute(1, 0, 2))
    assert spectra.shape == (groups, size)
    assert (spectra[:, -1] > 1e-3).all()
    # Uncentred: shifted data have other directions.
    assert (init.initialize("pca", data - 1, groups, size, 0) - atoms).abs().max() > 0.1


def test_pca_starts_from_mixing_matrices_that_are_orthonormal_to_each_other(monkeypatch):
    monkeypatch.setattr(init, "normalize_columns", lambda atoms: atoms)
    data = torch.randn(300, 20, generator=torch.Generator().manual_seed(0)).double()
    for groups, size in ((6, 4), (9, 3), (30, 3)):
        atoms = init.initialize("pca", data, groups, size, 0)
        mixing = (principal(data, size).T @ atoms).unflatten(1, (groups, size))
        flat = mixing.transpose(0, 1).flatten(1)
        # Of 30 matrices with 9 entries only the columns can be orthonormal.
        gram = flat @ flat.T if groups <= size**2 else flat.T @ flat
        torch.testing.assert_close(gram, torch.eye(len(gram)).double(), rtol=0, atol=1e-12)


def test_pca_with_groups_of_one_gives_the_singular_vectors_themselves():
    data = torch.randn(300, 20, generator=torch.Generator().manual_seed(0)).double()
    atoms = init.initialize("pca", data, 12, 1, 0)
    cosines = (atoms * principal(data, 12)).sum(0).abs()
    torch.testing.assert_close(cosines, torch.ones(12).double(), rtol=0, atol=1e-9)
    assert torch.equal(atoms, init.initialize("pca", data, 12, 1, 7))


@pytest.mark.parametrize(("groups", "size"), [(21, 1), (2, 21)])
def test_pca_needs_as_many_dimensions_as_directions(groups, size):
    with pytest.raises(ValueError, match="pca needs 21 directions, and the data have 20"):
        init.initialize("pca", torch.randn(100, 20), groups, size, 0)


@pytest.mark.parametrize("name", init.INITS)
def test_samples_of_zeros_start_no_atom(name):
    draw = torch.Generator().manual_seed(0)
    data, labels = torch.randn(200, 8, generator=draw), torch.arange(200) % 2
    kept = init.initialize(name, data, 2, 2, labels=labels)
    assert torch.allclose(kept.norm(dim=0), torch.ones(4))
    mixed = torch.zeros(2000, 8)
    mixed[::10] = data
    spread = init.initialize(name, mixed, 2, 2, labels=labels.repeat_interleave(10))
    assert torch.equal(spread, kept)
    with pytest.raises(ValueError, match="3 samples cannot initialise 4 atoms: those of zeros"):
        init.initialize(name, mixed[:30], 2, 2, labels=torch.zeros(30))


def test_no_groups_are_refused():
    with pytest.raises(ValueError, match="groups must be a whole number of at least 1"):
        init.initialize("random", torch.ones(5, 4), 0, 2)
