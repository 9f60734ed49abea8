"""The one rule of all verdicts: every verdict, its edges, its intervals and its words."""

import math

import numpy as np
import pandas as pd
import pytest

from evidence.verdict import Rule, at_least, at_most, between, intervals, judge, wilson

# The words that a reader sees.
HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
UNDECIDED, ONE_RUN = "undecided", "one run"


def values(*conditions):
    """A list of seeds per condition."""
    index = [(float(c), r) for c, seeds in enumerate(conditions) for r in range(len(seeds))]
    index = pd.MultiIndex.from_tuples(index, names=["snr", "replicate"])
    return pd.Series([v for seeds in conditions for v in seeds], index)


# Two seeds 0.1 apart have an interval of 0.64 to either side of their mean.
LEAST, MOST = at_least(1.0, partly=0.5), at_most(1.0, partly=1.5)
WITHIN = between(1.0, 2.0, partly=(0.0, 3.0))
ALWAYS = at_most(0, always=True)
CASES = [
    (LEAST, [[1.0, 1.0]], HOLDS),
    (LEAST, [[1.0, 1.0], [7.0, 7.1]], HOLDS),
    (LEAST, [[1.7, 1.8]], HOLDS),
    (LEAST, [[1.5, 1.6]], PARTLY),  # every seed is above 1, the interval begins at 0.91
    (LEAST, [[0.99, 0.99]], PARTLY),
    (LEAST, [[0.5, 0.5]], PARTLY),
    (LEAST, [[1.0, 1.0], [0.5, 0.5]], PARTLY),
    (LEAST, [[0.49, 0.49]], FAILED),
    (LEAST, [[9.0, 9.0], [0.49, 0.49]], FAILED),  # one condition refutes
    (LEAST, [[9.0, 9.0], [0.6, 0.7]], UNDECIDED),
    (LEAST, [[0.4, 0.4], [0.6, 0.7]], FAILED),  # one that cannot tell does not save the claim
    (LEAST, [[0.4, 0.5]], UNDECIDED),  # every seed breaks the rule, the interval contains it
    (LEAST, [[-0.3, -0.2]], FAILED),
    (LEAST, [[0.4, 0.45, 0.5]], UNDECIDED),
    (LEAST, [[0.4, 0.41, 0.42]], FAILED),
    (at_least(1.0), [[0.99, 0.99]], FAILED),
    (at_least(1.0), [[1.5, 1.6]], UNDECIDED),
    (MOST, [[1.0, 1.0]], HOLDS),
    (MOST, [[1.5, 1.5]], PARTLY),
    (MOST, [[1.51, 1.51]], FAILED),
    (MOST, [[1.4, 1.5]], UNDECIDED),
    (at_most(1.0), [[1.01, 1.01]], FAILED),
    (WITHIN, [[1.0, 1.0], [2.0, 2.0]], HOLDS),
    (WITHIN, [[0.0, 0.0], [3.0, 3.0]], PARTLY),
    (WITHIN, [[-0.1, -0.1]], FAILED),
    (WITHIN, [[3.1, 3.1]], FAILED),
    (WITHIN, [[1.4, 1.5]], PARTLY),  # [0.81, 2.09]
    (WITHIN, [[1.0, 2.0]], UNDECIDED),  # wider than the rule
    (between(1.0, 2.0), [[2.5, 2.5]], FAILED),
    (between(1.0, 2.0), [[0.5, 0.5]], FAILED),
    (between(1.0, 2.0), [[1.4, 1.5]], UNDECIDED),
    (ALWAYS, [[0.0, 0.0], [-1.0, -2.0]], HOLDS),
    (ALWAYS, [[0.0, 1e-9]], FAILED),
    (ALWAYS, [[1e-9, 0.0], [0.0, 0.0]], FAILED),
    (at_least(1.0, always=True), [[1.0, 9.0]], HOLDS),
    (at_least(1.0, always=True), [[0.999, 9.0]], FAILED),
    (at_least(1.0, partly=0.5, always=True), [[0.5, 9.0]], PARTLY),
    (at_most(1.0, partly=1.5, always=True), [[1.5, 0.0]], PARTLY),
    (at_most(1.0, partly=1.5, always=True), [[1.51, 0.0]], FAILED),
    (LEAST, [[1.0]], ONE_RUN),
    (LEAST, [[0.0]], ONE_RUN),
    (LEAST, [[1.0, 1.0], [1.0]], ONE_RUN),
    # What admits no exception is refuted by one seed, and never borne out by one.
    (ALWAYS, [[1.0]], FAILED),
    (ALWAYS, [[0.0]], ONE_RUN),
    (ALWAYS, [[0.0, 0.0], [1.0]], FAILED),
    (at_least(1.0, partly=0.5, always=True), [[0.6]], ONE_RUN),
    # Equal seeds have exactly their value, though their floating-point mean is above it.
    (at_most(0.1), [[0.1, 0.1, 0.1]], HOLDS),
]


@pytest.mark.parametrize(("rule", "conditions", "verdict"), CASES)
def test_a_rule_gives_the_verdict_of_its_intervals(rule, conditions, verdict):
    assert judge(values(*conditions), rule)[0] == verdict, judge(values(*conditions), rule)[1]


@pytest.mark.parametrize(("rule", "conditions", "verdict"), CASES)
def test_neither_order_nor_names_of_conditions_matter(rule, conditions, verdict):
    assert judge(values(*conditions[::-1]), rule)[0] == verdict
    if len(conditions) == 1:
        assert judge(values(*conditions).droplevel("snr"), rule)[0] == verdict


def test_all_verdicts_are_reached():
    assert {verdict for *_, verdict in CASES} == {HOLDS, PARTLY, FAILED, UNDECIDED, ONE_RUN}


