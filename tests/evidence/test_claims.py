"""A claim is tested in all its cases, on the tables that there are, with a row for each."""

from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from evidence.claims import COLUMNS, Evidence, claim, collect, tally
from evidence.paper import FOLDER, paper_table
from evidence.verdict import at_least

# The words that a reader sees.
HOLDS, FAILED, OTHER_SIZE = "holds", "not reproduced", "not compared: other size"
UNDECIDED, OUTSIDE = "undecided", "outside the assumptions"


def room(**options) -> ModuleType:
    """A module with one claim, which asks table "t" for values of at least one."""
    options = {
        "title": "{what} is large", "source": "Sec. 1", "statistic": "the {what}",
        "reference": "1", "rule": at_least(1), "needs": ["t"],
        "cases": lambda tables, choices: [{"what": what} for what in choices["whats"]],
    } | options  # fmt: skip

    @claim(options.pop("title"), **options)
    def large(tables, case):
        return tables["t"].get(case.what)

    module = ModuleType("made_up.claims")
    module.large = large
    return module


def table(**columns) -> pd.DataFrame:
    """Values of two seeds."""
    return pd.DataFrame(columns, index=pd.Index([0, 1], name="replicate"))


CHOICES = {"whats": ["height", "width"]}
TABLES = {"t": table(height=[2.0, 2.0], width=[0.5, 0.5])}


def test_every_case_makes_a_row_that_names_its_room():
    rows = collect(room(), TABLES, CHOICES)
    assert tuple(rows.columns) == COLUMNS
    assert set(rows.experiment) == {"made_up"}
    assert rows.claim.tolist() == ["height is large", "width is large"]
    assert rows.statistic.tolist() == ["the height", "the width"]
    assert rows.verdict.tolist() == [HOLDS, FAILED]


def test_cases_of_one_title_are_neighbours_and_other_rows_keep_their_order():
    titled = room(
        title="{of} is large",
        statistic="{what}",
        cases=lambda tables, choices: [
            {"what": what, "of": of}
            for what, of in (("height", "a"), ("width", "b"), ("width", "a"), ("height", "b"))
        ],
    )
    rows = collect(titled, TABLES, {})
    assert rows.claim.str[0].tolist() == ["a", "a", "b", "b"]
    assert rows.statistic.tolist() == ["height", "width", "width", "height"]


def test_texts_call_methods_as_readers_know_them():
    named = room(
        title="{method} beats {mine}, {snr:g} dB",
        figure="curve-{method}",
        table="ends",
        cases=lambda tables, choices: [
            {"what": "height", "method": "group_sparse", "mine": "mine_2", "snr": 1.0}
        ],
    )
    row = collect(named, TABLES, {}).iloc[0]
    assert row.claim == "group-sparse beats mine_2, 1 dB"
    assert (row.figure, row.table) == ("curve-group_sparse", "ends"), "these are no text"


def test_a_case_without_values_is_no_test():
    alone = {"t": TABLES["t"][["width"]]}
    assert collect(room(), alone, CHOICES).claim.tolist() == ["width is large"]

    @claim("a", source="b", statistic="c", reference="d", rule=at_least(1))
    def nothing(tables, case):
        return Evidence(None, "a note")

    module = ModuleType("made_up.claims")
    module.nothing = nothing
    assert collect(module, {}, {}).empty


def test_a_value_that_no_seed_has_is_shown_as_undecided():
    """A ratio of codes that are all zero, say; a selection without rows is a mistake."""
    missing = {"t": table(height=[2.0, 2.0], width=[np.nan, np.nan])}
    rows = collect(room(), missing, CHOICES).set_index("claim")
    assert rows.verdict.to_dict() == {"height is large": HOLDS, "width is large": UNDECIDED}
    row = rows.loc["width is large"]
    assert (row.seeds, row.reason) == (0, "it has no value here; holds if at least 1")
    assert np.isnan([row["mean"], row["low"]]).all()
    with pytest.raises(ValueError, match="no value"):
        collect(room(), {"t": missing["t"][:0]}, CHOICES)


def test_a_claim_whose_table_is_missing_is_left_out():
    rows = collect(room(), {}, CHOICES)
    assert (len(rows), tuple(rows.columns)) == (0, COLUMNS)


def test_numbers_of_the_papers_size_are_not_held_against_another():
    sized = room(paper_size=True)
    assert OTHER_SIZE not in set(collect(sized, TABLES, CHOICES).verdict)
    rows = collect(sized, TABLES, CHOICES, "this study is smaller")
    assert set(rows.verdict) == {OTHER_SIZE}
    assert rows.reason.str.startswith("this study is smaller; ").all()
    unsized = collect(room(), TABLES, CHOICES, "this study is smaller")
    assert unsized.verdict.tolist() == [HOLDS, FAILED]


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ({"outside": "it assumes more"}, OUTSIDE),
        ({"blind": "too few samples"}, UNDECIDED),
    ],
)
def test_what_cannot_be_judged_is_shown_with_the_reason(words, verdict):
    @claim("a", source="b", statistic="c", reference="d", rule=at_least(1))
    def limited(tables, case):
        return Evidence(table(x=[2.0, 2.0]).x, "a note", **words)

    module = ModuleType("made_up.claims")
    module.limited = limited
    row = collect(module, {}, {}).iloc[0]
    (reason,) = words.values()
    assert (row.verdict, row.reason) == (verdict, f"{reason}; 2; holds if at least 1; a note")


def test_what_a_measurement_could_not_see_may_still_fail():
    @claim("a", source="b", statistic="c", reference="d", rule=at_least(1))
    def limited(tables, case):
        return Evidence(table(x=[0.5, 0.5]).x, blind="too few samples")

    module = ModuleType("made_up.claims")
    module.limited = limited
    assert collect(module, {}, {}).verdict.tolist() == [FAILED]


def test_the_tally_counts_tests_of_the_papers_claims_alone():
    rows = collect(room(), TABLES, CHOICES)
    assert tally(rows) == {HOLDS: 1, FAILED: 1}
    assert tally(rows.assign(paper=[True, False])) == {HOLDS: 1}
    assert tally(rows.assign(verdict=OUTSIDE)) == {}
    assert tally(rows.iloc[:0]) == {}
    assert not collect(room(paper=False), TABLES, CHOICES).paper.any()


def test_every_number_of_the_paper_says_where_it_is_printed():
    paths = sorted(FOLDER.glob("*.csv"))
    assert paths
    for path in paths:
        numbers = paper_table(path.stem)
        where = numbers.source if "source" in numbers else "Fig. " + numbers.figure
        # Other papers and public code are named by author or place.
        assert where.str.contains(
            r"Fig\.|Table|Sec\.|README|, [A-Z].* \d{4}$| et al\. \d{4}$"
        ).all()
        unknown = ["nmi", "ari"] if path.stem == "mixmate" else []  # not printed by all
        values = numbers.drop(columns=unknown).select_dtypes("number")
        assert np.isfinite(values).all(axis=None)
