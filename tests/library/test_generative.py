"""The generative model has the distribution that Section 4.1 states."""

import hashlib
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.stats import chi2, kstest

from groupsparse.dictionary import block_coherence, blocks
from groupsparse.generative import (
    balance_signs,
    code_power,
    coherent_dictionary,
    dense_codes,
    noise_std,
    random_dictionary,
    sample,
    sample_codes,
)
from groupsparse.seeds import derive_seed, generator


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(samples=2000, groups=10, d=3, k=3, amplitude=(4.0, 5.0), seed=0):
    return sample_codes(samples, groups, d, k, amplitude, rng(seed))


def small(seed=0, **noise):
    truth = random_dictionary(40, 20, rng(99))
    return truth, sample(truth, 2, 3, (4.0, 5.0), 500, rng(seed), **noise)


def test_atoms_have_unit_norm():
    # Float32 rounding of a sum of 50 squares.
    assert torch.allclose(
        random_dictionary(50, 30, rng(0)).norm(dim=0), torch.ones(30), rtol=0, atol=1e-6
    )


def test_code_norms_lie_in_the_amplitude_range_and_fill_it():
    norm = draw().values.norm(dim=-1)
    assert norm.min() >= 4 - 1e-5  # float32 rounding of a norm
    assert norm.max() <= 5 + 1e-5
    # 6000 uniform draws: the mean within five sd, sqrt(1 / 12 / 6000).
    assert abs(float(norm.mean()) - 4.5) <= 5 * (1 / 12 / norm.numel()) ** 0.5


def test_code_norms_are_uniform():
    norm = draw(50_000, k=2).values.norm(dim=-1).flatten().numpy()
    # Kolmogorov's test of 100,000 draws: a distance of 0.009 has this probability.
    assert kstest(norm, "uniform", args=(4, 1)).pvalue > 1e-6


@pytest.mark.parametrize(("groups", "k"), [(10, 3), (10, 1), (5, 5), (4, 3)])
def test_every_sample_has_exactly_k_distinct_groups(groups, k):
    codes = draw(groups=groups, k=k)
    assert codes.groups.shape == (2000, k)
    assert all(len(set(row)) == k for row in codes.groups.tolist())
    active = dense_codes(codes, groups).reshape(2000, groups, 3).any(-1)
    assert (active.sum(-1) == k).all()


def test_group_frequencies_are_uniform():
    samples, groups, k = 20_000, 12, 3
    counts = draw(samples, groups, k=k).groups.flatten().bincount(minlength=groups)
    # Counts without replacement: the statistic below is chi^2 with groups - 1 degrees.
    expected = samples * k / groups
    statistic = ((counts - expected) ** 2).sum() / expected * (groups - 1) / (groups - k)
    assert statistic <= chi2.ppf(1 - 1e-6, groups - 1)


def test_supports_are_uniform_over_all_subsets():
    samples, groups, k = 20_000, 6, 3
    rows = draw(samples, groups, k=k, seed=3).groups.sort(-1).values
    code = (rows * torch.tensor([36, 6, 1])).sum(-1)
    names = [36 * a + 6 * b + c for a, b, c in combinations(range(groups), k)]
    counts = torch.tensor([int((code == name).sum()) for name in names])
    assert counts.sum() == samples
    expected = samples / len(names)
    # Pearson's statistic over the 20 subsets.
    assert ((counts - expected) ** 2).sum() / expected <= chi2.ppf(1 - 1e-6, len(names) - 1)


def test_pairs_of_groups_are_included_without_bias():
    samples, groups, k = 20_000, 8, 3
    active = dense_codes(draw(samples, groups, k=k, seed=4), groups).reshape(samples, groups, 3)
    active = active.any(-1).double()
    p = k * (k - 1) / (groups * (groups - 1))
    pairs = (active.T @ active / samples)[tuple(torch.triu_indices(groups, groups, 1))]
    # 28 binomial frequencies, each within five standard deviations.
    assert (pairs - p).abs().max() <= 5 * (p * (1 - p) / samples) ** 0.5


def test_directions_are_isotropic():
    values = draw(20_000, d=3).values.reshape(-1, 3)
    unit = values / values.norm(dim=-1, keepdim=True)
    count, d = unit.shape
    # Entries have variance 1 / d; products variance at most E[u^4] = 3 / (d (d + 2)).
    assert unit.mean(0).abs().max() <= 5 * (1 / d / count) ** 0.5
    moment = unit.T @ unit / count - torch.eye(d) / d
    assert moment.abs().max() <= 5 * (3 / (d * (d + 2)) / count) ** 0.5


