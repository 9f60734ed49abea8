"""Clustering by one active group: its contract, its optimum, and what it recovers."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

import groupsparse as gs
from groupsparse.flats import fit_flats, flats_of
from groupsparse.group_clustering import GroupSparseClustering

K, D, DIM, N = 4, 2, 12, 400


def flats(seed=0, noise=0.1, centered=True):
    """Samples of K flats, their clusters, and the bases (K, n, d)."""
    draw = np.random.default_rng(seed)
    bases = np.linalg.qr(draw.normal(size=(K, DIM, D)))[0]
    means = 0.7 * draw.normal(size=(K, DIM)) * centered
    labels = np.arange(N) % K
    codes = 3 * draw.normal(size=(N, D))
    data = means[labels] + np.einsum("ind,id->in", bases[labels], codes)
    return data + noise * draw.normal(size=(N, DIM)), labels, bases


@parametrize_with_checks([GroupSparseClustering(), GroupSparseClustering(3, 1, centered=False)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("centered", [True, False])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_flats_are_found_from_their_samples_alone(centered, seed):
    data, labels, bases = flats(seed, centered=centered)
    found = GroupSparseClustering(K, D, centered=centered, n_init=20, random_state=seed).fit(data)
    assert gs.accuracy(labels, found.labels_) > 0.97
    assert found.noise_std_ == pytest.approx(0.1, rel=0.1)
    overlap = np.square(np.einsum("kdn,jne->kjde", found.components_, bases)).sum((-1, -2)) / D
    assert (overlap.max(1) > 0.99).all()
    means = KMeans(K, n_init=20, random_state=seed).fit_predict(data)
    assert gs.accuracy(labels, means) < 0.9, "k-means must not do"


def test_without_atoms_it_is_k_means():
    data, _, _ = flats()
    found = GroupSparseClustering(K, 0, n_init=10, random_state=0).fit(data)
    means = KMeans(K, n_init=10, random_state=0).fit(data)
    assert found.inertia_ == pytest.approx(means.inertia_, rel=0.02)
    assert found.components_.shape == (K, 0, DIM)


def test_no_step_raises_the_error_and_of_the_starts_the_least_is_kept(monkeypatch):
    data = torch.from_numpy(flats(noise=1.0)[0])
    labels = torch.randint(K, (N,), generator=torch.Generator().manual_seed(0))
    errors = []
    for passes in range(1, 8):
        fitted = fit_flats(data, labels, K, D, True, passes)
        errors.append(float(fitted.flats.energies(data).amin(-1).sum()))
    assert errors == sorted(errors, reverse=True)
    alone = []
    for seeds in ([0], [1], [2], [3], [0, 1, 2, 3]):
        monkeypatch.setattr(GroupSparseClustering, "_seeds", lambda self, seeds=seeds: seeds)
        alone.append(GroupSparseClustering(K, D).fit(data).inertia_)
    assert len({round(error) for error in alone}) > 1
    assert alone.pop() == min(alone)


def test_the_flats_of_samples_are_their_means_and_principal_directions():
    data = torch.from_numpy(flats()[0])
    labels = torch.arange(N) % 2
    made = flats_of(data, labels, 2, 3, True)
    for k in range(2):
        own = data[labels == k]
        assert torch.allclose(made.means[k], own.mean(0))
        rest = own - own.mean(0)
        left = rest - rest @ made.atoms[k] @ made.atoms[k].mT
        assert float(left.square().sum()) == pytest.approx(
            float(torch.linalg.svdvals(rest)[3:].square().sum())
        )
    one = flats_of(data, (torch.arange(N) > 0).long(), 2, 3, True)  # a single sample
    assert torch.allclose(one.atoms[0].mT @ one.atoms[0], torch.eye(3, dtype=data.dtype))


def test_a_cluster_that_loses_its_samples_takes_the_furthest():
    data = torch.cat([torch.zeros(20, 3), torch.eye(3)[:1] * 50])
    labels = torch.cat([torch.zeros(20), torch.ones(1)]).long()
    # Cluster 2 has no sample at first.
    labels[0] = 2
    fitted = fit_flats(data, labels, 3, 0, True, 10)
    assert fitted.labels[20] not in fitted.labels[:20]


@pytest.mark.parametrize("d", [0, 1])
@pytest.mark.parametrize("seed", range(5))
def test_every_cluster_keeps_a_sample(seed, d):
    draw = torch.Generator().manual_seed(seed)
    data = torch.randint(2, (12, 3), generator=draw).float()
    labels = torch.randint(5, (12,), generator=draw) // 2  # two are empty at first
    fitted = fit_flats(data, labels, 5, d, True, 10)
    assert fitted.labels.unique().tolist() == list(range(5))
    assert fitted.flats.energies(data).isfinite().all()


def test_probabilities_are_those_of_white_noise_about_the_flats():
    data, _, _ = flats(noise=0.5)
    found = GroupSparseClustering(K, D, n_init=20, random_state=0).fit(data)
    p = found.predict_proba(data)
    assert p.shape == (N, K)
    np.testing.assert_allclose(p.sum(1), 1)
    np.testing.assert_array_equal(p.argmax(1), found.predict(data))
    energies = found.energies(data)
    ratio = np.log(p[:, 0] / p[:, 1])
    expected = (energies[:, 1] - energies[:, 0]) / (2 * found.noise_std_**2)
    sure = np.abs(expected) < 30
    np.testing.assert_allclose(ratio[sure], expected[sure], rtol=1e-6, atol=1e-9)
    assert found.score(data) == pytest.approx(-energies.min(1).mean())


def test_digits_are_clustered_better_than_by_k_means():
    data, labels = load_digits(return_X_y=True)
    scores = [
        gs.accuracy(labels, GroupSparseClustering(10, 8, random_state=s).fit_predict(data / 16))
        for s in range(3)
    ]
    means = KMeans(10, n_init=10, random_state=0).fit_predict(data / 16)
    assert np.mean(scores) > gs.accuracy(labels, means)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_clusters": 0}, "n_clusters must be"),
        ({"n_clusters": N + 1}, "cannot form n_clusters"),
        ({"group_size": -1}, "group_size must be"),
        ({"max_iter": 0}, "max_iter must be"),
        ({"n_init": 0}, "n_init must be"),
    ],
)
def test_a_wrong_argument_is_named(options, said):
    with pytest.raises(ValueError, match=said):
        GroupSparseClustering(**options).fit(flats()[0])


def test_more_atoms_than_features_are_refused_as_by_the_coder():
    data = flats()[0]
    for kind in (GroupSparseClustering, gs.GroupSparseCoder):
        with pytest.raises(ValueError, match="groups of 13 atoms need as many features, not n_f"):
            kind(K, DIM + 1).fit(data)
    assert GroupSparseClustering(K, DIM).fit(data).components_.shape == (K, DIM - 1, DIM)


@pytest.mark.parametrize("kind", [GroupSparseClustering, gs.GroupSparseCoder])
def test_estimators_take_bfloat16_as_the_same_numbers_in_float32(kind):
    data = torch.from_numpy(flats()[0]).bfloat16()
    low, high = (kind(K, D, random_state=0).fit(x) for x in (data, data.float()))
    assert low.components_.dtype == np.float32
    assert (low.components_ == high.components_).all()
