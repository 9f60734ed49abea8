"""What leads the page: findings, the key figure, verdicts; and claims with their cases."""

import pandas as pd
import pytest

from evidence.section import figure, table, text
from report.claims import grouped, told_apart
from report.lead import counted, findings, key_figure, verdicts

ROW = {
    "id": 1, "paper": True, "claim": "Errors fall", "source": "Abstract; Fig. 3a",
    "statistic": "last / first error, fixed sampling", "mean": 0.5, "std": 0.1,
    "lowest_mean": 0.4, "highest_mean": 0.6, "conditions": 2, "seeds": 3, "reference": "0",
    "verdict": "holds", "reason": "r",
    "figure": "", "table": "",
}  # fmt: skip
BLOCKS = [
    text("Fig. 3a is below."), figure("fig3a", "Fig. 3a: errors"),
    figure("first", "Fig. 5: one"), figure("second", "Fig. 5: another"),
    table([["n"]], [["1"]], caption="Ends (all of them): a row each", name="ends"),
]  # fmt: skip


def claims(*changes: dict) -> pd.DataFrame:
    return pd.DataFrame([{**ROW, "id": i, **change} for i, change in enumerate(changes, start=1)])


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ([["a", "b", "c"], ["d"]], ["a", "b", "d"]),
        ([["a"], [], ["c"], ["d"], ["e"]], ["a", "c", "d"]),
        ([["a"]], ["a"]),
        ([[]], []),
        ([], []),
    ],
)
def test_every_section_gives_its_first_finding_before_any_gives_its_second(given, taken):
    assert findings([{"findings": lines} for lines in given], most=3) == taken


def test_five_findings_fit_a_screen():
    assert len(findings([{"findings": list("abcdefgh")}])) == 5


def test_the_first_key_figure_wins():
    sections = [
        {"blocks": [text("a"), figure("a", "A")]},
        {"blocks": [figure("b", "B", key=True), figure("c", "C", key=True)]},
        {"blocks": [figure("d", "D", key=True)]},
    ]
    assert key_figure(sections)["name"] == "b"
    assert key_figure(sections[:1]) is None


def test_verdicts_on_the_papers_own_claims_are_counted_by_section():
    first = claims({"verdict": "not reproduced"}, {}, {}, {"paper": False})
    counts = verdicts([first, claims({})], [{"title": "one"}, {"title": "two"}])
    assert list(counts.columns) == ["holds", "not reproduced", "tests"]
    assert counts.values.tolist() == [[2, 1, 3], [1, 0, 1]]
    alone = claims({"paper": False}, {"paper": False, "verdict": "undecided"})
    assert verdicts([alone], [{"title": "one"}]).values.tolist() == [[1, 1, 2]], "our own"
    assert counted(alone) == ({"holds": 1, "undecided": 1}, "our own claims")
    assert counted(first) == ({"holds": 2, "not reproduced": 1}, "the paper's claims")
    assert counted(first.iloc[:0]) == ({}, "the paper's claims")


@pytest.mark.parametrize(
    ("texts", "shared", "own"),
    [
        (["recall, fixed", "recall, fresh"], "recall", ["fixed", "fresh"]),
        (["one text, with a comma"], "one text, with a comma", [""]),
        (["a", "b"], "", ["a", "b"]),
        (["the same", "the same"], "the same", ["", ""]),
        (["errors, at 1 dB", "errors, at 1 dB, unit atoms"], "errors, at 1 dB", ["", "unit atoms"]),
    ],
)  # fmt: skip
def test_what_texts_share_is_told_from_what_is_each_ones_own(texts, shared, own):
    assert told_apart(texts) == (shared, own)


def test_cases_of_a_claim_are_rows_of_one_group():
    fresh = {"statistic": "last / first error, fresh sampling", "verdict": "undecided"}
    group, other = grouped(claims({}, {**fresh, "seeds": 1, "std": None}, {"claim": "b"}), BLOCKS)
    assert (group["title"], group["statistic"]) == ("Errors fall", "last / first error")
    assert [row["case"] for row in group["rows"]] == ["fixed sampling", "fresh sampling"]
    assert [row["seeds"] for row in group["rows"]] == ["3 seeds", "one run"]
    assert [row["std"] for row in group["rows"]] == ["0.100", ""]
    assert [row["class"] for row in group["rows"]] == ["holds", "open"]
    assert group["rows"][0]["range"] == "0.400 to 0.600"
    assert (other["title"], other["rows"][0]["case"]) == ("b", "")
    assert grouped(claims({})[:0], BLOCKS) == []


@pytest.mark.parametrize(
    ("names", "links"),
    [
        ({}, ["fig3a"]),
        ({"figure": "second", "table": "ends"}, ["second", "table-ends"]),
        ({"figure": "not_drawn"}, ["fig3a"]),
        ({"source": "Fig. 5"}, []),
        ({"source": "Fig. 3"}, []),
        ({"source": "Fig. 3ab"}, []),
    ],
)
def test_a_claim_leads_to_what_it_names_or_to_the_one_figure_of_its_source(names, links):
    (group,) = grouped(claims(names), BLOCKS)
    assert [link["to"] for link in group["links"]] == links


def test_links_of_one_label_are_told_apart_by_their_rows():
    tables = [{**BLOCKS[-1], "name": name} for name in ("of_a", "of_b")]
    cases = claims({"table": "of_a"}, {"table": "of_b", "figure": "second"})
    (group,) = grouped(cases, [*BLOCKS, *tables])
    assert [link["to"] for link in group["links"]] == ["second"]
    found = [[link["to"] for link in row["links"]] for row in group["rows"]]
    assert found == [["table-of_a"], ["table-of_b"]]


def test_links_are_called_as_captions_call_their_target():
    (group,) = grouped(claims({"figure": "fig3a", "table": "ends"}), BLOCKS)
    assert [link["label"] for link in group["links"]] == ["Fig. 3a", "Ends"]
