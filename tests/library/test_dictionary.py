"""Dictionaries and their initialisation."""

import numpy as np
import pytest
import torch

from groupsparse.dictionary import (
    block_coherence,
    coherence,
    normalize_columns,
    perturb,
    spectral_bound,
    squared_spectral_norm,
)
from groupsparse.generative import random_dictionary
from groupsparse.init import INITS, initialize
from groupsparse.preprocess import preprocess
from groupsparse.recovery import mean_correlation
from groupsparse.supervision import SUPERVISED_INITS

pytestmark = pytest.mark.filterwarnings("ignore:Graph is not fully connected")
GROUPS, D, N = 4, 3, 6
every_init = pytest.mark.parametrize("name", INITS)


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blobs(per_blob: int = 20):
    """Four clusters far apart: data (N, n) and labels."""
    labels = torch.arange(GROUPS).repeat_interleave(per_blob)
    noise = torch.randn(len(labels), N, generator=rng(0))
    return 50 * torch.eye(GROUPS, N)[labels] + noise, labels


def sources(atoms, data):
    """For every atom the index of the sample whose direction it has; fails if there is none."""
    unit = torch.nn.functional.normalize(data, dim=1)
    distance, index = torch.cdist(atoms.T.double(), unit.double()).min(1)
    assert distance.max() <= 1e-6  # float32 rounding of unit vectors
    return index


@every_init
def test_every_init_has_unit_atoms_and_the_right_shape(name):
    data, labels = blobs()
    a = initialize(name, data, GROUPS, D, 1, labels)
    assert a.shape == (N, GROUPS * D)
    assert a.dtype == data.dtype
    # Float32 rounding of a norm.
    assert torch.allclose(a.norm(dim=0), torch.ones(GROUPS * D), rtol=0, atol=1e-6)


@every_init
def test_every_init_is_a_function_of_the_seed(name):
    data, labels = blobs()
    first, again, other = (initialize(name, data, GROUPS, D, s, labels) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", [name for name in INITS if name not in ("random", "pca")])
def test_inits_from_data_take_different_samples_as_atoms(name):
    data, labels = blobs()
    index = sources(initialize(name, data, GROUPS, D, 1, labels), data)
    assert len(index.unique()) == GROUPS * D


@pytest.mark.parametrize("name", ["kmeans", "spectral", "class"])
def test_the_atoms_of_a_group_come_from_one_cluster(name):
    data, labels = blobs()
    groups = labels[sources(initialize(name, data, GROUPS, D, 1, labels), data)]
    groups = groups.reshape(GROUPS, D)
    assert (groups == groups[:, :1]).all()
    assert len(groups[:, 0].unique()) == GROUPS


@pytest.mark.parametrize("name", [name for name in INITS if name not in SUPERVISED_INITS])
def test_unsupervised_inits_ignore_labels(name):
    data, labels = blobs()
    with_labels = initialize(name, data, GROUPS, D, 1, labels)
    assert torch.equal(with_labels, initialize(name, data, GROUPS, D, 1))


def test_init_by_class_needs_labels():
    with pytest.raises(ValueError, match="'class' needs labels"):
        initialize("class", blobs()[0], GROUPS, D, 1)


@every_init
def test_too_few_samples_are_refused(name):
    data, labels = blobs()
    with pytest.raises(ValueError, match="11 samples cannot initialise 12 atoms"):
        initialize(name, data[:11], GROUPS, D, 1, labels[:11])


def test_an_unknown_init_is_named():
    with pytest.raises(ValueError, match="unknown init 'no_such'; known are random, data"):
        initialize("no_such", blobs()[0], GROUPS, D, 1)


def test_a_cluster_smaller_than_a_group_repeats_its_samples():
    data, labels = blobs()
    labels = labels.clone()
    labels[labels == 2] = 1
    labels[7] = 2
    index = sources(initialize("class", data, GROUPS, D, 1, labels), data)
    assert index[2 * D : 3 * D].tolist() == [7] * D


def test_a_cluster_as_large_as_a_group_gives_each_of_its_samples_once():
    data, labels = blobs(per_blob=D)
    index = sources(initialize("class", data, GROUPS, D, 1, labels), data)
    assert sorted(index.tolist()) == list(range(GROUPS * D))


def test_an_empty_cluster_takes_samples_from_anywhere():
    data, labels = blobs()
    labels = labels.clamp_max(GROUPS - 2)
    a = initialize("class", data, GROUPS, D, 1, labels)
    assert a.isfinite().all()
    assert len(sources(a, data)[-D:].unique()) == D


def test_kmeans_on_data_with_fewer_distinct_points_than_clusters_gives_unit_atoms():
    data = torch.eye(2, N).repeat(10, 1)
    with pytest.warns(UserWarning, match="distinct clusters"):
        a = initialize("kmeans", data, GROUPS, D, 1)
    assert torch.equal(a.norm(dim=0), torch.ones(GROUPS * D))


def test_normalize_columns_keeps_zero_atoms_and_directions():
    a = torch.tensor([[3.0, 0.0, -1.0], [4.0, 0.0, 0.0]])
    # Float32 rounding.
    expected = torch.tensor([[0.6, 0.0, -1.0], [0.8, 0.0, 0.0]])
    assert torch.allclose(normalize_columns(a), expected, rtol=0, atol=1e-7)


def test_coherence_of_a_hand_worked_example():
    a = torch.tensor([[1.0, 0.0, 0.6], [0.0, 1.0, -0.8]])
    assert float(coherence(a)) == pytest.approx(0.8)  # float32: |(0, 1) . (0.6, -0.8)|


def test_block_coherence_of_a_hand_worked_example():
    a = torch.eye(4)
    # A_1 = (e1, e2), A_2 = (0.6 e1 + 0.8 e3, 0.8 e2 + 0.6 e4): A_1^T A_2 = diag(0.6, 0.8).
    a[:, 2] = torch.tensor([0.6, 0.0, 0.8, 0.0])
    a[:, 3] = torch.tensor([0.0, 0.8, 0.0, 0.6])
    assert float(block_coherence(a, 2)) == pytest.approx(0.8 / 2)  # float32


@pytest.mark.parametrize("d", [1, 2, 5])
def test_block_coherence_is_at_most_the_coherence(d):
    # ||A_g^T A_h||_2 <= ||.||_F <= d max |a_i^T a_j|, for any atoms.
    a = torch.randn(7, 12, 20, generator=rng(0), dtype=torch.float64)
    assert (block_coherence(a, d) <= coherence(a) + 1e-12).all()


def test_block_coherence_of_groups_of_one_is_the_coherence():
    a = torch.randn(3, 12, 20, generator=rng(0), dtype=torch.float64)
    assert torch.allclose(block_coherence(a, 1), coherence(a), rtol=1e-12, atol=0)  # float64


def test_block_coherence_equals_a_loop_over_pairs_of_groups():
    a = torch.randn(6, 12, generator=rng(0), dtype=torch.float64)
    blocks = a.split(3, dim=1)
    pairs = [
        torch.linalg.matrix_norm(g.T @ h, ord=2) / 3
        for i, g in enumerate(blocks)
        for j, h in enumerate(blocks)
        if i != j
    ]
    assert float(block_coherence(a, 3)) == pytest.approx(float(max(pairs)), rel=1e-12)  # float64


def test_an_orthonormal_dictionary_has_no_coherence():
    assert coherence(torch.eye(6)) == 0
    assert block_coherence(torch.eye(6), 2) == 0


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6), (3, 2, 5, 9), (3, 2, 9, 5)])
def test_squared_spectral_norm_is_the_square_of_the_matrix_norm(shape):
    a = torch.randn(shape, generator=rng(0), dtype=torch.float64)
    expected = torch.linalg.matrix_norm(a, ord=2) ** 2
    assert torch.allclose(squared_spectral_norm(a), expected, rtol=1e-12, atol=0)  # float64


