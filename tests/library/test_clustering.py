"""Clustering and its metrics."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.manifold import spectral_embedding as sklearn_embedding
from sklearn.neighbors import kneighbors_graph

from groupsparse import clustering
from groupsparse.clustering import (
    ALGORITHMS,
    accuracy,
    active_group,
    class_contrast,
    cluster,
    consensus,
    kmeans_clusters,
    neighbor_graph,
    nonnegative_normalized,
    scores,
    sparsity,
    spectral_clusters,
    spectral_embedding,
)

pytestmark = pytest.mark.filterwarnings("ignore:A single label was found")
often = settings(max_examples=50, deadline=None, derandomize=True, database=None)
labelings = st.lists(st.integers(0, 4), min_size=1, max_size=40).map(np.array)


def blobs(per_blob: int = 30, seed: int = 0):
    """Four blobs whose distance is fifty times their spread: features and labels."""
    centers = 50 * np.eye(4)
    labels = np.repeat(np.arange(4), per_blob)
    noise = np.random.default_rng(seed).standard_normal((len(labels), 4))
    return centers[labels] + noise, labels


@often
@given(labels=labelings, names=st.permutations(range(5)))
def test_accuracy_is_one_for_any_renaming_of_the_labels(labels, names):
    assert accuracy(labels, np.array(names)[labels]) == 1


@often
@given(labels=labelings, names=st.permutations(range(5)), seed=st.integers(0, 1000))
def test_scores_do_not_depend_on_the_names_of_clusters(labels, names, seed):
    clusters = np.random.default_rng(seed).integers(0, 5, len(labels))
    renamed = scores(labels, np.array(names)[clusters])
    # Sums in another order, float64.
    assert renamed == pytest.approx(scores(labels, clusters), abs=1e-12)


def test_accuracy_of_a_hand_worked_example():
    labels = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    clusters = np.array([1, 1, 0, 0, 0, 2, 2, 2, 1])
    # Best matching 0-1, 1-0, 2-2 with two samples each.
    assert accuracy(labels, clusters) == 6 / 9


def test_matching_is_optimal_and_not_greedy():
    labels = np.array([0] * 9 + [1] * 5)
    clusters = np.array([0] * 5 + [1] * 4 + [0] * 5)
    # Greedy takes (0, 0) with 5 and is left with 0; the best is (0, 1) and (1, 0): 4 + 5.
    assert accuracy(labels, clusters) == 9 / 14


def test_a_constant_assignment_scores_the_largest_class_and_no_information():
    labels = np.array([0] * 6 + [1] * 3 + [2])
    result = scores(labels, np.zeros(10, dtype=int))
    # Entropies of counts in float64.
    assert result == pytest.approx({"acc": 0.6, "nmi": 0.0, "ari": 0.0}, abs=1e-12)


def test_the_right_assignment_scores_one():
    labels = np.array([0, 0, 1, 1, 2, 2])
    expected = {"acc": 1.0, "nmi": 1.0, "ari": 1.0}
    assert scores(labels, labels) == pytest.approx(expected, abs=1e-12)  # float64


@pytest.mark.parametrize("seed", range(3))
def test_random_assignments_score_at_chance(seed):
    samples, k = 20_000, 10
    labels = np.arange(samples) % k
    result = scores(labels, np.random.default_rng(seed).integers(0, k, samples))
    # The k cyclic matchings share all samples, so the best has at least 1 / k; no cell exceeds
    # its mean by five sd = 5 sqrt(samples) / k, and a matching has k cells.
    assert 1 / k <= result["acc"] <= 1 / k + 5 / samples**0.5
    # 2 N MI is chi^2 with (k - 1)^2 degrees of freedom; ARI = (chi^2 - (k-1)^2) / (N (k-1)).
    high, low = chi2.ppf([1 - 1e-6, 1e-6], (k - 1) ** 2)
    assert 0 <= result["nmi"] <= 1.01 * high / (2 * samples * np.log(k))
    spread = samples * (k - 1) / 1.05
    assert (low - (k - 1) ** 2) / spread <= result["ari"] <= (high - (k - 1) ** 2) / spread


def test_surplus_clusters_match_no_label():
    labels = np.array([0, 0, 0, 0, 1, 1])
    clusters = np.array([7, 7, 5, 5, 3, 3])
    # One of the clusters 7 and 5 stays unmatched.
    assert accuracy(labels, clusters) == 4 / 6


def test_surplus_labels_match_no_cluster():
    assert accuracy(np.array([0, 0, 1, 1, 2, 2]), np.array([1, 1, 0, 0, 0, 0])) == 4 / 6


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_separated_blobs_are_found(algorithm):
    features, labels = blobs()
    # 29 neighbours keep a blob connected and reach no other.
    assert accuracy(labels, cluster(features, 4, algorithm, 0, neighbors=29)) == 1


def test_kmeans_is_the_best_of_ten_starts():
    # Ten blobs on a circle, where many a start ends in a worse optimum.
    angles = 2 * np.pi * np.arange(10) / 10
    centers = 10 * np.stack([np.cos(angles), np.sin(angles)], 1)
    features = np.repeat(centers, 20, 0) + np.random.default_rng(0).standard_normal((200, 2))
    worse = 0
    for seed in range(10):
        clusters = kmeans_clusters(features, 10, seed)
        means = np.stack([features[clusters == c].mean(0) for c in range(10)])
        inertia = np.square(features - means[clusters]).sum()
        one, ten = (
            KMeans(10, n_init=starts, random_state=seed).fit(features).inertia_
            for starts in (1, 10)
        )
        assert inertia == pytest.approx(ten, rel=1e-9)  # float64
        worse += one > ten * (1 + 1e-9)
    assert worse, "one start would do: this tests nothing"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_seed_gives_the_same_clusters(algorithm):
    features = np.random.default_rng(0).standard_normal((80, 3))
    first, second = (cluster(features, 4, algorithm, 3) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite_are_refused(algorithm, value):
    features, _ = blobs()
    features[3, 1] = value
    with pytest.raises(ValueError, match="NaN or infinite"):
        cluster(features, 4, algorithm, 0)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_more_clusters_than_samples_are_refused(algorithm):
    with pytest.raises(ValueError, match="3 samples cannot form 4 clusters"):
        cluster(np.eye(3), 4, algorithm, 0)


def test_the_neighbor_graph_is_that_of_scikit_learn():
    features = np.random.default_rng(0).standard_normal((250, 6))
    directed = kneighbors_graph(features, 12, include_self=True)
    expected = ((directed + directed.T) / 2).toarray()
    np.fill_diagonal(expected, 0)
    # A block that does not divide the samples; all weights are multiples of 1/2.
    assert np.array_equal(neighbor_graph(features, 12, block=64).toarray(), expected)


def test_the_neighbor_graph_does_not_depend_on_the_origin():
    # Multiples of 1/8, which stay exact in float32: what is lost is lost in the distances alone.
    rng = np.random.default_rng(0)
    features = (np.round(8 * rng.standard_normal((100, 6))) / 8).astype(np.float32)
    # One sample to centre on: a mean that is exact, too.
    features[0] = -features[1:].sum(0)
    graph, moved = (neighbor_graph(features + shift, 12) for shift in (np.float32(0), 2**13))
    # Ties apart, which rounding may settle otherwise.
    assert abs(graph - moved).sum() < 0.02 * graph.sum()


@pytest.mark.parametrize("dense", [True, False])
def test_the_spectral_embedding_is_that_of_scikit_learn(dense, monkeypatch):
    monkeypatch.setattr(clustering, "DENSE", 10_000 if dense else 0)
    graph = neighbor_graph(np.random.default_rng(0).standard_normal((250, 6)), 12)
    ours = spectral_embedding(graph, 5, 0)
    theirs = sklearn_embedding(graph, n_components=5, drop_first=False, random_state=0)
    # Scikit-learn fixes signs. ARPACK converges to machine precision over an eigengap of 0.01.
    signs = np.sign((ours * theirs).sum(0))
    np.testing.assert_allclose(ours * signs, theirs, atol=1e-10)


def test_spectral_clusters_are_those_of_scikit_learn():
    labels = np.repeat(np.arange(4), 60)
    features = 3 * np.eye(4)[labels] + np.random.default_rng(0).standard_normal((240, 4))
    reference = SpectralClustering(4, affinity="nearest_neighbors", n_neighbors=30, random_state=0)
    ours, theirs = spectral_clusters(features, 4, 30, 0), reference.fit_predict(features)
    assert accuracy(theirs, ours) == 1
    assert accuracy(labels, ours) < 1, "blobs this far apart test nothing"


def test_components_of_a_large_disconnected_graph_are_told_apart(monkeypatch):
    # One eigenvalue of multiplicity four: the hard case of a Lanczos method.
    monkeypatch.setattr(clustering, "DENSE", 0)
    features, labels = blobs(per_blob=300)
    assert accuracy(labels, spectral_clusters(features, 4, 30, 0)) == 1


def test_more_neighbors_than_samples_are_cut_to_the_samples():
    features, _ = blobs(per_blob=3)
    assert cluster(features, 2, "spectral", 0, neighbors=1000).shape == (12,)


def test_samples_without_neighbors_are_clustered_all_the_same():
    features, _ = blobs(per_blob=3)
    assert not neighbor_graph(features, 1).count_nonzero()
    labels = cluster(features, 2, "spectral", 0, neighbors=1)
    assert set(labels) == {0, 1}


def test_an_unknown_algorithm_is_named():
    with pytest.raises(ValueError, match="unknown algorithm 'no_such'; known are kmeans, spectral"):
        cluster(np.eye(3), 2, "no_such", 0)


def test_nonnegative_normalized_codes_sum_to_one_and_keep_zero_codes():
    codes = np.random.default_rng(0).standard_normal((20, 6))
    codes[[3, 7]] = 0
    result = nonnegative_normalized(codes)
    assert (result >= 0).all()
    assert not result[[3, 7]].any()
    kept = np.delete(result, [3, 7], 0)
    np.testing.assert_allclose(kept.sum(1), 1, rtol=1e-14)  # float64 sum of 6 entries


def test_nonnegative_normalized_codes_of_a_hand_worked_example():
    codes = np.array([[-1.0, 3.0], [0.0, 0.0], [0.0, -2.0]])
    expected = [[0.25, 0.75], [0, 0], [0, 1]]
    assert nonnegative_normalized(codes).tolist() == expected


def test_the_active_group_is_that_of_largest_norm_and_none_of_a_zero_code():
    codes = torch.tensor([[3.0, 0, 2.5, 2.5], [-2.0, 0, 1, 1], [0, 0, 0, 0]])
    assert active_group(codes, 2).tolist() == [1, 0, -1]


def test_sparsity_of_a_hand_worked_example():
    codes = np.array([[1.0, 0, 0, -2, 0, 0], [0, 0, 0, 0, 0, 0], [3, 1, 0, 0, 0, 0], [0] * 6])
    expected = {"active_entries": 4 / 24, "zero_codes": 0.5, "dead_atoms": 0.5}
    assert sparsity(codes, 2) == expected | {"active_groups": 0.75}


def test_contrast_is_one_without_classes_and_large_between_far_ones():
    features, labels = blobs()
    # Blobs are 50 sqrt(2) apart; two points of one blob are sqrt(2 * 4) apart in the mean square.
    assert class_contrast(features, labels) > 50 * 2**0.5 / 8**0.5
    shuffled = np.random.default_rng(1).permutation(labels)
    assert class_contrast(features, shuffled) == pytest.approx(1, abs=0.1)


def test_contrast_ignores_scale_and_origin():
    features, labels = blobs()
    moved = 3 * features - 7
    assert class_contrast(moved, labels) == pytest.approx(class_contrast(features, labels))


def test_contrast_of_a_hand_worked_example():
    features = np.array([[0.0], [0], [0], [4], [10], [10]])
    labels = np.array([0, 0, 0, 0, 1, 1])
    # Between: six pairs at 10 and two at 6. Within: four at 0, which count, and three at 4.
    assert class_contrast(features, labels) == pytest.approx((72 / 8) / (12 / 7))


def test_contrast_of_samples_that_coincide():
    labels = np.array([0, 0, 1, 1])
    assert class_contrast(np.array([[1.0], [1], [2], [2]]), labels) == np.inf
    assert np.isnan(class_contrast(np.zeros((4, 3)), labels))


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_contrast_needs_two_classes_and_two_samples_of_one(labels):
    assert np.isnan(class_contrast(np.eye(3), np.array(labels)))


def test_contrast_looks_at_the_first_samples_of_each_class():
    features, labels = blobs()
    more = np.concatenate([features, 1e6 + features]), np.concatenate([labels, labels])
    assert class_contrast(*more, per_class=30) == class_contrast(features, labels, per_class=30)
    assert class_contrast(*more, per_class=31) < class_contrast(features, labels)


def renamed(labels, seed, wrong=0.0):
    """The labels under other names, a share of them wrong."""
    rng = np.random.default_rng(seed)
    names, count = rng.permutation(labels.max() + 1), labels.max() + 1
    mistaken = rng.random(len(labels)) < wrong
    return names[np.where(mistaken, rng.integers(count, size=len(labels)), labels)]


def test_a_vote_is_better_than_its_partitions_and_knows_where_they_agree():
    labels = np.random.default_rng(0).integers(5, size=2000)
    partitions = [renamed(labels, seed, wrong=0.3) for seed in range(7)]
    found, share = consensus(partitions, 5)
    single = max(accuracy(labels, p) for p in partitions)
    assert accuracy(labels, found) > 0.95 > 0.8 > single
    assert share.min() >= 2 / 7
    assert share.max() == 1
    unanimous = share == 1
    assert accuracy(labels[unanimous], found[unanimous]) > accuracy(labels, found) - 1e-9


def test_a_vote_of_equal_partitions_is_that_partition():
    labels = np.random.default_rng(0).integers(4, size=50)
    found, share = consensus([renamed(labels, seed) for seed in range(3)], 4)
    assert accuracy(labels, found) == 1
    assert (share == 1).all()


def test_a_vote_needs_partitions():
    for wrong in ([0, 1], [[0, 2]], [[-1, 0]]):
        with pytest.raises(ValueError, match=r"partitions must have shape \(S, N\)"):
            consensus(wrong, 2)
