"""The coder in the style of scikit-learn: its contract, its groups, its choice of sizes."""

import logging
import os
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import groupsparse as gs
from groupsparse import estimator, running
from groupsparse.estimator import GroupSparseCoder

GROUPS, SIZE, N = 20, 4, 4000


def made_up(seed=0, samples=N, snr_db=6.5):
    """The newcomer's trial: 20 groups of 4 in 100 dimensions, 2 of them in every sample."""
    truth = gs.random_dictionary(100, GROUPS * SIZE, generator=seed)
    truth = gs.orthonormalize_groups(truth, SIZE)
    drawn = gs.sample(
        truth, SIZE, 2, (4.0, 5.0), samples=samples, generator=seed + 10, snr_db=snr_db
    )
    return truth, drawn


def error(coder, truth):
    return float(gs.invariant_squared_error(coder.components_.T.copy(), truth, SIZE))


@pytest.fixture(scope="module")
def trial():
    truth, drawn = made_up()
    return truth, drawn, GroupSparseCoder(GROUPS, SIZE, random_state=0).fit(drawn.data)


@parametrize_with_checks([GroupSparseCoder(), GroupSparseCoder(3, 1, active_groups=1)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_newcomers_trial_is_within_a_fifth_of_the_oracle_from_the_two_sizes_alone(seed):
    truth, drawn = made_up(seed)
    coder = GroupSparseCoder(GROUPS, SIZE).fit(drawn.data)
    codes = gs.dense_codes(drawn.codes, GROUPS)
    oracle = gs.invariant_squared_error(gs.least_squares_dictionary(drawn.data, codes), truth, SIZE)
    assert error(coder, truth) < 1.2 * oracle


def test_neither_size_need_be_told():
    truth, drawn = made_up()
    coder = GroupSparseCoder(None, None, random_state=0).fit(drawn.data)
    assert coder.groups_.shape == (GROUPS, SIZE)
    assert error(coder, truth) < 0.5


def test_atoms_have_unit_norm_and_codes_are_zero_outside_the_active_groups(trial):
    _, drawn, coder = trial
    assert coder.components_.shape == (GROUPS * SIZE, 100)
    np.testing.assert_allclose(np.linalg.norm(coder.components_, axis=1), 1, rtol=1e-5)
    codes = coder.transform(drawn.data)
    active = codes[:, coder.groups_].any(-1).sum(1)
    assert 1.9 < active.mean() < 2.1
    back = coder.inverse_transform(codes)
    left = np.square(back - drawn.data.numpy()).sum(1).mean()
    # What two groups of 4 leave of noise in 100 dimensions; a wrong group would leave more.
    assert left == pytest.approx(drawn.noise_std**2 * (100 - 8), rel=0.05)


def test_the_score_predicts_features_that_were_hidden(trial):
    _, drawn, coder = trial
    data = drawn.data
    noise = drawn.noise_std**2 * data.numel() / float(data.square().sum())
    assert coder.score(data) < 1 - noise < coder.score(data) + 0.03
    # By hand: hide every fifth feature.
    hidden, total = torch.arange(100) % 5, 0.0
    atoms = torch.from_numpy(coder.components_.T.copy())
    for fold in range(5):
        seen = hidden != fold
        support = gs.select_groups(data[:, seen], atoms[seen], SIZE)
        codes = gs.refit_codes(data[:, seen], atoms[seen], support, SIZE)
        total += float((data[:, ~seen] - codes @ atoms[~seen].mT).square().sum())
    assert coder.score(data) == pytest.approx(1 - total / float(data.square().sum()), abs=1e-6)


def test_weights_of_the_score_count_as_repetitions(trial):
    _, drawn, coder = trial
    few = drawn.data[:50]
    weights = torch.arange(50) % 3
    repeated = few.repeat_interleave(weights, 0)
    expected = coder.score(repeated)
    assert coder.score(few, sample_weight=weights) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(50,\)"):
        coder.score(few, sample_weight=weights[1:])


def test_the_score_finds_the_sizes():
    _, drawn = made_up(samples=1500)
    grid = {"n_groups": [15, 20, 25], "group_size": [3, 4, 5]}
    halves = [(np.arange(750), np.arange(750, 1500))]  # one trial of two folds
    search = GridSearchCV(GroupSparseCoder(random_state=0), grid, cv=halves, refit=False)
    search.fit(drawn.data.numpy())
    assert search.best_params_ == {"n_groups": GROUPS, "group_size": SIZE}


def test_a_stream_learns_as_much_as_all_samples_at_once():
    truth, drawn = made_up(samples=8000)
    whole = error(GroupSparseCoder(GROUPS, SIZE, random_state=0).fit(drawn.data), truth)
    stream, errors = GroupSparseCoder(GROUPS, SIZE, random_state=0), []
    for batch in drawn.data.split(500):
        stream.partial_fit(batch)
        errors.append(error(stream, truth))
        stream = pickle.loads(pickle.dumps(stream))
    assert errors[-1] < 1.1 * whole
    assert errors[-1] < errors[8] < errors[0]
    assert stream._kept is None, "memory would grow"
    assert len(stream.history_["loss"]) == stream.n_iter_ == 16 - 8


def test_a_few_more_samples_do_not_undo_what_many_taught():
    truth, drawn = made_up(samples=N + 2000)
    coder = GroupSparseCoder(GROUPS, SIZE, random_state=0).fit(drawn.data[:N])
    before = error(coder, truth)
    assert error(coder.partial_fit(drawn.data[N : N + 10]), truth) < 1.05 * before
    assert error(coder.partial_fit(drawn.data[N + 10 :]), truth) < 0.9 * before


def test_frames_tensors_and_both_precisions_are_taken(trial):
    _, drawn, coder = trial
    few = drawn.data[:300]
    frame = pd.DataFrame(few.numpy(), columns=[f"c{i}" for i in range(100)])
    fitted = GroupSparseCoder(4, 2, random_state=0).fit(frame)
    assert list(fitted.feature_names_in_) == list(frame.columns)
    out = fitted.set_output(transform="pandas").transform(frame)
    assert list(out.columns) == [f"groupsparsecoder{i}" for i in range(8)]
    codes = GroupSparseCoder(4, 2, random_state=0).fit(few).transform(few)
    np.testing.assert_array_equal(out.to_numpy(), codes)
    wide = GroupSparseCoder(4, 2, random_state=0).fit(few.double())
    assert wide.components_.dtype == wide.transform(few.double()).dtype == np.float64
    assert coder.transform(few.double()).dtype == np.float64
    assert coder.components_.dtype == np.float32


def test_it_works_in_a_pipeline_and_is_cloned(trial):
    _, drawn, _ = trial
    data = drawn.data[:500].numpy()
    pipe = make_pipeline(StandardScaler(with_mean=False), GroupSparseCoder(5, 4, random_state=0))
    codes = pipe.fit_transform(data)
    assert codes.shape == (500, 20)
    again = clone(pipe).fit_transform(data)
    np.testing.assert_array_equal(codes, again)


def test_a_warm_start_goes_on(trial):
    _, drawn, coder = trial
    more = clone(coder).set_params(warm_start=True, max_iter=1)
    more.components_, more.groups_ = coder.components_, coder.groups_
    more.n_groups = 3  # is not asked again
    more.fit(drawn.data)
    assert more.groups_.shape == (GROUPS, SIZE)
    assert np.abs(more.components_ - coder.components_).max() < 0.02


def test_of_several_starts_the_best_is_kept(monkeypatch):
    truth, drawn = made_up(samples=1500)
    good = gs.discover(drawn.data, GROUPS, SIZE, 0)
    bad = gs.orthonormalize_groups(gs.random_dictionary(100, 80, generator=5), SIZE)
    given = iter([bad, good, bad])
    monkeypatch.setattr(estimator, "discover", lambda *_, **__: next(given))
    coder = GroupSparseCoder(GROUPS, SIZE, n_init=3, random_state=0).fit(drawn.data)
    assert error(coder, truth) < 2


@pytest.mark.parametrize("rule", [{"lambda_": 3.0}, {"active_groups": 2}])
def test_the_rule_for_active_groups_is_that_of_the_library(trial, rule):
    _, drawn, coder = trial
    told = clone(coder).set_params(**rule).fit(drawn.data[:2000])
    atoms = torch.from_numpy(told.components_.T.copy())
    support = gs.select_groups(drawn.data[:100], atoms, SIZE, **rule)
    codes = gs.refit_codes(drawn.data[:100], atoms, support, SIZE)
    np.testing.assert_allclose(told.transform(drawn.data[:100]), codes, atol=1e-5)


def test_groups_that_do_not_show_are_random_and_said_to_be(caplog):
    noise = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    coder = GroupSparseCoder(4, 2, random_state=0).fit(noise)
    assert coder.components_.shape == (8, 3)
    assert "the start is random" in caplog.text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lambda_": "best"}, "lambda_ must be a number or 'auto'"),
        ({"lambda_": -1.0}, "finite"),
        ({"lambda_": 1.0, "active_groups": 2}, "not both"),
        ({"n_groups": 0}, "n_groups must be"),
        ({"group_size": 0}, "group_size must be"),
        ({"group_size": 101}, "groups of 101 atoms need as many features"),
        ({"max_iter": 0}, "max_iter must be"),
        ({"n_init": 0}, "n_init must be"),
    ],
)
def test_a_wrong_argument_is_named(trial, options, said):
    _, drawn, _ = trial
    with pytest.raises((ValueError, TypeError), match=said):
        GroupSparseCoder(**{"n_groups": 4, "group_size": 2} | options).fit(drawn.data[:200])