def test_directions_are_uniform_on_the_sphere():
    values = draw(20_000, d=3).values.reshape(-1, 3)
    unit = values / values.norm(dim=-1, keepdim=True)
    # Archimedes: the coordinates of a uniform point on the sphere are uniform.
    for coordinate in unit.T.numpy():
        assert kstest(coordinate, "uniform", args=(-1, 2)).pvalue > 1e-6


def test_the_power_of_a_code_entry_is_its_mean_square():
    # E[c^2] for c ~ U(0, 1) is 1/3, over two entries of a group that is active every fourth time.
    assert code_power(0.25, (0.0, 1.0), 2) == pytest.approx(1 / 3 / 2 / 4)
    codes = dense_codes(draw(20_000, groups=10, d=2, k=3, amplitude=(0.0, 5.0)), 10)
    power, count = code_power(0.3, (0.0, 5.0), 2), codes.numel()
    # E[x^4] = 0.3 E[c^4] E[u^4], with 5^4 / 5 and 3/8: five standard errors.
    assert abs(float(codes.square().mean()) - power) < 5 * (0.3 * 125 * 3 / 8 / count) ** 0.5


def test_norm_and_direction_are_independent():
    values = draw(20_000, d=2).values.reshape(-1, 2)
    norm = values.norm(dim=-1)
    unit = values / norm.unsqueeze(-1)
    centred = norm - norm.mean()
    # Products have variance Var(norm) / d = 1 / 24.
    bound = 5 * (1 / 24 / len(norm)) ** 0.5
    assert (centred.unsqueeze(-1) * unit).mean(0).abs().max() <= bound


def test_dense_codes_put_values_at_the_entries_of_their_group():
    codes = draw(samples=7, groups=5, d=2, k=2)
    dense = dense_codes(codes, 5)
    assert dense.shape == (7, 10)
    for i in range(7):
        for j, g in enumerate(codes.groups[i].tolist()):
            assert torch.equal(dense[i, 2 * g : 2 * g + 2], codes.values[i, j])


@pytest.mark.parametrize(("k", "patterns"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8)])
def test_balanced_signs_cancel_products_of_two_groups_and_change_nothing_else(k, patterns):
    codes = sample_codes(7, 6, 2, k, (1.0, 2.0), generator(0))
    groups, values = balance_signs(codes)
    assert groups.shape == (7 * patterns, k)
    repeated = values.unflatten(0, (7, patterns))
    assert torch.equal(
        groups.unflatten(0, (7, patterns)), codes.groups[:, None].expand(-1, patterns, -1)
    )
    assert torch.equal(repeated.abs(), codes.values.abs()[:, None].expand_as(repeated))
    assert torch.equal(repeated[:, 0], codes.values)
    products = torch.einsum("npkd,nphe->nkhde", repeated, repeated) / patterns
    alone = torch.einsum("nkd,nke->nkde", codes.values, codes.values)
    expected = torch.zeros_like(products)
    expected[:, range(k), range(k)] = alone
    # Sums of up to 8 equal float32 values and their negatives.
    assert torch.allclose(products, expected, atol=1e-6)


@pytest.mark.parametrize("snr_db", [-3.0, 1.0, 5.0, 10.0])
def test_realised_snr_equals_the_stated_one(snr_db):
    truth, drawn = small(snr_db=snr_db)
    signal = dense_codes(drawn.codes, 10) @ truth.T
    noise = drawn.data - signal
    realised = 10 * torch.log10(signal.square().mean() / noise.square().mean())
    # The noise power of N n entries has relative sd sqrt(2 / (N n)); 10 / ln 10 turns it to dB.
    assert abs(float(realised) - snr_db) <= 5 * 10 / 2.302 * (2 / noise.numel()) ** 0.5
    assert drawn.noise_std == pytest.approx(noise_std(signal, snr_db), rel=1e-6)  # float32


def test_noise_is_white_and_centred():
    truth, drawn = small(std=0.7)
    noise = drawn.data - dense_codes(drawn.codes, 10) @ truth.T
    count, n = noise.shape
    assert noise.mean(0).abs().max() <= 5 * 0.7 / count**0.5  # five sd of a mean of N
    # Entries of the sample covariance have variance at most 2 std^4 / N.
    covariance = noise.T @ noise / count - 0.49 * torch.eye(n)
    assert covariance.abs().max() <= 5 * 0.49 * (2 / count) ** 0.5


def test_a_stated_noise_std_is_kept():
    assert small(std=0.7)[1].noise_std == 0.7


def test_noise_std_of_a_hand_worked_example():
    # Power 4 at 20 dB leaves a variance of 0.04.
    assert noise_std(torch.full((3, 5), 2.0), 20.0) == pytest.approx(0.2, rel=1e-6)  # float32


