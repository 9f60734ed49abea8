"""Alternating updates: at the oracle's limit, exact without noise, resumed to the same bits."""

import pytest
import torch

import groupsparse as gs
from groupsparse.least_squares import Statistics
from groupsparse.pursuit import Selection

D = 4


@pytest.fixture(scope="module")
def problem():
    """The small problem of 20 groups of 4, two active, at 6.5 dB."""
    truth = gs.random_dictionary(100, 80, generator=0)
    sample = gs.sample(truth, D, 2, (4.0, 5.0), samples=4000, generator=1, snr_db=6.5)
    start = gs.perturb(truth, 0.56, generator=2, normalized=True)
    return truth, sample, start


def oracle(truth, sample) -> torch.Tensor:
    return gs.least_squares_dictionary(sample.data, gs.dense_codes(sample.codes, 20))


def error(dictionary, truth) -> float:
    return gs.invariant_squared_error(dictionary, truth, D)


@pytest.mark.parametrize("rule", [{}, {"active_groups": 2}, {"lambda_": 2.6}])
def test_it_comes_within_a_tenth_of_the_oracle(problem, rule):
    truth, sample, start = problem
    learnt = gs.alternate(start, sample.data, D, passes=5, **rule)
    limit = error(oracle(truth, sample), truth)
    assert error(start, truth) > 100 * limit
    assert error(learnt.dictionary, truth) < 1.1 * limit


def test_without_noise_the_spans_are_exact(problem):
    truth, _, start = problem
    clean = gs.sample(truth, D, 2, (4.0, 5.0), samples=4000, generator=1, std=0.0).data
    learnt = gs.alternate(start.double(), clean.double(), D, passes=12, active_groups=2)
    assert error(learnt.dictionary, truth) < 1e-12 * error(start, truth)


def test_a_pass_fits_the_dictionary_to_its_codes(problem):
    """One oblique pass is least squares on the codes that refit_codes gives."""
    _, sample, start = problem
    q = gs.orthonormalize_groups(start, D).double()
    y = sample.data[:1000].double()
    codes = gs.refit_codes(y, q, gs.select_groups(y, q, D, active_groups=2), D)
    fitted = gs.least_squares_dictionary(y, codes)
    once = gs.alternate(q, y, D, passes=1, active_groups=2, basis="oblique").dictionary
    assert torch.allclose(once, gs.normalize_columns(fitted), atol=1e-6)


def test_batches_give_what_all_samples_give_together(problem):
    _, sample, start = problem
    start, data = start.double(), sample.data[:1000].double()
    whole = gs.alternate(start, data, D, passes=2)
    parts = gs.alternate(start, gs.FixedData(data, batch_size=130), D, passes=2)
    assert torch.allclose(parts.dictionary, whole.dictionary, atol=1e-9)
    assert torch.allclose(parts.history["loss"][1:], whole.history["loss"][1:], rtol=1e-9)


def test_the_loss_is_that_of_the_reconstruction(problem):
    _, sample, start = problem
    q, y = gs.orthonormalize_groups(start, D), sample.data[:500]
    codes = gs.refit_codes(y, q, gs.select_groups(y, q, D, active_groups=2), D)
    mean = (y - codes @ q.T).square().sum(1).mean() / 2
    loss = gs.alternate(start, y, D, passes=1, active_groups=2).history["loss"]
    assert loss[0].isnan()
    assert torch.isclose(loss[1], mean, rtol=1e-4)


def test_orthonormal_groups_are_orthonormal_and_oblique_atoms_unit(problem):
    _, sample, start = problem
    made = {
        basis: gs.alternate(start, sample.data, D, passes=2, basis=basis).dictionary
        for basis in ("orthonormal", "oblique", "isotropic")
    }
    blocks = made["orthonormal"].T.view(20, D, 100)
    assert torch.allclose(blocks @ blocks.mT, torch.eye(D).expand(20, D, D), atol=1e-5)
    assert torch.allclose(made["oblique"].norm(dim=0), torch.ones(80), atol=1e-5)
    norms = made["isotropic"].square().sum(0).view(20, D).sum(1)
    assert torch.allclose(norms, torch.full((20,), float(D)), atol=1e-4)
    for basis in ("oblique", "isotropic"):
        assert error(made[basis], made["orthonormal"]) < 1e-8