@pytest.mark.parametrize("n_init", [1, 2])
def test_active_groups_may_fill_all_features(n_init):
    noise = torch.randn(60, 10, generator=torch.Generator().manual_seed(0))
    coder = GroupSparseCoder(5, 2, active_groups=5, n_init=n_init, random_state=0).fit(noise)
    assert np.isfinite(coder.score(noise))


def test_codes_of_another_width_are_refused(trial):
    with pytest.raises(ValueError, match=r"codes must have shape \(N, 80\), not \(3, 79\)"):
        trial[2].inverse_transform(np.zeros((3, 79)))


def test_verbose_prints_and_leaves_the_logger_as_it_was(trial, capsys):
    _, drawn, _ = trial
    before = list(logging.getLogger("groupsparse").handlers)
    GroupSparseCoder(4, 2, verbose=1, random_state=0).fit(drawn.data[:300])
    assert "round 1" in capsys.readouterr().err
    GroupSparseCoder(4, 2, random_state=0).fit(drawn.data[:300])
    assert "round 1" not in capsys.readouterr().err
    assert logging.getLogger("groupsparse").handlers == before


def test_jobs_are_threads_and_given_back(monkeypatch):
    before, used = torch.get_num_threads(), []

    def watched(*args, **options):
        used.append(torch.get_num_threads())
        return gs.select_groups(*args, **options)

    monkeypatch.setattr(estimator, "select_groups", watched)
    noise = torch.randn(30, 6, generator=torch.Generator().manual_seed(0))
    GroupSparseCoder(2, 1, n_jobs=before + 1, random_state=0).fit(noise).transform(noise)
    assert used == [before + 1]
    assert [running._threads(n) for n in (3, -1)] == [3, os.cpu_count()]
    assert running._threads(-100) == 1
    with pytest.raises(ValueError, match="n_jobs"):
        running._threads(0)
    assert torch.get_num_threads() == before
