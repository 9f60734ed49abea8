"""Every verdict rule of the theory's claims, on small tables that must give each verdict."""

import numpy as np
import pandas as pd
import pytest

from groupsparse import theory
from groupsparse.claims_theory import theory_claims, theory_table

# The words that a reader sees.
HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
EPOCHS, REPLICATES, DELTAS, LAMBDAS = (0, 1, 5), (0, 1), (0.0, 0.1), (0.2, 0.5)

# Measurements under which every claim holds; values broadcast to (epoch, replicate) along a
# training and to (delta, lambda, replicate) on the grid.
BOTH = {
    "prop1_violated": 0.0, "prop1_bound": 1.0, "prop1_least": 1.1,
    "prop2_violated": 0.0, "prop2_bound": 1.0, "prop2_largest": 0.9,
    "prop2_violated_rank": 0.0, "prop2_bound_rank": 2.0,
    "lemma1_inside": 1.0, "lemma1_inside_rank": 1.0, "lemma1_empty": 0.0,
    "support_exact": 1.0, "printed_error": 0.1, "derived_error": 0.1, "monte_carlo_error": 0.1,
    "outside_error": 0.1, "outside_monte_carlo_error": 0.1, "outside_cosine": 0.9,
    "residual_violated": 0.0, "residual_within_span": 0.5, "residual_bound": 1.0, "residual": 0.5,
    "theorem1_violated": 0.0, "theorem1_vacuous": 0.2, "theorem1_left": 1.0, "theorem1_right": 0.5,
}  # fmt: skip
POINTS = {
    "lemma1_low": 0.1, "lemma1_high": 0.9, "lambda": 0.5, "delta": 0.2, "printed_cosine": 0.9,
    "approximate_cosine": 1.0, "approximate_error": 0.0, "rho_printed": 0.5, "rho_without_v": 0.5,
    "diverged": 0.0, "lr": 0.1, "step_limit": 0.4, "contraction_raw": 0.5, "contraction_unit": 0.5,
    "neighbourhood": 0.1, "aligned_squared_error": 0.1,
    "raw": [[100.0], [60.0], [40.0]], "unit": [[10.0], [6.0], [4.0]],
}  # fmt: skip


def long_form(values, axes):
    index = pd.MultiIndex.from_product(axes.values(), names=axes)
    shape = [len(axis) for axis in axes.values()]
    parts = [
        pd.Series(np.broadcast_to(np.asarray(value, dtype=float), shape).ravel(), index)
        .rename("value")
        .reset_index()
        .assign(metric=metric)
        for metric, value in values.items()
    ]
    return pd.concat(parts).dropna()


def training(changes=(), regime="ours"):
    axes = {"regime": [regime], "epoch": EPOCHS, "replicate": REPLICATES}
    return long_form({**BOTH, **POINTS, **dict(changes)}, axes)


def grid(changes=()):
    axes = {"delta": DELTAS, "lambda": LAMBDAS, "replicate": REPLICATES}
    return long_form({**BOTH, **dict(changes)}, axes)


def rows(points=(), sweep=()):
    return pd.DataFrame(theory_claims(training(points), grid(sweep)))


def row_of(table, name):
    found = table[table.claim.str.contains(name, regex=False)]
    assert len(found) == 1, (name, table.claim.tolist())
    return found.iloc[0]


def one_of(value, otherwise):
    """A grid with one point that differs, in one replicate."""
    values = np.full((len(DELTAS), len(LAMBDAS), len(REPLICATES)), otherwise)
    values[1, 0, 1] = value
    return values


def ends(first, last):
    return [[first], [first], [last]]