def test_isotropic_groups_find_an_oblique_truth_that_orthonormal_ones_cannot():
    """Groups with atoms at 45 degrees: their codes have covariance I in these atoms alone."""
    generator = torch.Generator().manual_seed(0)
    q = gs.orthonormalize_groups(torch.randn(60, 20, generator=generator), 2)
    mixing = torch.tensor([[1.0, 0.7071], [0.0, 0.7071]])
    truth = (q.view(60, 10, 1, 2) @ mixing).reshape(60, 20)
    sample = gs.sample(truth, 2, 2, (4.0, 5.0), samples=5000, generator=1, snr_db=15.0)
    start = gs.perturb(truth, 0.8, generator=2)
    errors = {
        basis: gs.aligned_squared_error(
            gs.alternate(start, sample.data, 2, passes=4, basis=basis).dictionary, truth, 2
        )
        for basis in ("orthonormal", "isotropic")
    }
    # 10 groups at ||R - I||^2 of a 45 degree pair, against sampling errors of order d^2 / N_g.
    assert errors["orthonormal"] > 1.0
    assert errors["isotropic"] < 0.1


def test_few_samples_leave_a_group_round():
    """Directions uniform on the circle, norms that vary: a few samples look like an ellipse."""
    truth = gs.orthonormalize_groups(gs.random_dictionary(40, 40, generator=0), 40)
    sums = Statistics.zeros(40, 40, 2, torch.device("cpu"), quartic=True)
    data = gs.sample(truth, 2, 1, (0.2, 1.8), samples=300, generator=1, std=0.0).data
    sums.add(data, truth, 2, Selection(active_groups=1))
    spread = sums.codes.diagonal().view(20, 2)
    apart = (2 * spread[:, 0] / spread.sum(1) - 1).square().mean()
    assert apart > 0.02, "as a covariance of about 15 samples: d (d - 1) q / (2 N d) = 0.05"
    assert (sums.shapes() - torch.eye(2)).square().sum((1, 2)).mean() < apart / 2


@pytest.mark.parametrize("d", [2, 3])
def test_the_shape_of_codes_on_an_ellipsoid_is_that_ellipsoid(d):
    generator = torch.Generator().manual_seed(d)
    mixing = torch.randn(d, d, generator=generator, dtype=torch.float64)
    codes = torch.nn.functional.normalize(
        torch.randn(200, 1, d, generator=generator, dtype=torch.float64), dim=-1
    )
    codes = codes @ mixing.T
    sums = Statistics.zeros(d, d, d, torch.device("cpu"), quartic=True)
    sums.codes, sums.uses = codes[:, 0].T @ codes[:, 0], torch.tensor([200.0]).double()
    sums._add_quartic(codes, torch.ones(200, 1, dtype=torch.bool))
    exact = torch.linalg.inv(mixing @ mixing.T)
    assert torch.allclose(sums.shapes()[0], d * exact / exact.trace())


def test_atoms_that_no_sample_uses_stay(problem):
    truth, sample, _ = problem
    start = gs.orthonormalize_groups(truth, D)
    alone = sample.codes.groups.eq(3).any(1)  # without the samples of one group
    learnt = gs.alternate(start, sample.data[~alone], D, passes=1, active_groups=1).dictionary
    used = gs.select_groups(sample.data[~alone], start, D, active_groups=1).any(0)
    still = (~used).repeat_interleave(D)
    assert torch.allclose(learnt[:, still], start[:, still], atol=1e-5)
    assert not torch.allclose(learnt[:, ~still], start[:, ~still], atol=1e-3)


def test_replicates_are_independent(problem):
    truth, sample, start = problem
    starts = torch.stack([start, gs.perturb(truth, 0.8, generator=5)])
    both = gs.alternate(starts, sample.data[:1000], D, passes=2)
    for i in range(2):
        one = gs.alternate(starts[i], sample.data[:1000], D, passes=2)
        assert torch.equal(both.dictionary[i], one.dictionary)
        assert torch.equal(both.history["loss"][1:, i], one.history["loss"][1:])


def test_memory_pools_what_new_samples_say(problem):
    """After 6 passes over 500 new samples each, memory knows all 3,000."""
    truth, sample, _ = problem
    start = gs.perturb(truth, 0.9, generator=2)
    fresh = gs.FreshData(
        truth.unsqueeze(0), [sample.noise_std], [3],
        group_size=D, active_groups=2, amplitude=(4.0, 5.0), samples=500,
    )  # fmt: skip
    pooled = gs.alternate(start, fresh, D, passes=6, memory=1.0).dictionary
    forgetful = gs.alternate(start, fresh, D, passes=6).dictionary
    assert error(pooled, truth) < error(forgetful, truth) / 4


