"""Recovery metrics: invariances, hand-worked values, and the levels of oracle and chance."""

from itertools import permutations

import numpy as np
import pytest
import torch

from groupsparse.dictionary import normalize_columns, orthonormalize_groups, perturb
from groupsparse.generative import (
    Sample,
    code_power,
    dense_codes,
    random_dictionary,
    sample,
    sample_codes,
)
from groupsparse.recovery import (
    add_normal_equations,
    aligned_squared_error,
    group_overlaps,
    group_support,
    invariant_squared_error,
    least_squares_dictionary,
    mean_correlation,
    noise_floor,
    squared_error,
    support_scores,
)

N, D, GROUPS = 40, 2, 15
M = D * GROUPS
ROUNDING = 1e-4  # float32 dictionaries of 30 atoms: an angle is known to about 1e-6 * 30


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pair(seed: int = 0, correlation: float = 0.7):
    """A dictionary and a perturbed version of it."""
    truth = random_dictionary(N, M, rng(seed))
    return perturb(truth, correlation, rng(seed + 1)), truth


def orthonormal_groups(seed: int = 0) -> torch.Tensor:
    """A dictionary whose groups are orthonormal, so that rotations keep unit atoms."""
    blocks = torch.randn(GROUPS, N, D, generator=rng(seed), dtype=torch.float64)
    return torch.linalg.qr(blocks).Q.transpose(0, 1).reshape(N, M)


def shuffle_groups(a, seed=5):
    order = torch.randperm(GROUPS, generator=rng(seed))
    return a.reshape(N, GROUPS, D)[:, order].reshape(N, M)


def rotate_groups(a, seed=6):
    mix = torch.linalg.qr(torch.randn(GROUPS, D, D, generator=rng(seed), dtype=torch.float64)).Q
    return torch.einsum("ngd,gde->nge", a.reshape(N, GROUPS, D).double(), mix).reshape(N, M)


@pytest.mark.parametrize("correlation", [0.9, 0.4])
def test_invariant_error_ignores_the_order_of_groups(correlation):
    estimate, truth = pair(correlation=correlation)
    error = invariant_squared_error(estimate, truth, D)
    assert error > 1
    moved = invariant_squared_error(shuffle_groups(estimate), truth, D)
    assert moved == pytest.approx(error, abs=ROUNDING)


def test_invariant_error_ignores_the_basis_of_a_group():
    estimate, truth = pair()
    mix = torch.randn(GROUPS, D, D, generator=rng(8), dtype=torch.float64)
    mixed = torch.einsum("ngd,gde->nge", estimate.reshape(N, GROUPS, D).double(), mix)
    error = invariant_squared_error(estimate, truth, D)
    moved = invariant_squared_error(mixed.reshape(N, M), truth, D)
    assert moved == pytest.approx(error, abs=ROUNDING)


def test_invariant_error_is_half_the_squared_distance_of_projectors():
    truth = random_dictionary(N, D, rng(0)).double()
    estimate = random_dictionary(N, D, rng(1)).double()
    projectors = [a @ torch.linalg.pinv(a) for a in (estimate, truth)]
    expected = 0.5 * (projectors[0] - projectors[1]).square().sum()
    # One group, float64.
    assert invariant_squared_error(estimate, truth, D) == pytest.approx(float(expected), abs=1e-12)


def test_invariant_error_is_the_least_over_all_matchings():
    groups, contested = 4, 0
    for seed in range(20):
        # Four planes in five dimensions are close to several others.
        truth, estimate = (
            random_dictionary(5, groups * D, rng(s)).double() for s in (seed, 50 + seed)
        )
        p, q = (
            torch.stack([b @ torch.linalg.pinv(b) for b in a.split(D, dim=1)])
            for a in (estimate, truth)
        )
        cost = 0.5 * (p.unsqueeze(1) - q).square().sum((2, 3))
        least = min(
            float(cost[list(order), range(groups)].sum()) for order in permutations(range(groups))
        )
        # Float64.
        assert invariant_squared_error(estimate, truth, D) == pytest.approx(least, abs=1e-9)
        contested += len(set(cost.argmin(1).tolist())) < groups
    assert contested, "matching each group to the nearest would do: this tests nothing"


