"""Every claim of the theory, on small tables that must give each of its verdicts."""

import numpy as np
import pandas as pd
import pytest
from claim_rows import alone
from claim_rows import row_of as found_row

from evidence.claims import claims_of, collect, tally
from groupsparse import theory
from theory import claims
from theory.statements import theory_table

# The words that a reader sees.
HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
UNDECIDED, ONE_RUN, OUTSIDE = "undecided", "one run", "outside the assumptions"
EPOCHS, REPLICATES, DELTAS, LAMBDAS = (0, 1, 5), (0, 1), (0.0, 0.1), (0.2, 0.5)

# Measurements under which every claim holds; values broadcast to (epoch, replicate) along a
# training and to (delta, lambda, replicate) on the grid.
BOTH = {
    "prop1_violated": 0.0, "prop1_bound": 1.0, "prop1_least": 1.1,
    "prop2_violated": 0.0, "prop2_bound": 1.0, "prop2_largest": 0.9,
    "prop2_violated_rank": 0.0, "prop2_bound_rank": 2.0,
    "lemma1_inside": 1.0, "lemma1_inside_rank": 1.0, "lemma1_empty": 0.0,
    "support_exact": 1.0, "printed_error": 0.1, "derived_error": 0.1, "monte_carlo_error": 0.0,
    "outside_error": 0.1, "outside_monte_carlo_error": 0.0, "outside_cosine": 0.9,
    "residual_violated": 0.0, "residual_within_span": 0.5, "residual_bound": 1.0, "residual": 0.5,
    "theorem1_violated": 0.0, "theorem1_vacuous": 0.2, "theorem1_left": 1.0, "theorem1_right": 0.5,
}  # fmt: skip
POINTS = {
    "lemma1_low": 0.1, "lemma1_high": 0.9, "lambda": 0.5, "delta": 0.2, "printed_cosine": 0.9,
    "approximate_cosine": 1.0, "approximate_error": 0.1, "rho_printed": 0.5, "rho_without_v": 0.5,
    "diverged": 0.0, "lr": 0.1, "gradient_descent": 1.0, "orthonormality_defect": 0.2,
    "energy": 1.04, "step_limit": 0.4, "contraction_raw": 0.5, "contraction_unit": 0.5,
    "neighbourhood": 0.1, "aligned_squared_error": 0.1,
    "raw": [[100.0], [60.0], [40.0]], "unit": [[10.0], [6.0], [4.0]],
}  # fmt: skip


def long_form(values, axes):
    index = pd.MultiIndex.from_product(axes.values(), names=axes)
    shape = [len(axis) for axis in axes.values()]
    wide = {
        metric: np.broadcast_to(np.asarray(value, dtype=float), shape).ravel()
        for metric, value in values.items()
    }
    frame = pd.DataFrame(wide, index).reset_index()
    return frame.melt(list(axes), var_name="metric").dropna()


def training(changes=(), regime="ours"):
    axes = {"regime": [regime], "epoch": EPOCHS, "replicate": REPLICATES}
    return long_form({**BOTH, **POINTS, **dict(changes)}, axes)


def grid(changes=()):
    axes = {"delta": DELTAS, "lambda": LAMBDAS, "replicate": REPLICATES}
    return long_form({**BOTH, **dict(changes)}, axes)


def rows(points=(), sweep=(), module=claims):
    return collect(module, {"theory": training(points), "theory_sweep": grid(sweep)}, {})


def row_of(table, name):
    return found_row(table, name, beside="source")


def row_alone(name, points=(), sweep=()):
    """The row of this name, of its own claim alone."""
    return row_of(rows(points, sweep, alone(rows, name, claims, beside="source")), name)


def one_of(value, otherwise):
    """A grid with one point that differs, in one replicate."""
    values = np.full((len(DELTAS), len(LAMBDAS), len(REPLICATES)), otherwise)
    values[1, 0, 1] = value
    return values


def ends(first, last):
    return [[first], [first], [last]]