@pytest.mark.parametrize(("rule", "mirrored"), [(LEAST, at_most(-1.0, partly=-0.5))])
def test_a_rule_and_its_mirror_image_agree(rule, mirrored):
    for other, conditions, verdict in CASES:
        if other is rule:
            assert judge(-values(*conditions), mirrored)[0] == verdict


# Two-sided 95 % quantiles of Student's t with 1, 2 and 4 degrees of freedom, from a table.
@pytest.mark.parametrize(("seeds", "quantile"), [(2, 12.706), (3, 4.303), (5, 2.776)])
def test_the_interval_is_that_of_student(seeds, quantile):
    drawn = np.random.default_rng(seeds).normal(size=seeds)
    row = intervals(values(drawn)).iloc[0]
    half = quantile * np.std(drawn, ddof=1) / math.sqrt(seeds)
    assert (row["mean"], row["std"]) == pytest.approx((drawn.mean(), np.std(drawn, ddof=1)))
    assert (row.low, row.high) == pytest.approx(
        (drawn.mean() - half, drawn.mean() + half), rel=1e-3
    )
    assert row.seeds == seeds


def test_the_interval_covers_the_mean_in_95_of_100_studies():
    drawn = np.random.default_rng(0).normal(3.0, 2.0, size=(2000, 3))
    table = intervals(values(*drawn))
    covered = ((table.low <= 3) & (table.high >= 3)).mean()
    # Three standard errors of a share of 0.95 in 2,000.
    assert abs(covered - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 2000)


def test_three_equal_signs_in_noise_are_no_finding():
    drawn = np.random.default_rng(1).normal(0.0, 0.01, size=(400, 3))
    verdicts = [judge(values(seeds), at_least(0.0))[0] for seeds in drawn]
    share = verdicts.count(HOLDS) / len(verdicts)
    assert share < 0.025 + 3 * math.sqrt(0.025 * 0.975 / 400), "an eighth by their sign"


def test_wilsons_interval_is_where_the_score_test_does_not_reject():
    for successes in range(1, 10):
        for end in wilson(successes, 10):
            score = abs(successes / 10 - end) / (end * (1 - end) / 10) ** 0.5
            assert score == pytest.approx(1.959964, abs=1e-5)
    assert wilson(0, 10)[0] == pytest.approx(0, abs=1e-12)
    assert wilson(10, 10)[1] == pytest.approx(1, abs=1e-12)


def test_successes_have_wilsons_interval_and_those_of_all_seeds_a_width():
    def success(*seeds):
        return values(seeds).astype(bool)

    row = intervals(success(*[True] * 19, False)).iloc[0]
    assert (row["mean"], row.seeds) == (0.95, 20)
    assert (row.low, row.high) == pytest.approx(wilson(19, 20))
    # By Student's interval 19 of 20 would hold, and two of two be certain.
    assert judge(success(*[True] * 19, False), at_least(0.8, partly=0.5))[0] == PARTLY
    assert judge(success(*[True] * 20), at_least(0.8))[0] == HOLDS
    assert judge(success(True, True), at_least(0.8))[0] == UNDECIDED
    assert judge(success(False, True), at_least(0.8))[0] == UNDECIDED
    assert judge(success(True), at_least(0.8))[0] == ONE_RUN


def test_a_seed_that_fails_without_a_value_is_infinite_and_nothing_holds_with_it():
    lost = values([1.0, 1.0, math.inf])
    assert intervals(lost)["mean"].item() == math.inf
    assert judge(lost, MOST)[0] == UNDECIDED
    assert judge(values([math.inf, math.inf]), MOST)[0] == FAILED
    assert judge(values([2.0, 2.0, math.inf]), MOST)[0] == FAILED
    assert judge(-lost, LEAST)[0] == FAILED, "no seed is above 0"


def test_missing_values_are_left_out_and_nothing_else_is_guessed():
    assert intervals(values([1.0, np.nan, 3.0])).seeds.tolist() == [2]
    with pytest.raises(ValueError, match="no value"):
        judge(values([np.nan, np.nan]), LEAST)
    twice = pd.concat([values([1.0, 2.0])] * 2)
    with pytest.raises(ValueError, match="several values of one seed"):
        judge(twice, LEAST)


@pytest.mark.parametrize(
    ("holds", "partly"),
    [((2, 1), None), ((1, 2), (1.5, 3)), ((1, 2), (0, 1.5)), ((1, 2), (1, 2))],
)
def test_a_weaker_bound_must_be_weaker(holds, partly):
    with pytest.raises(ValueError, match="wider"):
        Rule(holds, partly)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (LEAST, "holds if at least 1, in part if at least 0.5"),
        (MOST, "holds if at most 1, in part if at most 1.5"),
        (WITHIN, "holds if in [1, 2], in part if in [0, 3]"),
        (ALWAYS, "holds without exception if at most 0"),
    ],
)
def test_a_rule_says_what_it_asks(rule, text):
    assert str(rule) == text


def test_a_reason_gives_the_interval_of_every_condition():
    reason = judge(values([1.0, 1.0], [2.0, 2.1]), LEAST)[1]
    assert reason == f"snr 0: 1; snr 1: 2.05 [1.415, 2.685]; {LEAST}"
    many = values(*([[float(i)] * 2 for i in range(1, 9)]))
    assert judge(many, LEAST)[1] == f"extremes of 8 conditions: snr 0: 1; snr 7: 8; {LEAST}"


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.0, "keeps the rule"), (0.5, "keeps the weaker bound"), (0.4, "breaks the rule")],
)
def test_one_run_says_what_it_did_and_speaks_of_no_other(value, words):
    reason = judge(values([value]), LEAST)[1]
    assert reason == f"it {words}; snr 0: {value:g}; {LEAST}"