PROP2, PROP2_RANK = "≤ γ B_max (μ_B", "≤ γ B_max (d μ_B"
LEMMA = "λ inside the interval"
INTERVAL = "lies in Lemma 1's interval at the init"
APPROXIMATE, OUTSIDE = "The approximate gradient", "Outside the span of its own group"
EQ32, V, THEOREM1 = "has the main term of eq. 32", "V is within", "Theorem 1's inequality"
RHO, RAW, UNIT = "printed ρ", "contracts ‖A − A*‖²", "contracts the error of unit atoms"
CASES = [
    # A deterministic statement: one violation anywhere, on the way or on the grid, refutes it.
    ("Prop. 1", {}, {}, HOLDS),
    ("Prop. 1", {}, {"prop1_violated": one_of(1e-6, 0.0)}, FAILED),
    ("Prop. 1", {"prop1_violated": [[0.0], [0.0], [1e-6]]}, {}, FAILED),
    (PROP2, {}, {"prop2_violated_rank": 1.0}, HOLDS),
    (PROP2, {}, {"prop2_violated": one_of(1e-6, 0.0)}, FAILED),
    (PROP2_RANK, {}, {"prop2_violated": 1.0}, HOLDS),
    (PROP2_RANK, {"prop2_violated_rank": 1e-6}, {}, FAILED),
    (INTERVAL, {"lemma1_inside": [[1.0], [0.0], [0.0]]}, {}, HOLDS),  # the init alone is asked
    (INTERVAL, {"lemma1_inside": [[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]]}, {}, FAILED),
    (APPROXIMATE, {"approximate_cosine": 0.95, "approximate_error": 0.1}, {}, HOLDS),
    (APPROXIMATE, {"approximate_cosine": 0.94, "approximate_error": 0.1}, {}, PARTLY),
    (APPROXIMATE, {"approximate_cosine": 0.95, "approximate_error": 0.11}, {}, PARTLY),
    (APPROXIMATE, {"approximate_cosine": ends(1.0, 0.7), "approximate_error": 0.5}, {}, PARTLY),
    (APPROXIMATE, {"approximate_cosine": [[1.0], [0.69], [1.0]]}, {}, FAILED),
    (EQ32, {}, {"printed_error": 0.2}, HOLDS),
    (EQ32, {}, {"printed_error": one_of(0.21, 0.0)}, FAILED),
    (OUTSIDE, {}, {"outside_error": 0.2}, HOLDS),
    (OUTSIDE, {}, {"outside_error": one_of(0.21, 0.2)}, PARTLY),
    (OUTSIDE, {}, {"outside_error": 0.21}, FAILED),
    (V, {}, {}, HOLDS),
    (V, {}, {"residual_violated": one_of(0.01, 0.0)}, FAILED),
    (THEOREM1, {}, {}, HOLDS),
    (THEOREM1, {}, {"theorem1_violated": one_of(0.01, 0.0)}, FAILED),
    (RHO, {"rho_printed": 0.01}, {}, HOLDS),
    (RHO, {"rho_printed": [[0.01], [0.0], [0.01]]}, {}, PARTLY),
    (RHO, {"rho_printed": 0.0}, {}, FAILED),
    (RAW, {"raw": ends(100, 50)}, {}, HOLDS),
    (RAW, {"raw": [[100, 100], [9, 9], [50, 51]]}, {}, PARTLY),  # the last epoch, the worst seed
    (RAW, {"raw": ends(100, 99)}, {}, PARTLY),
    (RAW, {"raw": ends(100, 100)}, {}, FAILED),
    (RAW, {"diverged": 1.0}, {}, FAILED),
    (UNIT, {"unit": ends(10, 5)}, {}, HOLDS),
    (UNIT, {"unit": ends(10, 5.1)}, {}, PARTLY),
    (UNIT, {"unit": ends(10, 10)}, {}, FAILED),
]  # fmt: skip
THREE_VERDICTS = {APPROXIMATE, OUTSIDE, RHO, RAW, UNIT}


def test_the_measurements_of_these_tests_bear_every_claim_out():
    table = rows()
    assert table[table.verdict != HOLDS].empty, table[table.verdict != HOLDS].claim.tolist()


@pytest.mark.parametrize(("name", "points", "sweep", "verdict"), CASES)
def test_measurements_get_the_verdict_that_they_give(name, points, sweep, verdict):
    row = row_of(rows(points, sweep), name)
    assert row.verdict == verdict, row.reason


@pytest.mark.parametrize("suffix", ["", "_rank"])
@pytest.mark.parametrize(
    ("exact", "verdict"),
    [(1.0, HOLDS), (one_of(0.9, 1.0), PARTLY), (0.98, PARTLY), (0.97, FAILED)],
)
def test_lemma_1_is_judged_by_the_points_inside_its_interval(suffix, exact, verdict):
    source = "Lemma 1, with d μ_B" if suffix else "Lemma 1"

    def verdicts(sweep):
        table = rows(sweep=sweep)
        table = table[table.claim.str.contains(LEMMA) & (table.source == source)]
        return table.verdict.tolist()

    assert verdicts({"support_exact": exact}) == [verdict]
    # What fails outside the interval says nothing against the lemma.
    inside = {f"lemma1_inside{suffix}": one_of(0.0, 1.0)}
    assert verdicts({"support_exact": one_of(0.5, 1.0), **inside}) == [HOLDS]
    assert verdicts({f"lemma1_inside{suffix}": 0.0}) == []


def test_every_rule_has_a_case_for_each_of_its_verdicts():
    table = rows()
    tested = {claim: set() for claim in table.claim if LEMMA not in claim}
    for name, _, _, verdict in CASES:
        tested[row_of(table, name).claim].add(verdict)
    for claim, verdicts in tested.items():
        three = any(name in claim for name in THREE_VERDICTS)
        assert verdicts == ({HOLDS, PARTLY, FAILED} if three else {HOLDS, FAILED}), claim