def test_aligned_error_matches_the_spans_that_share_most():
    groups, contested = 4, 0
    for seed in range(20):
        truth, estimate = (
            random_dictionary(5, groups * D, rng(s)).double() for s in (seed, 50 + seed)
        )
        u, v = (
            torch.stack([torch.linalg.qr(b).Q for b in a.split(D, dim=1)])
            for a in (estimate, truth)
        )
        shared = torch.einsum("gni,hnj->ghij", u, v).square().sum((2, 3))
        best = max(permutations(range(groups)), key=lambda o: float(shared[o, range(groups)].sum()))
        expected = sum(
            aligned_squared_error(estimate[:, D * g : D * g + D], truth[:, D * h : D * h + D], D)
            for h, g in enumerate(best)
        )
        assert aligned_squared_error(estimate, truth, D) == pytest.approx(expected, abs=1e-9)
        contested += len(set(shared.argmax(0).tolist())) < groups
    assert contested, "matching each group to the nearest would do: this tests nothing"


def test_aligned_error_ignores_the_order_of_groups():
    estimate, truth = pair(correlation=0.9)
    error = aligned_squared_error(estimate, truth, D)
    assert error > 1
    moved = aligned_squared_error(shuffle_groups(estimate), truth, D)
    assert moved == pytest.approx(error, abs=ROUNDING)


def test_aligned_error_ignores_the_signs_of_atoms():
    estimate, truth = pair(correlation=0.9)
    signs = torch.randint(0, 2, (M,), generator=rng(3)) * 2 - 1
    error = aligned_squared_error(estimate, truth, D)
    assert aligned_squared_error(estimate * signs, truth, D) == pytest.approx(error, abs=ROUNDING)


def test_aligned_error_ignores_rotations_of_orthonormal_groups():
    _, truth = pair()
    estimate = orthonormal_groups()
    error = aligned_squared_error(estimate, truth, D)
    moved = aligned_squared_error(rotate_groups(estimate), truth, D)
    assert moved == pytest.approx(error, abs=ROUNDING)


def test_aligned_error_ignores_rotations_of_groups_that_are_not_orthogonal():
    truth = random_dictionary(N, M, rng(0))
    error = aligned_squared_error(rotate_groups(truth), truth, D)
    assert error == pytest.approx(0, abs=ROUNDING)


@pytest.mark.parametrize("change", [shuffle_groups, rotate_groups])
def test_the_squared_error_of_the_paper_is_not_invariant(change):
    truth = orthonormal_groups()
    assert squared_error(truth, truth) == 0
    # A typical atom moves by a random angle: far more than a tenth of the 4 m at most.
    assert squared_error(change(truth), truth) > 0.1 * M


def test_the_oracle_estimate_has_no_error():
    _, truth = pair()
    assert squared_error(truth, truth) == 0
    assert invariant_squared_error(truth, truth, D) == pytest.approx(0, abs=ROUNDING)
    assert aligned_squared_error(truth, truth, D) == pytest.approx(0, abs=ROUNDING)
    assert float(mean_correlation(truth, truth)) == pytest.approx(1, abs=1e-6)  # float32


def test_the_oracle_support_has_perfect_scores():
    truth = torch.rand(50, 10, generator=rng(0)) < 0.3
    assert set(support_scores(truth, truth).values()) == {1.0}


def test_the_opposite_dictionary_has_the_largest_squared_error():
    _, truth = pair()
    # 4 m = 120 in float32.
    assert float(squared_error(-truth, truth)) == pytest.approx(4 * M, abs=ROUNDING)
    assert float(mean_correlation(-truth, truth)) == pytest.approx(-1, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_random_dictionaries_have_squared_error_near_twice_their_atoms(seed):
    n, m = 200, 300
    a, b = (random_dictionary(n, m, rng(2 * seed + i + 100)) for i in (0, 1))
    # 2 m - 2 sum of m cosines of variance 1 / n: five standard deviations.
    assert abs(squared_error(a, b) - 2 * m) <= 5 * 2 * (m / n) ** 0.5


def test_random_supports_score_at_chance():
    samples, groups, k = 4000, 20, 3
    estimate, truth = (
        torch.zeros(samples, groups, dtype=torch.bool).scatter_(
            1, torch.rand(samples, groups, generator=rng(s)).topk(k).indices, True
        )
        for s in (0, 1)
    )
    scores = support_scores(estimate, truth)
    # Hits of a sample are hypergeometric; precision is their mean over k: five std deviations.
    variance = k * (k / groups) * (1 - k / groups) * (groups - k) / (groups - 1)
    bound = 5 * (variance / samples) ** 0.5 / k
    assert abs(scores["precision"] - k / groups) <= bound
    assert scores["precision"] == scores["recall"] == scores["f1"]
    subsets = 20 * 19 * 18 / 6
    assert scores["exact"] <= 1 / subsets + 5 * (1 / subsets / samples) ** 0.5


def test_support_scores_of_a_hand_worked_example():
    truth = torch.tensor([[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0]], dtype=torch.bool)
    estimate = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]], dtype=torch.bool)
    # 3 hits of 4 wanted and 5 found; samples 0 and 2 are exact.
    expected = {"recall": 3 / 4, "precision": 3 / 5, "f1": 6 / 9, "exact": 2 / 3}
    assert support_scores(estimate, truth) == pytest.approx(expected)


