"""The options of the generative model do what they say, and change nothing where they are left out.

Bounds are five standard errors, or Pearson's statistic at probability 1e-6.
"""

import pytest
import torch
from scipy.stats import chi2, kstest, t

from groupsparse.activity import draw_groups
from groupsparse.batches import FreshData
from groupsparse.generative import decode, random_dictionary, sample, sample_codes
from groupsparse.noise import unit_noise


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def codes(samples=20_000, groups=10, d=3, k=2, seed=0, **options):
    return sample_codes(samples, groups, d, k, (4.0, 5.0), rng(seed), **options)


def counts(active, groups):
    return active.flatten().bincount(minlength=groups).double()


def test_without_options_the_draws_are_those_of_the_published_numbers():
    truth = random_dictionary(20, 12, rng(1))
    drawn = sample(truth, 3, 1, (4.0, 5.0), 200, rng(2), std=0.5)
    again = rng(2)
    groups = torch.randint(4, (200, 1), generator=again)
    direction = torch.randn(200, 1, 3, generator=again)
    norm = 4.0 + torch.rand(200, 1, 1, generator=again)
    noise = torch.randn(200, 20, generator=again)
    assert torch.equal(drawn.codes.groups, groups)
    values = torch.nn.functional.normalize(direction, dim=-1) * norm
    assert torch.equal(drawn.codes.values, values)
    assert torch.equal(drawn.data, decode(truth, drawn.codes).add_(noise, alpha=0.5))


def test_nonnegative_codes_have_the_same_norms_and_no_other_sign():
    values = codes(nonnegative=True).values
    assert values.min() >= 0
    norm = values.norm(dim=-1)
    assert norm.min() >= 4 - 1e-5  # float32 rounding of a norm
    assert norm.max() <= 5 + 1e-5
    # On the sphere in three dimensions a coordinate is uniform, its absolute value too.
    unit = (values / norm.unsqueeze(-1)).reshape(-1, 3)
    assert all(kstest(c, "uniform").pvalue > 1e-6 for c in unit.T.numpy())


def test_unused_atoms_have_zero_codes_and_the_others_are_isotropic():
    sizes = [1, 2, 3, 3, 1, 2, 3, 3, 1, 2]
    drawn = codes(sizes=sizes)
    used = torch.arange(3) < torch.tensor(sizes)[drawn.groups].unsqueeze(-1)
    assert torch.equal(drawn.values != 0, used)
    norm = drawn.values.norm(dim=-1)
    assert norm.min() >= 4 - 1e-5
    assert norm.max() <= 5 + 1e-5
    for d in (1, 2, 3):
        of_size = torch.tensor(sizes)[drawn.groups] == d
        unit = (drawn.values / norm.unsqueeze(-1))[of_size][:, :d]
        # Squares of coordinates have mean 1 / d and variance at most 3 / (d (d + 2)).
        error = (unit.square().mean(0) - 1 / d).abs().max()
        assert error <= 5 * (3 / (d * (d + 2)) / len(unit)) ** 0.5 + 1e-6


def test_the_first_group_has_the_frequencies_that_are_stated():
    weights = torch.tensor([8.0, 4.0, 2.0, 1.0, 1.0])
    drawn = draw_groups(20_000, 5, 1, rng(3), frequencies=weights)
    expected = 20_000 * weights.double() / weights.sum()
    statistic = ((counts(drawn, 5) - expected) ** 2 / expected).sum()
    assert statistic <= chi2.ppf(1 - 1e-6, 4)


def test_later_groups_are_drawn_from_those_that_are_left():
    weights = torch.tensor([8.0, 4.0, 2.0, 1.0, 0.0]).double()
    drawn = draw_groups(40_000, 5, 2, rng(4), frequencies=weights)
    assert (drawn[:, 0] != drawn[:, 1]).all()
    first = weights / weights.sum()
    # P(g second) = sum over h != g of P(h) w_g / (W - w_h).
    second = torch.stack(
        [sum(first[h] * weights[g] / (15 - weights[h]) for h in range(4) if h != g)
         for g in range(4)]
    )  # fmt: skip
    expected = 40_000 * second
    statistic = ((counts(drawn[:, 1], 4) - expected) ** 2 / expected).sum()
    assert statistic <= chi2.ppf(1 - 1e-6, 3)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 1.0])
def test_partners_are_active_together_as_often_as_stated(correlation):
    samples, groups = 20_000, 8
    drawn = draw_groups(samples, groups, 2, rng(5), correlation)
    together = float(((drawn[:, 0] ^ 1) == drawn[:, 1]).double().mean())
    p = correlation + (1 - correlation) / (groups - 1)
    assert abs(together - p) <= 5 * (p * (1 - p) / samples) ** 0.5
    # Every group is as frequent as every other: each position of a sample is uniform.
    for position in drawn.T:
        error = counts(position, groups) - samples / groups
        assert error.square().sum() / (samples / groups) <= chi2.ppf(1 - 1e-6, groups - 1)