def test_without_noise_the_data_are_the_dictionary_times_the_codes():
    truth, drawn = small(std=0.0)
    # Six terms of at most 5 in another order: a few units in the last place of float32.
    expected = dense_codes(drawn.codes, 10) @ truth.T
    torch.testing.assert_close(drawn.data, expected, rtol=0, atol=6 * 5 * 6e-8 * 2)


@pytest.mark.parametrize("kind", [np.int64, np.uint32])
def test_a_seed_may_be_one_of_numpy(kind):
    assert torch.equal(random_dictionary(4, 6, kind(3)), random_dictionary(4, 6, 3))


def test_the_same_seed_gives_the_same_bits():
    (_, first), (_, second) = small(seed=1, snr_db=1.0), small(seed=1, snr_db=1.0)
    assert torch.equal(first.data, second.data)
    assert torch.equal(first.codes.groups, second.codes.groups)
    assert torch.equal(first.codes.values, second.codes.values)
    assert first.noise_std == second.noise_std


def test_another_seed_gives_other_data():
    (_, first), (_, second) = small(seed=1, snr_db=1.0), small(seed=2, snr_db=1.0)
    assert not torch.equal(first.codes.groups, second.codes.groups)
    assert not torch.isclose(first.data, second.data).all(-1).any()


@pytest.mark.parametrize("k", [0, -1, 11])
def test_an_impossible_number_of_active_groups_is_refused(k):
    with pytest.raises(ValueError, match=f"0 < active_groups <= 10, not {k}"):
        draw(k=k)


@pytest.mark.parametrize("noise", [{}, {"snr_db": 1.0, "std": 1.0}])
def test_exactly_one_noise_level_must_be_given(noise):
    with pytest.raises(ValueError, match="exactly one of snr_db and std"):
        small(**noise)


def test_seeds_depend_on_every_part_of_their_purpose():
    purposes = [(7, "data", 0), (7, "data", 1), (7, "init", 0), (8, "data", 0), (7, "data")]
    seeds = [derive_seed(*parts) for parts in purposes]
    assert len(set(seeds)) == len(purposes)
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_seeds_are_the_same_in_every_run():
    expected = int(hashlib.sha256(b"7/data/0").hexdigest()[:8], 16) % 2**31
    assert derive_seed(7, "data", 0) == expected
    assert generator(7, "data", 0).initial_seed() == derive_seed(7, "data", 0)


@pytest.mark.parametrize("coherence", [0.15, 0.2, 0.25])
def test_coherent_groups_are_orthonormal_and_share_a_direction(coherence):
    dictionary = coherent_dictionary(100, 10, 4, coherence, 3)
    groups = blocks(dictionary, 4)
    # Rounding of float32: sums of a hundred products.
    assert torch.allclose(groups.mT @ groups, torch.eye(4).expand(10, 4, 4), atol=1e-5)
    assert float(block_coherence(dictionary, 4)) == pytest.approx(coherence, abs=1e-5)
    # All pairs of groups are about as coherent as the most coherent one, and in one direction.
    first = torch.linalg.svdvals(torch.cat(list(groups), dim=1))[:2]
    assert first[0] > 1.3 * first[1]


def test_coherence_is_that_of_at_least_two_groups():
    with pytest.raises(ValueError, match="groups must be a whole number of at least 2"):
        coherent_dictionary(40, 1, 2, 0.4, 0)


@pytest.mark.parametrize("amplitude", [(5.0, 4.0), (-1.0, 2.0), (1.0, float("inf"))])
def test_amplitudes_are_an_interval(amplitude):
    with pytest.raises(ValueError, match="amplitude must be"):
        draw(amplitude=amplitude)


def test_codes_have_the_precision_of_their_data():
    truth = random_dictionary(20, 12, rng(0)).double()
    drawn = sample(truth, 3, 2, (4.0, 5.0), 50, rng(1), std=0.0)
    assert drawn.codes.values.dtype == drawn.data.dtype == torch.float64
    again = dense_codes(drawn.codes, 4) @ truth.mT
    assert torch.allclose(again, drawn.data, rtol=0, atol=1e-13)


def test_a_coherence_that_no_groups_have_is_refused():
    for coherence in (0.01, 0.26):
        with pytest.raises(ValueError, match="coherence must be between"):
            coherent_dictionary(100, 10, 4, coherence, 3)
    with pytest.raises(ValueError, match="below n = 4"):
        coherent_dictionary(4, 2, 4, 0.2, 0)


def test_parts_of_a_seed_cannot_run_together():
    with pytest.raises(ValueError, match="cannot have a /"):
        derive_seed("a/b")
