"""Initial dictionaries from data use enough of the data."""

import numpy as np
import pytest
import torch

from groupsparse import init

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

    monkeypatch.setattr(init, f"{name}_clusters", first_half)
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