@pytest.mark.parametrize("correlation", [0.3, 0.56, 0.9])
def test_perturbation_has_the_stated_mean_cosine(correlation):
    n, m = 950, 200
    truth = random_dictionary(n, m, rng(0))
    cosine = float(mean_correlation(perturb(truth, correlation, rng(1)), truth))
    # The cosine of one atom has sd below 1.5 / sqrt(n) and a bias of order 1 / n.
    assert abs(cosine - correlation) <= 5 * 1.5 / (n * m) ** 0.5 + 3 / n


def test_perturbation_with_correlation_one_changes_nothing():
    truth = random_dictionary(20, 8, rng(0))
    assert torch.equal(perturb(truth, 1.0, rng(1)), truth)


def test_perturbed_atoms_are_not_normalised():
    truth = random_dictionary(950, 200, rng(0))
    norm = perturb(truth, 0.56, rng(1)).norm(dim=0)
    # E ||a + b||^2 = 1 / correlation^2; relative sd of one square below sqrt(4 / n), of the mean
    # of 200 below 0.5 %: five of them.
    assert float(norm.square().mean()) == pytest.approx(1 / 0.56**2, rel=0.025)


@pytest.mark.parametrize("correlation", [0.0, -0.5, 1.01])
def test_an_impossible_correlation_is_refused(correlation):
    with pytest.raises(ValueError, match=r"correlation must be in \(0, 1\]"):
        perturb(torch.eye(3), correlation, rng(0))


def test_preprocessing_centres_with_the_training_mean_alone():
    train, test = torch.randn(50, 4, generator=rng(0)) + 3, torch.randn(9, 4, generator=rng(1))
    centred, other = preprocess(train, test, center=True, unit_norm=False)
    # Float32 mean of numbers near 3.
    assert centred.mean(0).abs().max() <= 1e-5
    assert torch.equal(other, test - train.mean(0))