def test_eq_32_is_asked_inside_the_interval_alone():
    outside = {"lemma1_inside": one_of(0.0, 1.0)}
    for name, metric in ((EQ32, "printed_error"), (V, "residual_violated")):
        assert row_of(rows(sweep={metric: one_of(9.0, 0.0), **outside}), name).verdict == HOLDS
    assert not rows(sweep={"lemma1_inside": 0.0}).claim.str.contains(EQ32).any()


@pytest.mark.parametrize(
    ("metric", "value"), [("support_exact", 0.99), ("outside_monte_carlo_error", 0.31)]
)
def test_outside_the_span_only_points_that_can_tell_are_asked(metric, value):
    fine = BOTH[metric]
    wrong = {"outside_error": one_of(9.0, 0.0)}
    assert row_of(rows(sweep=wrong), OUTSIDE).verdict == PARTLY
    assert row_of(rows(sweep={**wrong, metric: one_of(value, fine)}), OUTSIDE).verdict == HOLDS
    assert not rows(sweep={metric: value}).claim.str.contains(OUTSIDE).any()


def test_a_diverged_training_is_one_claim_that_fails_and_names_its_step():
    table = rows({"diverged": 1.0})
    row = row_of(table, "Training contracts")
    assert (row.verdict, row["mean"]) == (FAILED, 1.0)
    assert "learning rate 0.1, where Theorem 2 allows 0.4" in row.reason


def test_one_number_is_one_claim():
    unit = {"unit": POINTS["raw"]}
    assert row_of(rows(unit), "Training contracts").claim.startswith("Training contracts ‖A − A*‖²")
    # Unit norm at the init alone makes them two numbers.
    apart = {"raw": ends(10, 40), "unit": ends(10, 4)}
    assert (len(rows(apart)), len(rows(unit))) == (len(rows()), len(rows()) - 1)


def test_regimes_that_share_an_init_make_one_claim_about_it():
    points = pd.concat([training(), training(regime="theirs")])
    table = pd.DataFrame(theory_claims(points, grid()))
    assert row_of(table, INTERVAL).claim.startswith("The λ of ours and theirs lies")
    points = pd.concat([training(), training({"lambda": 0.6}, regime="theirs")])
    table = pd.DataFrame(theory_claims(points, grid()))
    assert table.claim.str.contains(INTERVAL).sum() == 2


def test_no_claim_says_more_than_holds_of_rho():
    reason = row_of(rows({"rho_printed": -1.0}), RHO).reason
    assert "wherever α_min > 0" in reason
    assert theory.theorem2_rho(1.0, 1.0, 0.1, 1.0, 0.0, 1) < 0
    assert theory.theorem2_rho(1.0, 1.0, -0.1, 1.0, 0.0, 1) > 0


@pytest.fixture
def statements():
    def of(changes=()):
        return {row["statement"]: row for row in theory_table(training(changes))}

    return of


def test_the_table_of_statements_counts_violations_at_the_worst_epoch(statements):
    verdict = statements({"prop1_violated": [[0.0], [0.25], [0.0]]})["Prop. 1"]["verdict"]
    assert verdict == "Violated in at most 25.00% of the groups."
    table = statements({"prop2_violated": [[0.0], [0.0], [0.5]], "theorem1_violated": 0.5})
    assert (
        "in at most 50.00% of the terms as printed, in 0.00% with d μ_B"
        in (table["Prop. 2"]["verdict"])
    )
    assert table["Theorem 1"]["verdict"].startswith("Violated by up to 50% of the atoms")


def test_the_table_of_statements_says_where_a_bound_is_empty(statements):
    delta = [[0.5], [1.5], [1.5]]
    assert (
        "empty (δ > 1) at 67% of the epochs" in statements({"delta": delta})["Prop. 1"]["verdict"]
    )
    empty = {"lemma1_inside": [[1.0], [0.0], [0.0]], "lemma1_empty": [[0.0], [0.0], [1.0]]}
    verdict = statements(empty)["Lemma 1"]["verdict"]
    assert verdict == "λ is inside at 33% of the epochs; the interval is empty at 33%."


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "‖A − A*‖² falls, the error of unit atoms falls."),
        ({"raw": ends(1, 2)}, "‖A − A*‖² rises, the error of unit atoms falls."),
        (
            {"rho_printed": -1.0, "diverged": 1.0},
            "The printed ρ is negative and promises nothing; training diverges.",
        ),
    ],
)
def test_the_table_of_statements_tells_where_training_ends(statements, changes, verdict):
    assert statements(changes)["Theorem 2"]["verdict"] == verdict


@pytest.mark.parametrize(("error", "word"), [(0.09, "closer"), (0.1, "not closer")])
def test_the_table_of_statements_compares_the_two_means(statements, error, word):
    verdict = statements({"derived_error": error})["eq. 32 against the empirical mean"]["verdict"]
    assert verdict.endswith(f"is {word}.")