PROP1, PROP2, PROP2_RANK = "Prop. 1", "≤ γ B_max (μ_B", "≤ γ B_max (d μ_B"
LEMMA, LEMMA_RANK = "in one step | Lemma 1", "in one step | Lemma 1, with d"
INTERVAL = "is in Lemma 1's interval at the init"
APPROXIMATE, OUTSIDE_SPAN = "The approximate gradient", "Outside the span of its own group"
EQ32, V, THEOREM1 = "is the main term of eq. 32, without", "V is within", "Theorem 1's inequality"
RHO, CONTRACTS = "printed ρ", "Training contracts"
CASES = [
    # A statement without exception: one violation anywhere, on the way or on the grid, refutes it.
    (PROP1, {}, {}, HOLDS),
    (PROP1, {}, {"prop1_violated": one_of(1e-6, 0.0)}, FAILED),
    (PROP1, {"prop1_violated": [[0.0], [0.0], [1e-6]]}, {}, FAILED),
    (PROP2, {}, {"prop2_violated_rank": 1.0}, HOLDS),
    (PROP2, {}, {"prop2_violated": one_of(1e-6, 0.0)}, FAILED),
    (PROP2_RANK, {}, {"prop2_violated": 1.0}, HOLDS),
    (PROP2_RANK, {"prop2_violated_rank": 1e-6}, {}, FAILED),
    (LEMMA_RANK, {}, {}, HOLDS),
    (LEMMA_RANK, {}, {"support_exact": one_of(0.999, 1.0)}, FAILED),
    (INTERVAL, {"lambda": ends(0.1, 9.0)}, {}, HOLDS),  # the init alone is asked
    (INTERVAL, {"lambda": ends(0.9, 9.0)}, {}, HOLDS),
    (INTERVAL, {"lambda": [[0.5, 0.09], [0.5, 0.5], [0.5, 0.5]]}, {}, FAILED),
    (INTERVAL, {"lambda": [[0.5, 0.91], [0.5, 0.5], [0.5, 0.5]]}, {}, FAILED),
    (APPROXIMATE, {"approximate_error": 0.1}, {}, HOLDS),
    (APPROXIMATE, {"approximate_error": [[0.0], [0.11], [0.0]]}, {}, PARTLY),  # the worst epoch
    (APPROXIMATE, {"approximate_error": ends(0.0, 0.5)}, {}, PARTLY),
    (APPROXIMATE, {"approximate_error": ends(0.51, 0.0)}, {}, FAILED),
    (APPROXIMATE, {"approximate_error": [[0.4, 0.6]] * 3}, {}, UNDECIDED),
    (EQ32, {}, {"printed_error": 0.1}, HOLDS),
    (EQ32, {}, {"printed_error": 0.5}, PARTLY),
    (EQ32, {}, {"printed_error": 0.51}, FAILED),
    (EQ32, {}, {"printed_error": one_of(0.7, 0.1)}, UNDECIDED),
    # What sampling explains is no error: 0.5 and 0.3 leave 0.4, 0.13 and 0.09 leave 0.094.
    (EQ32, {}, {"printed_error": 0.13, "monte_carlo_error": 0.09}, HOLDS),
    (EQ32, {}, {"printed_error": 0.5, "monte_carlo_error": 0.3}, PARTLY),
    # Errors below it are not seen.
    (EQ32, {}, {"printed_error": 0.2, "monte_carlo_error": 0.1}, PARTLY),
    (EQ32, {}, {"printed_error": 0.1, "monte_carlo_error": 0.1}, HOLDS),
    (EQ32, {}, {"printed_error": 0.1, "monte_carlo_error": one_of(0.11, 0.0)}, UNDECIDED),
    (EQ32, {}, {"printed_error": 0.9, "monte_carlo_error": 0.3}, FAILED),
    (OUTSIDE_SPAN, {}, {"outside_error": 0.2, "outside_monte_carlo_error": 0.25}, UNDECIDED),
    (OUTSIDE_SPAN, {}, {"outside_error": 0.9, "outside_monte_carlo_error": 0.25}, FAILED),
    (OUTSIDE_SPAN, {}, {"outside_error": 0.1}, HOLDS),
    (OUTSIDE_SPAN, {}, {"outside_error": 0.5}, PARTLY),
    (OUTSIDE_SPAN, {}, {"outside_error": 0.51}, FAILED),
    (OUTSIDE_SPAN, {}, {"outside_error": one_of(0.7, 0.1)}, UNDECIDED),
    (OUTSIDE_SPAN, {}, {"outside_error": 0.13, "outside_monte_carlo_error": 0.09}, HOLDS),
    (V, {}, {}, HOLDS),
    (V, {}, {"residual_violated": one_of(0.01, 0.0)}, FAILED),
    (THEOREM1, {}, {}, HOLDS),
    (THEOREM1, {}, {"theorem1_violated": one_of(0.01, 0.0)}, FAILED),
    (RHO, {"rho_printed": 0.001}, {}, HOLDS),
    (RHO, {"rho_printed": [[0.1], [0.0], [0.1]]}, {}, FAILED),
    (CONTRACTS, {"raw": ends(100, 50)}, {}, HOLDS),
    (CONTRACTS, {"raw": [[100, 100], [9, 9], [50, 51]]}, {}, PARTLY),  # the worst seed
    (CONTRACTS, {"raw": ends(100, 90)}, {}, PARTLY),
    (CONTRACTS, {"raw": ends(100, 91)}, {}, FAILED),
    (CONTRACTS, {"raw": [[100, 100], [9, 9], [50, 1e7]], "diverged": 1.0}, {}, FAILED),
    (CONTRACTS, {"raw": ends(100, 50), "unit": ends(1, 9)}, {}, HOLDS),  # the theorem's error
]  # fmt: skip


