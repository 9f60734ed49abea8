"""Subspace clustering: codes against other solvers, graphs, and clusters of known subspaces."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.linear_model import ElasticNet, orthogonal_mp

import groupsparse as gs
from groupsparse import subspaces
from groupsparse.subspaces import (
    affinity,
    elastic_net,
    graph_clusters,
    orthogonal_matching_pursuit,
    shared_neighbors,
)


def union(count=4, dimension=3, samples=40, n=30, noise=0.02, seed=0):
    """Samples of random subspaces (count * samples, n), and the subspace of each."""
    generator = torch.Generator().manual_seed(seed)
    draws = torch.randn(count, n, dimension, generator=generator, dtype=torch.float64)
    bases = gs.orthonormalize_groups(draws, dimension)
    codes = torch.randn(count, samples, dimension, generator=generator, dtype=torch.float64)
    points = (codes @ bases.mT).flatten(0, 1)
    points += noise * torch.randn(points.shape, generator=generator, dtype=torch.float64)
    return points, np.repeat(np.arange(count), samples)


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("block", [7, 1000])
def test_pursuit_is_that_of_scikit_learn_without_the_sample_itself(monkeypatch, block, unit):
    monkeypatch.setattr(subspaces, "BLOCK", block)
    points, _ = union(noise=0.1)
    found = orthogonal_matching_pursuit(points, 4, unit=unit).toarray()
    atoms = torch.nn.functional.normalize(points, dim=1).numpy() if unit else points.numpy()
    for i in range(0, len(points), 9):
        others = np.delete(np.arange(len(points)), i)
        if unit:  # scikit-learn wants unit atoms
            expected = orthogonal_mp(atoms[others].T, atoms[i], n_nonzero_coefs=4)
        else:
            chosen, residual = [], atoms[i]
            for _ in range(4):
                scores = np.abs(atoms[others] @ residual)
                scores[chosen] = -1
                chosen.append(int(scores.argmax()))
                values = np.linalg.lstsq(atoms[others][chosen].T, atoms[i], rcond=None)[0]
                residual = atoms[i] - atoms[others][chosen].T @ values
            expected = np.zeros(len(others))
            expected[chosen] = values
        # The ridge of 2e-12 and rounding, times the condition of four atoms.
        assert np.allclose(found[i, others], expected, atol=1e-6)
        assert found[i, i] == 0


@pytest.mark.parametrize(
    ("ratio", "gamma", "size"), [(1.0, 5.0, 24), (0.9, 20.0, 50), (0.5, 50.0, 100)]
)
def test_the_elastic_net_is_that_of_scikit_learn_though_it_looks_at_few_samples(ratio, gamma, size):
    points, _ = union(samples=30, noise=0.1)
    found = elastic_net(points, ratio, gamma, size, rounds=10, layers=3000).toarray()
    unit = torch.nn.functional.normalize(points, dim=1).numpy()
    for i in range(0, len(points), 13):
        others = np.delete(np.arange(len(points)), i)
        lambda_ = np.abs(unit[others] @ unit[i]).max() / gamma
        ridge = lambda_ * (1 - ratio) / ratio
        # Its objective is the mean of squares, with alpha (l1_ratio |c| + (1 - l1_ratio) / 2 c^2).
        total = (lambda_ + ridge) / unit.shape[1]
        model = ElasticNet(
            alpha=total, l1_ratio=lambda_ / (lambda_ + ridge), fit_intercept=False, tol=1e-12,
            max_iter=1_000_000,
        )  # fmt: skip
        expected = model.fit(unit[others].T, unit[i]).coef_
        # Rounds end when nothing outside exceeds lambda by more than 1 %.
        assert np.allclose(found[i, others], expected, atol=0.02 / gamma)


@pytest.mark.parametrize("codes", [orthogonal_matching_pursuit, elastic_net])
def test_samples_choose_their_own_subspace_and_form_clusters(codes):
    points, truth = union()
    found = codes(points.float())
    inside = truth[:, None] == truth[None]
    weights = abs(found).toarray()
    assert weights[inside].sum() > 0.95 * weights.sum()
    for graph in (affinity(found), shared_neighbors(found, 5)):
        assert gs.accuracy(truth, graph_clusters(graph, 4, seed=0)) > 0.95


def test_equal_and_zero_samples_have_finite_codes():
    points, _ = union(samples=5)
    points[3] = points[2]
    points[7] = 0
    for unit in (False, True):
        codes = orthogonal_matching_pursuit(points.float(), 3, unit=unit)
        assert np.isfinite(codes.toarray()).all()
        assert np.isfinite(affinity(codes).toarray()).all()
    codes = elastic_net(points.float()).toarray()
    assert np.isfinite(codes).all()
    assert not codes[7].any()


def test_the_affinity_is_symmetric_and_has_unit_rows_before():
    codes = sparse.csr_array(np.array([[0, 3.0, -4.0], [0, 0, 0], [2.0, 0, 0]]))
    expected = np.array([[0, 0.3, 0.4 + 0.5], [0.3, 0, 0], [0.9, 0, 0]])
    assert np.allclose(affinity(codes).toarray(), expected)


def test_neighbours_share_codes():
    codes = sparse.csr_array(
        np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [1, 1, 0, 0], [-1, -0.9, 0, 0]], dtype=float)
    )
    graph = shared_neighbors(codes, 1).toarray()
    assert graph[0, 1] == 1
    assert np.array_equal(graph, graph.T)
    assert not graph.diagonal().any()


def test_arguments_that_do_not_fit_are_explained():
    points, _ = union()
    with pytest.raises(ValueError, match="5 samples cannot have 5 others"):
        orthogonal_matching_pursuit(points[:5], 5)
    with pytest.raises(ValueError, match=r"features must have shape \(N, k\)"):
        orthogonal_matching_pursuit(points[0])
    with pytest.raises(ValueError, match="NaN"):
        elastic_net(torch.full((4, 3), torch.nan))
    for wrong in ({"ratio": 0.0}, {"ratio": 1.5}, {"gamma": 1.0}, {"gamma": float("nan")}):
        with pytest.raises(ValueError, match="0 < ratio <= 1 and gamma > 1"):
            elastic_net(points, **wrong)