def test_sums_follow_a_change_of_basis():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(50, k, generator=generator, dtype=torch.float64) for k in (6, 5))
    turns = torch.randn(3, 2, 2, generator=generator, dtype=torch.float64)
    turned = (turns @ x.view(50, 3, 2, 1)).reshape(50, 6)
    before, after = (Statistics.zeros(5, 6, 2, torch.device("cpu"), quartic=True) for _ in "12")
    for sums, codes in ((before, x), (after, turned)):
        sums.codes, sums.cross = codes.T @ codes, codes.T @ y
        sums._add_quartic(codes.view(50, 3, 2), torch.ones(50, 3, dtype=torch.bool))
    before.turn(turns)
    for name, value in vars(after).items():
        assert torch.allclose(vars(before)[name], value), name


def test_updates_after_every_batch_learn_from_one_pass_over_a_stream(problem):
    truth, sample, start = problem
    batches = gs.FixedData(sample.data, batch_size=1000)
    once = gs.alternate(start, batches, D, passes=1)
    stream = gs.alternate(start, batches, D, passes=1, every_batch=True, memory=0.7)
    assert error(stream.dictionary, truth) < error(once.dictionary, truth) / 2


@pytest.mark.parametrize("basis", ["orthonormal", "oblique", "isotropic"])
def test_an_interrupted_run_ends_with_the_same_bits(problem, tmp_path, basis):
    truth, sample, start = problem
    options = {
        "basis": basis, "memory": 0.5, "metrics": lambda a: {"error": gs.squared_error(a, truth)}
    }  # fmt: skip
    data, path = sample.data[:1000], tmp_path / "state.safetensors"
    whole = gs.alternate(start, data, D, passes=4, **options)
    gs.alternate(start, data, D, passes=2, checkpoint=path, **options)
    resumed = gs.alternate(start, data, D, passes=4, checkpoint=path, **options)
    assert torch.equal(resumed.dictionary, whole.dictionary)
    for name, values in whole.history.items():
        assert torch.equal(resumed.history[name].nan_to_num(), values.nan_to_num())


def test_another_setting_or_a_broken_file_starts_over(problem, tmp_path, caplog):
    _, sample, start = problem
    data, path = sample.data[:500], tmp_path / "state.safetensors"
    gs.alternate(start, data, D, passes=1, checkpoint=path)
    other = gs.alternate(start, data, D, passes=1, checkpoint=path, active_groups=2)
    assert "starting over" in caplog.text
    assert "made with active_groups None, this run has 2" in caplog.text
    assert torch.equal(
        other.dictionary, gs.alternate(start, data, D, passes=1, active_groups=2).dictionary
    )
    path.write_bytes(path.read_bytes()[:-100])
    caplog.clear()
    gs.alternate(start, data, D, passes=1, checkpoint=path)
    assert "starting over" in caplog.text


def test_a_checkpoint_of_another_activation_is_not_used(problem, tmp_path):
    _, sample, start = problem
    options = {"passes": 1, "lambda_": 2.0}
    for prox in ("group_soft", "soft"):
        learnt = [
            gs.alternate(start, sample.data[:500], D, prox=prox, checkpoint=path, **options)
            for path in (tmp_path / "state", None)
        ]
        assert torch.equal(learnt[0].dictionary, learnt[1].dictionary)


def test_a_callback_stops_and_stays_stopped(problem, tmp_path):
    _, sample, start = problem
    options = {"passes": 5, "checkpoint": tmp_path / "state", "callback": lambda e, a: e == 2}
    for _ in range(2):
        learnt = gs.alternate(start, sample.data[:500], D, **options)
        assert len(learnt.history["loss"]) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"basis": "round"}, "unknown basis"),
        ({"memory": 1.5}, "memory must be in"),
        ({"memory": float("nan")}, "memory must be in"),
        ({"passes": -1}, "passes"),
        ({"group_size": 7}, "does not divide"),
        ({"active_groups": 30}, "at most 20, the groups"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(problem, options, message):
    _, sample, start = problem
    with pytest.raises(ValueError, match=message):
        gs.alternate(start, sample.data[:100], **({"group_size": D} | options))


def test_no_pass_gives_the_start_back(problem):
    _, sample, start = problem
    assert torch.equal(gs.alternate(start, sample.data[:100], D, passes=0).dictionary, start)


def test_groups_of_more_atoms_than_dimensions_are_refused():
    with pytest.raises(ValueError, match="3 atoms of a group cannot be orthonormal in 2"):
        gs.alternate(torch.randn(2, 6), torch.randn(5, 2), 3, active_groups=1)


def test_without_a_pass_the_start_comes_back_in_memory_of_its_own():
    start = torch.eye(4)
    learnt = gs.alternate(start, torch.ones(3, 4), 2, passes=0).dictionary
    learnt.zero_()
    assert torch.equal(start, torch.eye(4))