def test_preprocessing_scales_to_unit_norm_and_keeps_zero_samples():
    data = torch.randn(20, 4, generator=rng(0))
    data[3] = 0
    (scaled,) = preprocess(data, center=False, unit_norm=True)
    expected = torch.ones(20)
    expected[3] = 0
    assert torch.allclose(scaled.norm(dim=1), expected, rtol=0, atol=1e-6)  # float32


def test_preprocessing_without_options_changes_nothing():
    data = torch.randn(20, 4, generator=rng(0))
    assert torch.equal(preprocess(data, center=False, unit_norm=False)[0], data)


def test_inits_do_not_touch_the_random_state_of_others():
    data, labels = blobs()
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    for name in INITS:
        initialize(name, data, GROUPS, D, 1, labels)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


def test_a_normalised_init_is_the_same_direction_with_unit_atoms():
    truth = normalize_columns(torch.randn(60, 10, generator=torch.Generator().manual_seed(1)))
    inits = [
        perturb(truth, 0.4, torch.Generator().manual_seed(2), normalized) for normalized in (0, 1)
    ]
    torch.testing.assert_close(inits[1], normalize_columns(inits[0]))
    assert float(inits[0].norm(dim=0).min()) > 1.5


def stale() -> dict[str, torch.Tensor]:
    """Dictionaries that a warm-started power iteration, or an estimate of the past, gets wrong."""
    noise = rng(2)
    blocks = torch.zeros(20, 20)
    blocks[:10, :10] = torch.randn(10, 10, generator=noise)
    blocks[10:, 10:] = 4 * torch.randn(10, 10, generator=noise)
    flat = torch.linalg.qr(torch.randn(50, 40, generator=noise)).Q
    wide = torch.randn(12, 40, generator=noise)
    return {
        "two modalities, one of them silent": blocks,
        "equal singular values": flat,
        "one direction": torch.outer(flat[:, 0], wide[0]),
        "one large atom": torch.cat([flat[:, :5] * 1e-3, flat[:, 5:6] * 1e3], 1),
        "more atoms than entries": wide,
        "very long": 1e15 * wide,
        "very short": 1e-15 * wide,
    }


@pytest.mark.parametrize("name", stale())
def test_a_step_is_never_too_large(name):
    a = stale()[name]
    exact = torch.linalg.matrix_norm(a.double(), ord=2) ** 2
    gram = a.mT @ a
    # Sums of at most 50 float32 products, and eigenvalues of at most 40 rows.
    slack = 1 + 100 * 2.0**-24
    for value in (squared_spectral_norm(a), squared_spectral_norm(a, gram)):
        assert exact / slack <= value <= exact * slack
    bound = spectral_bound(gram)
    assert exact / slack <= bound <= exact * slack * len(gram) ** (1 / 256)


def test_beside_the_cpu_the_step_is_that_of_the_bound_by_products(monkeypatch):
    monkeypatch.setattr("groupsparse.dictionary.spectral_bound", lambda gram: ("bound", gram.shape))
    for n, m in ((12, 5), (5, 12)):
        found = squared_spectral_norm(torch.empty(2, n, m, device="meta"))
        assert found == ("bound", (2, 5, 5)), "of the smaller Gram matrix"


def test_the_bound_by_products_is_tight_where_the_spectrum_is_not_flat():
    a = torch.randn(3, 200, 50, generator=rng(1)) + 1  # the mean makes one direction much longer
    exact = torch.linalg.matrix_norm(a.double(), ord=2) ** 2
    assert torch.allclose(spectral_bound(a.mT @ a).double(), exact, rtol=1e-5, atol=0)


def test_more_squarings_make_the_bound_smaller():
    gram = torch.eye(1000)
    bounds = [float(spectral_bound(gram, squarings)) for squarings in (0, 3, 7)]
    # Of a flat spectrum of size k: k^(1 / 2p).
    expected = [1000 ** (1 / (2 * 2**squarings)) for squarings in (0, 3, 7)]
    assert bounds == pytest.approx(expected, rel=1e-5)  # float32 logarithms


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf"), 1e30])
def test_a_dictionary_without_a_step_is_refused(value):
    a = torch.full((3, 4), value)
    with pytest.raises(FloatingPointError, match="zero or not finite"):
        squared_spectral_norm(a)


def test_perturbation_follows_the_device_and_dtype_of_the_dictionary():
    meta = torch.zeros(8, 4, dtype=torch.float64, device="meta")
    moved = perturb(meta, 0.5, rng(0))
    assert (moved.device.type, moved.dtype) == ("meta", torch.float64)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])  # their squares leave the range of float16
def test_atoms_of_half_precision_have_unit_norm_and_zero_stays_zero(dtype, size):
    atoms = (size * torch.tensor([[3.0, 0.0, 1.0], [4.0, 0.0, 2.0]])).to(dtype)
    found = normalize_columns(atoms)
    assert found.dtype == dtype
    # Every entry is rounded once, by half an eps of a number below 1.
    norms = found.double().norm(dim=0)
    expected = torch.tensor([1.0, 0.0, 1.0]).double()
    torch.testing.assert_close(norms, expected, rtol=0, atol=torch.finfo(dtype).eps)
