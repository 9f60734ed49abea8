"""Active groups and their codes: against exhaustive search, exact solutions and the noise."""

import itertools

import pytest
import torch

import groupsparse as gs
from groupsparse.pursuit import FALSE_ALARM


@pytest.fixture(scope="module")
def problem():
    truth = gs.orthonormalize_groups(gs.random_dictionary(60, 40, generator=0), 4)
    sample = gs.sample(truth, 4, 2, (4.0, 5.0), samples=300, generator=1, snr_db=15.0)
    support = torch.zeros(300, 10, dtype=torch.bool)
    support[torch.arange(300).unsqueeze(1), sample.codes.groups] = True
    return truth, sample, support


def test_all_rules_find_the_true_groups_where_noise_is_low(problem):
    truth, sample, support = problem
    for rule in ({}, {"active_groups": 2}, {"lambda_": 2.5}):
        found = gs.select_groups(sample.data, truth, 4, **rule)
        assert gs.support_scores(found, support)["f1"] > 0.9, rule


def test_the_first_group_is_the_one_that_explains_most(problem):
    truth, sample, _ = problem
    found = gs.select_groups(sample.data[:20], truth, 4, active_groups=1)
    bases = truth.T.view(10, 4, 60)
    explained = torch.stack([(sample.data[:20] @ q.T).square().sum(1) for q in bases], 1)
    assert torch.equal(found.float().argmax(1), explained.argmax(1))


def test_pursuit_adds_the_group_that_the_residual_points_to(problem):
    truth, sample, _ = problem
    two = gs.select_groups(sample.data[:50], truth, 4, active_groups=2)
    one = gs.select_groups(sample.data[:50], truth, 4, active_groups=1)
    assert bool((two & one).any(1).all()), "the first group stays"
    residual = sample.data[:50] - gs.refit_codes(sample.data[:50], truth, one, 4) @ truth.T
    norms = gs.group_norms(residual @ truth, 4).masked_fill(one, -1)
    assert torch.equal((two & ~one).float().argmax(1), norms.argmax(1))


def test_a_support_counts_the_span_of_a_group_and_not_its_basis(problem):
    truth, sample, _ = problem
    mixing = torch.randn(10, 4, 4, generator=torch.Generator().manual_seed(3))
    oblique = (truth.view(60, 10, 1, 4) @ mixing).reshape(60, 40)
    for rule in ({}, {"active_groups": 2}, {"lambda_": 2.5}):
        a = gs.select_groups(sample.data, truth, 4, **rule)
        assert torch.equal(a, gs.select_groups(sample.data, oblique, 4, **rule))


def test_lambda_selects_what_the_encoder_of_the_paper_keeps(problem):
    truth, sample, _ = problem
    codes = gs.shallow(sample.data, truth, gs.group_soft_threshold, 2.0, 4)
    found = gs.select_groups(sample.data, truth, 4, lambda_=2.0)
    assert torch.equal(found, gs.group_support(codes, 4))


def test_the_test_ignores_the_scale_of_the_data(problem):
    truth, sample, _ = problem
    a = gs.select_groups(sample.data, truth, 4)
    assert torch.equal(a, gs.select_groups(1024 * sample.data, truth, 4))


def test_noise_adds_a_group_no_more_often_than_stated():
    """One true group; a second is a false alarm, with probability at most FALSE_ALARM."""
    samples, n, d = 4000, 200, 2
    truth = gs.orthonormalize_groups(gs.random_dictionary(n, 40, generator=0), d)
    data = gs.sample(truth, d, 1, (30.0, 40.0), samples, generator=1, std=1.0).data
    more = (gs.select_groups(data, truth, d).sum(1) > 1).double().mean()
    # Four standard errors. Correlated groups and 2 % of the energy make false alarms rarer.
    assert more < FALSE_ALARM + 4 * (FALSE_ALARM / samples) ** 0.5
    weak = gs.sample(truth, d, 1, (4.0, 5.0), samples, generator=1, std=1.0).data
    more = (gs.select_groups(weak, truth, d).sum(1) > 1).double().mean()
    assert FALSE_ALARM / 4 < more < FALSE_ALARM + 4 * (FALSE_ALARM / samples) ** 0.5