def test_a_support_with_something_too_much_is_not_exact():
    truth = torch.tensor([[1, 1, 0], [1, 0, 0]], dtype=torch.bool)
    more = torch.tensor([[1, 1, 1], [1, 0, 0]], dtype=torch.bool)
    assert (support_scores(more, truth)["recall"], support_scores(more, truth)["exact"]) == (1, 0.5)
    assert (support_scores(truth, more)["precision"], support_scores(truth, more)["exact"]) == (
        1,
        0.5,
    )


def test_an_empty_estimate_scores_zero_rather_than_dividing_by_zero():
    truth = torch.ones(3, 4, dtype=torch.bool)
    expected = {"recall": 0.0, "precision": 0.0, "f1": 0.0, "exact": 0.0}
    assert support_scores(~truth, truth) == expected


def test_supports_are_arrays_of_any_kind_and_nothing_to_find_scores_zero():
    empty = np.zeros((3, 4), dtype=bool)
    scores = support_scores(empty, empty)
    assert scores == {"recall": 0.0, "precision": 0.0, "f1": 0.0, "exact": 1.0}


def test_a_group_is_in_the_support_if_any_of_its_entries_is_not_zero():
    codes = torch.tensor([[0.0, 1e-30, 0.0, 0.0, -1.0, 2.0]])
    assert group_support(codes, 2).tolist() == [[True, False, True]]


@pytest.mark.parametrize("correlation", [1.0, 0.9, 0.5, 0.1])
def test_aligned_error_is_at_most_the_squared_error(correlation):
    estimate, truth = pair(correlation=correlation)
    aligned = aligned_squared_error(estimate, truth, D)
    assert 0 - ROUNDING <= aligned <= float(squared_error(estimate, truth)) + ROUNDING


def test_errors_ignore_the_scale_of_atoms():
    estimate, truth = pair()
    scale = torch.rand(M, generator=rng(4)) * 9 + 0.1
    for error in (
        squared_error,
        lambda a, b: invariant_squared_error(a, b, D),
        mean_correlation,
    ):
        before, after = float(error(estimate, truth)), float(error(estimate * scale, truth))
        assert after == pytest.approx(before, abs=ROUNDING)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_what_a_deficient_group_lacks_is_an_error(scale):
    truth = torch.eye(6, dtype=torch.float64)[:, :3]
    a, b, none = truth[:, 0], truth[:, 1], torch.zeros(6)
    for atoms, found in (((none,) * 3, 0), ((a,) * 3, 1), ((a, -a, b), 2), ((none, b, a), 2)):
        estimate = scale * torch.stack([*atoms], 1)
        assert invariant_squared_error(estimate, truth, 3) == pytest.approx(3 - found)
        assert float(group_overlaps(estimate, truth, 3)) == pytest.approx(found / 3)