def test_the_measurements_of_these_tests_bear_every_claim_out():
    table = rows()
    assert table[table.verdict != HOLDS].empty, table[table.verdict != HOLDS].claim.tolist()


@pytest.mark.parametrize(("name", "points", "sweep", "verdict"), CASES)
def test_measurements_get_the_verdict_that_they_give(name, points, sweep, verdict):
    row = row_alone(name, points, sweep)
    assert row.verdict == verdict, row.reason


def test_every_claim_has_a_case_for_each_of_its_verdicts():
    table = rows()
    named = table.claim + " | " + table.source
    tested = {text: set() for text in named}
    for name, _, _, verdict in CASES:
        row = row_of(table, name)
        tested[f"{row.claim} | {row.source}"].add(verdict)
    for text, reason in zip(named, table.reason, strict=True):
        if text.endswith(LEMMA):
            continue  # below
        wanted = {HOLDS, FAILED} | ({PARTLY} if ", in part" in reason else set())
        assert tested[text] == wanted | (set() if "without exception" in reason else {UNDECIDED})
    # Prop. 2 and Lemma 1 have two rows.
    assert len(claims_of(claims)) == len(table) - 2


@pytest.mark.parametrize("suffix", ["", "_rank"])
@pytest.mark.parametrize(("exact", "verdict"), [(1.0, HOLDS), (one_of(0.999, 1.0), FAILED)])
def test_lemma_1_is_judged_by_the_points_inside_its_interval(suffix, exact, verdict):
    source = "Lemma 1, with d μ_B" if suffix else "Lemma 1"

    def verdicts(sweep):
        table = rows(sweep=sweep)
        table = table[table.claim.str.startswith("λ inside") & (table.source == source)]
        return table.verdict.tolist()

    assert verdicts({"support_exact": exact}) == [verdict]
    # What fails outside the interval says nothing against the lemma.
    inside = {f"lemma1_inside{suffix}": one_of(0.0, 1.0)}
    assert verdicts({"support_exact": one_of(0.5, 1.0), **inside}) == [HOLDS]
    assert verdicts({f"lemma1_inside{suffix}": 0.0}) == []


SWEPT = {
    EQ32: "printed_error", V: "residual_violated", THEOREM1: "theorem1_violated",
    OUTSIDE_SPAN: "outside_error",
}  # fmt: skip


@pytest.mark.parametrize("name", SWEPT)
def test_the_gradient_is_asked_inside_the_interval_alone(name):
    outside = {"lemma1_inside": one_of(0.0, 1.0)}
    wrong = {SWEPT[name]: one_of(9.0, 0.0)}
    assert row_alone(name, sweep=wrong).verdict in (FAILED, UNDECIDED)
    assert row_alone(name, sweep={**wrong, **outside}).verdict == HOLDS
    assert not rows(sweep={"lemma1_inside": 0.0}).claim.str.contains(name, regex=False).any()


def test_no_point_is_chosen_by_what_was_measured_there():
    for chance in ({"support_exact": 0.5}, {"outside_monte_carlo_error": 0.9}):
        row = row_alone(OUTSIDE_SPAN, sweep={"outside_error": 3.0, **chance})
        assert row.verdict == FAILED