def test_refit_codes_solves_least_squares_on_every_support(problem):
    truth, sample, _ = problem
    data, a = sample.data[:10].double(), truth.double()
    support = torch.zeros(10, 10, dtype=torch.bool)
    for i, groups in zip(range(10), itertools.combinations(range(10), 3), strict=False):
        support[i, list(groups[: i % 4])] = True  # of 0 to 3 groups
    codes = gs.refit_codes(data, a, support, 4)
    for y, x, mask in zip(data, codes, support.repeat_interleave(4, 1), strict=True):
        exact = torch.linalg.lstsq(a[:, mask], y.unsqueeze(1)).solution.squeeze(1)
        assert torch.allclose(x[mask], exact, rtol=0, atol=1e-9)
        assert not x[~mask].any()


def test_refit_codes_is_differentiable(problem):
    truth, sample, support = problem
    data, a = sample.data[:3].double().requires_grad_(), truth.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda y, b: gs.refit_codes(y, b, support[:3], 4), (data, a))


def test_groups_that_are_the_same_share_their_code(problem):
    truth, sample, _ = problem
    twice = torch.cat([truth[:, :4], truth[:, :4], truth[:, 8:]], 1)
    support = torch.zeros(5, 10, dtype=torch.bool)
    support[:, :2] = True
    codes = gs.refit_codes(sample.data[:5], twice, support, 4)
    once = sample.data[:5] @ truth[:, :4]
    assert torch.allclose(codes[:, :4], once / 2, atol=1e-3)
    assert torch.allclose(codes[:, 4:8], once / 2, atol=1e-3)


def test_replicates_are_independent(problem):
    truth, sample, _ = problem
    both = torch.stack([truth, truth.roll(4, 1)])
    found = gs.select_groups(sample.data, both, 4)
    codes = gs.refit_codes(sample.data, both, found, 4)
    assert found.shape == (2, 300, 10)
    assert codes.shape == (2, 300, 40)
    assert torch.equal(codes[1], codes[0].roll(4, 1))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"active_groups": 2, "lambda_": 1.0}, "not both"),
        ({"active_groups": 11}, "at most 10, the groups"),
        ({"active_groups": 0}, "at least 1"),
        ({"lambda_": float("nan")}, "finite"),
        ({"lambda_": 1.0, "prox": "no"}, "unknown prox"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(problem, rule, message):
    truth, sample, _ = problem
    with pytest.raises(ValueError, match=message):
        gs.select_groups(sample.data, truth, 4, **rule)


def test_more_active_atoms_than_dimensions_are_refused(problem):
    truth, sample, _ = problem
    with pytest.raises(ValueError, match="10 active groups, 40 atoms in 30 dimensions"):
        gs.refit_codes(sample.data[:2, :30], truth[:30], torch.ones(2, 10, dtype=torch.bool), 4)
    with pytest.raises(ValueError, match=r"bool of shape \(2, 10\)"):
        gs.refit_codes(sample.data[:2], truth, torch.ones(2, 10), 4)


def test_one_group_of_more_atoms_than_dimensions_is_refused():
    data, dictionary, every = torch.ones(1, 9), torch.ones(9, 20), torch.tensor([[True, False]])
    with pytest.raises(ValueError, match="a sample has 1 active groups, 10 atoms in 9 dimensions"):
        gs.refit_codes(data, dictionary, every, 10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("d", [2, 8])
def test_codes_on_a_support_of_zero_atoms_are_zero(d, dtype):
    dictionary, support = torch.eye(20, 2 * d, dtype=dtype), torch.eye(2).bool()
    dictionary[:, :d] = 0
    codes = gs.refit_codes(torch.ones(2, 20), dictionary, support, d)
    expected = torch.zeros(2, 2 * d, dtype=dtype)
    expected[1, d:] = 1
    assert torch.allclose(codes, expected)


def test_a_zero_sample_has_no_group_by_the_test(problem):
    truth, _, _ = problem
    assert not gs.select_groups(torch.zeros(2, 60), truth, 4).any()


def test_a_rule_of_whole_batches_needs_a_level():
    data = torch.randn(40, 4)
    for call in (gs.select_groups, lambda y, a, d, **rule: gs.alternate(a, y, d, **rule)):
        with pytest.raises(ValueError, match=r"batch_group_top_k\(1\) needs a level"):
            call(data, torch.eye(4), 2, lambda_=0.0, prox="batch_group_top_k(1)")
    found = gs.select_groups(data, torch.eye(4), 2, lambda_=0.0, prox="batch_group_top_k(1, 1.5)")
    assert torch.equal(found, gs.group_norms(data, 2) > 1.5)