def test_the_aligned_error_ignores_the_scale_of_groups():
    estimate, truth = pair()
    scale = (torch.rand(M // D, generator=rng(4)) * 9 + 0.1).repeat_interleave(D)
    before = aligned_squared_error(estimate, truth, D)
    after = aligned_squared_error(estimate * scale, truth, D)
    assert after == pytest.approx(before, abs=ROUNDING)


def test_squared_error_follows_from_the_mean_correlation():
    estimate, truth = pair()
    expected = 2 * M * (1 - mean_correlation(estimate, truth))
    # ||a - b||^2 = 2 - 2 cos for unit atoms.
    assert float(squared_error(estimate, truth)) == pytest.approx(float(expected), abs=ROUNDING)


def test_leading_dimensions_are_separate_dictionaries():
    pairs = [pair(seed) for seed in (0, 10, 20)]
    estimate, truth = (torch.stack(part) for part in zip(*pairs, strict=True))
    for error in (squared_error, mean_correlation):
        alone = torch.stack([error(a, b) for a, b in pairs])
        # Sums in another order, float32.
        assert torch.allclose(error(estimate, truth), alone, rtol=1e-5, atol=0)


def codes_and_power(samples: int, seed: int = 0):
    """Dense group-sparse codes and the expected square of an entry."""
    codes = sample_codes(samples, GROUPS, D, 3, (4.0, 5.0), rng(seed))
    square_of_norm = (5**3 - 4**3) / 3  # E[c^2] for c ~ U(4, 5)
    return dense_codes(codes, GROUPS).double(), 3 / GROUPS * square_of_norm / D


def test_least_squares_recovers_the_dictionary_exactly_without_noise():
    truth = random_dictionary(N, M, rng(0)).double()
    codes, _ = codes_and_power(500)
    estimate = least_squares_dictionary(codes @ truth.T, codes)
    # Condition of the Gram matrix below 100, float64.
    assert torch.allclose(estimate, truth, rtol=0, atol=1e-11)


def test_least_squares_has_the_error_that_theory_predicts():
    samples, n, std = 3000, 100, 0.5
    truth = normalize_columns(torch.randn(n, M, generator=rng(0), dtype=torch.float64))
    codes, power = codes_and_power(samples)
    noise = torch.randn(samples, n, generator=rng(1), dtype=torch.float64)
    estimate = least_squares_dictionary(codes @ truth.T + std * noise, codes)
    error = float((estimate - truth).square().sum())
    expected = std**2 * n * M / (samples * power)
    # Five sd of a sum of n m squared normals, plus E[trace of the inverse Gram] - trace of the
    # inverse expectation: about (kurtosis + m) / N relative.
    kurtosis = GROUPS / 3 * 1.5 * 1.05
    tolerance = 5 * (2 / (n * M)) ** 0.5 + 2 * (kurtosis + M) / samples
    assert abs(error / expected - 1) <= tolerance


def test_least_squares_keeps_the_type_of_the_data():
    codes, _ = codes_and_power(100)
    assert least_squares_dictionary(torch.ones(100, 5), codes.float()).dtype == torch.float32


def test_an_atom_that_no_code_uses_is_zero():
    codes, _ = codes_and_power(200)
    codes[:, 3] = 0
    truth = random_dictionary(N, M, rng(0)).double()
    estimate = least_squares_dictionary((codes @ truth.T).numpy(), codes.numpy())
    assert not estimate[:, 3].any()
    used = torch.arange(M) != 3
    assert torch.allclose(estimate[:, used], truth[:, used], rtol=0, atol=1e-11)
    assert not least_squares_dictionary(torch.ones(5, N), torch.zeros(5, M)).any()


def test_least_squares_sums_in_float64():
    codes, _ = codes_and_power(2000)
    data = codes @ random_dictionary(N, M, rng(0)).double().T
    single = least_squares_dictionary(data.float(), codes.float()).double()
    exact = least_squares_dictionary(data.float().double(), codes.float().double())
    assert torch.allclose(single, exact, rtol=1e-7, atol=1e-7), "float32 rounding of the result"


def test_the_noise_floor_takes_one_power_for_each_atom():
    assert noise_floor(0.5, 3, 100, [1.0, 2.0]) == pytest.approx(0.5 * (1 / 100 + 1 / 200))
    with pytest.raises(ValueError, match=r"code_power must have shape \(m,\)"):
        noise_floor(0.5, 3, 100, code_power(0.5, (1.0, 2.0), 2))


def test_the_noise_floor_is_the_mean_error_of_least_squares():
    n, std, samples, draws, amplitude = 12, 0.3, 4000, 40, (1.0, 2.0)
    errors = []
    for draw in range(draws):
        truth = random_dictionary(n, 8, rng(draw))
        drawn = sample(truth, 2, 1, amplitude, samples, rng(1000 + draw), std=std)
        codes = dense_codes(drawn.codes, 4)
        errors.append(float(squared_error(least_squares_dictionary(drawn.data, codes), truth)))
    floor = noise_floor(std, n, samples, torch.full((8,), code_power(1 / 4, amplitude, 2)))
    mean, spread = np.mean(errors), np.std(errors, ddof=1) / draws**0.5
    # Four standard errors, and the second order in m / N that the closed form leaves out.
    assert abs(mean - floor) < 4 * spread + floor * 8 / samples


def test_the_noise_floor_of_a_hand_worked_example():
    # sigma^2 = 1/4, two directions in which a unit atom of three entries can err.
    floor = noise_floor(0.5, 3, 100, torch.tensor([1.0, 2.0]))
    assert floor == pytest.approx(0.25 * 2 * (1 / 100 + 1 / 200))


def test_unit_atoms_of_one_entry_have_no_noise_floor():
    assert noise_floor(0.5, 1, 100, torch.ones(3)) == 0


def test_more_samples_lower_the_floor_in_proportion():
    power = torch.rand(6, generator=rng(1)) + 0.1
    assert noise_floor(0.5, 9, 2000, power) == pytest.approx(noise_floor(0.5, 9, 1000, power) / 2)


def test_normal_equations_touch_active_entries_only_and_are_the_dense_ones():
    codes = sample_codes(200, GROUPS, D, 3, (1.0, 2.0), rng(4))
    data = torch.randn(200, N, generator=rng(5))
    gram, cross = torch.zeros(M, M).double(), torch.zeros(M, N).double()
    for _ in range(2):
        add_normal_equations(gram, cross, Sample(data, codes, 1.0))
    x = dense_codes(codes, GROUPS).double()
    # Products of float32 codes, at most 200 terms of size 4 or so summed in float32.
    torch.testing.assert_close(gram, 2 * x.T @ x, rtol=0, atol=200 * 4 * 6e-8 * 10)
    torch.testing.assert_close(cross, 2 * x.T @ data.double(), rtol=0, atol=200 * 8 * 6e-8 * 10)


def test_overlaps_are_in_the_order_of_the_truth_and_what_is_missing_is_the_subspace_error():
    truth = orthonormalize_groups(random_dictionary(30, 12, rng(0)), 3)
    near = perturb(truth, 0.8, rng(1))
    # The last group is lost and the others change places.
    lost = random_dictionary(30, 3, rng(2))
    estimate = torch.cat([near[:, 3:6], lost, near[:, 6:9], near[:, :3]], dim=1)
    found = group_overlaps(estimate, truth, 3)
    assert int(found.argmin()) == 3
    assert (found[:3] > 0.5).all()
    error = invariant_squared_error(estimate, truth, 3)
    assert 3 * float((1 - found).sum()) == pytest.approx(error)
    assert group_overlaps(truth, truth, 3).tolist() == pytest.approx([1.0] * 4)


@pytest.mark.parametrize(
    "estimate",
    [torch.ones(4, 3), torch.ones(4, 3).long(), torch.ones(1, 3).bool(), torch.ones(3).bool()],
)
def test_supports_that_are_not_bool_of_one_shape_are_refused(estimate):
    truth = torch.ones(4, 3, dtype=torch.bool)
    for pair in ((estimate, truth), (truth, estimate)):
        with pytest.raises(ValueError, match="supports must be bool of one shape"):
            support_scores(*pair)


def test_a_group_of_zeros_is_as_far_away_as_its_true_group_is_long():
    truth = torch.eye(6).double()
    lost = truth.clone()
    lost[:, 2:4] = 0
    assert aligned_squared_error(lost, truth, 2) == pytest.approx(2.0)
    assert aligned_squared_error(torch.zeros(6, 6), truth, 2) == pytest.approx(6.0)


@pytest.mark.parametrize("codes_type", [torch.float32, torch.float64])
@pytest.mark.parametrize("data_type", [torch.float32, torch.float64])
def test_normal_equations_take_codes_and_data_of_any_precision(codes_type, data_type):
    codes = sample_codes(50, GROUPS, D, 3, (1.0, 2.0), rng(4))
    codes = codes._replace(values=codes.values.to(codes_type))
    data = torch.randn(50, N, generator=rng(5), dtype=data_type)
    gram, cross = torch.zeros(M, M).double(), torch.zeros(M, N).double()
    add_normal_equations(gram, cross, Sample(data, codes, 1.0))
    x = dense_codes(codes, GROUPS).double()
    # At most 50 terms of size 8 or so, summed in float32.
    torch.testing.assert_close(gram, x.T @ x, rtol=0, atol=50 * 8 * 6e-8 * 10)
    torch.testing.assert_close(cross, x.T @ data.double(), rtol=0, atol=50 * 8 * 6e-8 * 10)


def test_normal_equations_add_to_a_matrix_that_lies_transposed():
    codes = sample_codes(20, GROUPS, D, 3, (1.0, 2.0), rng(4))
    sample = Sample(torch.randn(20, N, generator=rng(5)), codes, 1.0)
    grams = torch.zeros(M, M).double(), torch.zeros(M, M).double().T
    for gram in grams:
        add_normal_equations(gram, torch.zeros(M, N).double(), sample)
    assert torch.equal(*grams)