def test_at_the_truth_nothing_is_outside_the_span():
    at_zero = np.array([[[9.0]], [[0.1]]])
    row = row_alone(OUTSIDE_SPAN, sweep={"outside_error": at_zero})
    assert (row.verdict, row.conditions) == (HOLDS, 1)


BROKEN = [
    ({"orthonormality_defect": [[0.0], [0.21], [0.0]]}, "A_gᵀA_g = I (assumption 4)"),
    ({"energy": 1.06}, "E[x_g x_gᵀ] = I (assumption 3)"),
    ({"energy": 0.94}, "E[x_g x_gᵀ] = I (assumption 3)"),
    ({"lemma1_inside": ends(1.0, 0.0)}, "λ in Lemma 1's interval"),
    ({"gradient_descent": 0.0}, "plain gradient descent"),
    ({"lr": [[0.4], [0.401], [0.4]]}, "no larger learning rate"),
]


@pytest.mark.parametrize(("change", "words"), BROKEN)
@pytest.mark.parametrize("last", [1.0, 1e9])
def test_theorem_2_is_not_judged_outside_its_assumptions(change, words, last):
    changes = {**change, "raw": ends(100, last), "diverged": float(last > 100)}
    row = row_alone(CONTRACTS, changes)
    assert row.verdict == OUTSIDE
    assert row.reason.startswith(f"the theorem assumes {words}; {last / 100:.4g}")
    assert ("training diverges" in row.reason) == (last > 100)


def test_what_is_outside_the_assumptions_of_a_claim_is_no_test_of_it():
    table, inside = rows(BROKEN[0][0]), rows()
    assert row_of(table, CONTRACTS).verdict == OUTSIDE
    assert sum(tally(table).values()) == sum(tally(inside).values()) - 1


def test_the_largest_learning_rate_of_the_theorem_is_within_its_assumptions():
    assert row_alone(CONTRACTS, {"lr": 0.4}).verdict == HOLDS


def test_epochs_after_divergence_break_no_assumption():
    # Only what was measured can be asked.
    gone = {k: [[v], [v], [np.nan]] for k, v in (("delta", 0.2), ("energy", 1.0), ("lr", 0.1))}
    row = row_alone(CONTRACTS, {**gone, "raw": ends(1, 9), "diverged": 1.0})
    assert row.verdict == FAILED


def test_a_training_is_one_claim():
    table = rows({"raw": ends(10, 40), "unit": ends(10, 4)})
    assert "unit atoms 0.4" in row_of(table, CONTRACTS).reason
    both = collect(claims, {"theory": pd.concat([training(), training(regime="theirs")])}, {})
    assert both.claim.str.contains(CONTRACTS).sum() == 2
    assert row_of(both, RHO).conditions == 2


def test_regimes_that_share_an_init_make_one_claim_about_it():
    points = pd.concat([training(), training(regime="theirs")])
    table = collect(claims, {"theory": points}, {})
    assert row_of(table, INTERVAL).statistic.endswith("regime ours and theirs")
    points = pd.concat([training(), training({"lambda": 0.6}, regime="theirs")])
    table = collect(claims, {"theory": points}, {})
    assert table.claim.str.contains(INTERVAL).sum() == 2


def test_tables_that_are_missing_leave_out_what_needs_them():
    trained = collect(claims, {"theory": training()}, {})
    swept = collect(claims, {"theory_sweep": grid()}, {})
    assert set(trained.claim) & set(swept.claim) == {
        row_of(rows(), name).claim for name in (PROP1, PROP2, PROP2_RANK)
    }
    assert set(trained.claim) | set(swept.claim) == set(rows().claim)
    assert collect(claims, {}, {}).empty


def test_corrected_bounds_and_our_choices_are_not_counted_as_the_papers():
    table = rows()
    ours = {
        row_of(table, name).name for name in (PROP2_RANK, LEMMA_RANK, INTERVAL, EQ32, OUTSIDE_SPAN)
    }
    assert set(table[~table.paper].index) == ours


def test_one_replicate_is_one_run():
    one = {
        "theory": training().query("replicate == 0"),
        "theory_sweep": grid().query("replicate == 0"),
    }
    assert set(collect(claims, one, {}).verdict) == {ONE_RUN}


def test_no_claim_says_more_than_holds_of_rho():
    reason = row_alone(RHO, {"rho_printed": -1.0}).reason
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