@pytest.mark.parametrize("k", [3, 5])
def test_groups_that_fire_together_are_distinct_also_without_a_partner(k):
    drawn = draw_groups(2000, 5, k, rng(6), correlation=0.9)  # group 4 has none
    assert all(len(set(row)) == k and max(row) < 5 for row in drawn.tolist())


@pytest.mark.parametrize("color", [0.0, 0.6, -0.5])
@pytest.mark.parametrize("kind", ["gaussian", "student"])
def test_noise_has_unit_variance(kind, color):
    noise = unit_noise(40_000, 8, rng(7), kind, color)
    # Of t_3 the sample variance has no variance: the share of mass within 1 does (below). Its mean
    # square over 320,000 draws strays like a stable law of index 3/2, by a few per cent.
    bound = 0.1 if kind == "student" else 5 * (2 * 8 / noise.numel()) ** 0.5
    assert abs(float(noise.square().mean()) - 1) <= bound
    assert abs(float(noise.mean())) <= 5 * (8 / noise.numel()) ** 0.5


def test_student_noise_is_that_of_three_degrees_of_freedom():
    noise = unit_noise(20_000, 2, rng(8), "student").flatten() * 3**0.5
    assert kstest(noise.numpy(), t(3).cdf).pvalue > 1e-6
    assert kstest(noise.numpy() / 3**0.5, "norm").pvalue < 1e-6, "it is not Gaussian"


@pytest.mark.parametrize("color", [0.0, 0.6, -0.5])
def test_coloured_noise_has_the_correlations_of_its_recursion(color):
    samples, n = 40_000, 6
    noise = unit_noise(samples, n, rng(9), color=color).double()
    lags = (torch.arange(n)[:, None] - torch.arange(n)).abs()
    expected = torch.tensor(float(color)).double() ** lags
    # Products of two standard normals have variance 1 + rho^2, at most 2.
    assert (noise.T @ noise / samples - expected).abs().max() <= 5 * (2 / samples) ** 0.5


def test_the_spectrum_of_coloured_noise_is_that_of_an_autoregression():
    n, color = 64, 0.8
    white, coloured = unit_noise(4000, n, rng(10)), unit_noise(4000, n, rng(10), color=color)
    # Inverting the recursion gives back the innovations, which are the white draws.
    innovations = (coloured[:, 1:] - color * coloured[:, :-1]) / (1 - color**2) ** 0.5
    # Float32 sums of 64 terms of order one, divided by 0.6.
    torch.testing.assert_close(innovations, white[:, 1:], rtol=0, atol=1e-5)


def test_a_mixture_is_one_nonnegative_group_of_one_atom():
    truth = random_dictionary(10, 4, rng(11))
    drawn = sample(truth, 1, 1, (3.0, 3.0), 100, rng(12), std=0.0, nonnegative=True)
    means = 3 * truth.T[drawn.codes.groups.squeeze(1)]
    torch.testing.assert_close(drawn.data, means, rtol=0, atol=1e-6)


def test_fresh_data_passes_the_options_on():
    truth = random_dictionary(10, 12, rng(13)).unsqueeze(0)
    model = {"group_size": 3, "active_groups": 2, "amplitude": (4.0, 5.0), "samples": 50}
    fresh = FreshData(truth, [0.1], [3], **model, nonnegative=True, sizes=[1, 1, 2, 3], color=0.5)
    (drawn,) = fresh.samples(0)
    assert drawn.codes.values.min() >= 0
    assert (drawn.codes.values[drawn.codes.groups == 0][:, 1:] == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"correlation": 1.5}, "correlation must be in"),
        ({"frequencies": [1.0, 2.0]}, "frequencies must be 4"),
        ({"frequencies": [1.0, -1.0, 1.0, 1.0]}, "frequencies must be 4"),
        ({"frequencies": [1.0, 0.0, 0.0, 0.0]}, "positive for at least 2"),
        ({"sizes": [1, 2, 3, 4]}, "sizes must be 4"),
        ({"sizes": [1, 0, 1, 1]}, "sizes must be 4"),
        ({"sizes": [1]}, "sizes must be 4"),
        ({"noise": "pink"}, "noise must be one of gaussian, student"),
        ({"color": 1.0}, "color must be in"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    truth = random_dictionary(10, 12, rng(0))
    with pytest.raises(ValueError, match=message):
        sample(truth, 3, 2, (4.0, 5.0), 10, rng(1), snr_db=5.0, **options)
