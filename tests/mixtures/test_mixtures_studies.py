"""Claims, tables, findings and figures of missing pixels and of the number of clusters."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from claim_rows import row_of
from made_up import SECTION, section, table
from made_up_studies import COUNTS, counts_table, missing_table

from evidence.claims import claims_of, collect
from evidence.tables import save_table
from mixtures import (
    counts_claims,
    counts_section,
    curve_plots,
    curves,
    missing_claims,
    missing_section,
    report,
)
from mixtures.conditions import FILLINGS, datasets, of_missing
from mixtures.counted import chosen, classes

HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
UNDECIDED, ONE_RUN = "undecided", "one run"


def of_holes(changes=(), **options):
    tables = {"mixtures_missing": missing_table(changes, **options)}
    return collect(missing_claims, tables, {})


def of_numbers(changes=(), **options):
    return collect(counts_claims, {"mixtures_counts": counts_table(changes, **options)}, {})


# Two equal seeds have an interval of no width; unequal ones, one of nine standard deviations.
ZEROS, MEANS = "Masks cluster & 25 % & zeros", "Masks cluster & 50 % & means"
COST = "a quarter of the pixels"
ERRORS = "Masks in-paint & 25 % & zeros"
HOLES = [
    (ZEROS, {}, HOLDS),
    (ZEROS, {(0.25, "masks", "acc"): 0.905}, FAILED),
    (ZEROS, {(0.25, "masks", "acc"): 0.89}, FAILED),
    (ZEROS, {(0.25, "masks", "acc"): [0.95, 0.9]}, UNDECIDED),
    (MEANS, {}, HOLDS),
    (MEANS, {(0.5, "means", "acc"): 0.895}, FAILED),
    (MEANS, {(0.5, "means", "acc"): 0.95}, FAILED),
    (COST, {}, HOLDS),
    (COST, {(0.25, "masks", "acc"): 0.9}, PARTLY),
    (COST, {(0.25, "masks", "acc"): 0.88}, FAILED),
    (COST, {(0.0, "masks", "acc"): 0.9}, HOLDS),
    (ERRORS, {}, HOLDS),
    (ERRORS, {(0.25, "masks", "inpainting"): 0.78}, PARTLY),
    (ERRORS, {(0.25, "masks", "inpainting"): 0.9}, FAILED),
    (ERRORS, {(0.25, "masks", "inpainting"): [0.5, 0.9]}, UNDECIDED),
]
AGREE, ENERGY = "two halves agree most", "the held-out free energy is least"
NUMBERS = [
    (AGREE, {}, HOLDS),
    (AGREE, {(9, "agreement"): 0.99}, PARTLY),
    (AGREE, {(8, "agreement"): 0.99}, FAILED),
    (AGREE, {(9, "agreement"): [0.99, 0.5]}, PARTLY),
    (ENERGY, {}, HOLDS),
    (ENERGY, {(9, "free_energy"): 90.0}, PARTLY),
    (ENERGY, {(12, "free_energy"): 90.0}, FAILED),
    (ENERGY, {(12, "free_energy"): [90.0, 200.0]}, FAILED),  # a count: no seed may miss it
]


@pytest.mark.parametrize(("name", "changes", "verdict"), HOLES)
def test_each_verdict_on_missing_pixels_can_come_out(name, changes, verdict):
    assert row_of(of_holes(changes), name).verdict == verdict


@pytest.mark.parametrize(("name", "changes", "verdict"), NUMBERS)
def test_each_verdict_on_the_number_of_clusters_can_come_out(name, changes, verdict):
    assert row_of(of_numbers(changes), name).verdict == verdict


def test_no_claim_is_left_without_a_test():
    for module, cases, found in (
        (missing_claims, HOLES, of_holes()), (counts_claims, NUMBERS, of_numbers()),
    ):  # fmt: skip
        tested = {row_of(found, name).claim for name, _, _ in cases}
        assert tested == set(found.claim)
        assert len(tested) >= len(claims_of(module))
        assert not found.paper.any()
        assert set(found.source) == {"not in the paper"}


def test_masks_are_compared_with_each_filling_at_each_share():
    found = of_holes()
    assert len(found) == 2 * 2 + 1 + 2 * 2, "shares times fillings, twice, and the cost"
    assert "0.940 against 0.900" in row_of(found, ZEROS).reason
    assert row_of(found, COST).statistic.endswith(
        "that with 25 % of the pixels of 90 % of the images missing"
    )


def test_nothing_is_claimed_of_complete_images_alone_or_without_a_quarter():
    holes = missing_table()
    alone = collect(missing_claims, {"mixtures_missing": holes[holes.share == 0]}, {})
    assert alone.empty
    half = collect(missing_claims, {"mixtures_missing": holes[holes.share != 0.25]}, {})
    assert not half.claim.str.contains("a quarter").any()
    # No complete images to compare with.
    some = collect(missing_claims, {"mixtures_missing": holes[holes.share > 0]}, {})
    assert not some.claim.str.contains("a quarter").any()
    assert len(some) == 8


@pytest.mark.parametrize("found", [of_holes(replicates=1), of_numbers(replicates=1)])
def test_one_seed_gets_no_verdict(found):
    assert set(found.verdict) == {ONE_RUN}


def test_a_rule_chooses_a_number_for_each_seed_and_of_equals_the_smallest():
    numbers = counts_table({(9, "agreement"): [0.99, 0.95], (9, "free_energy"): [105.0, 100.0]})
    assert chosen(numbers, "digits", "agreement").tolist() == [9, 9]
    assert chosen(numbers, "digits", "free_energy").tolist() == [10, 9]
    assert classes(numbers, "digits") == 10
    assert row_of(of_numbers({(9, "agreement"): [0.99, 0.5]}), AGREE).reason.endswith(
        "found: 9, 10"
    )


def test_a_seed_in_which_a_number_was_not_measured_chooses_none():
    numbers = counts_table({(9, "free_energy"): [float("nan"), 105.0]})
    assert chosen(numbers, "digits", "free_energy").to_dict() == {1: 10}


TABLES = {"mixtures_missing": missing_table(), "mixtures_counts": counts_table()}
FIGURES = ["mixtures-digits", "mixtures_missing-digits", "mixtures_counts-digits"]


def test_the_table_of_missing_pixels_has_a_row_for_each_share_and_filling():
    figure, holes, words = missing_section.blocks(TABLES, FIGURES, SECTION)
    assert figure["name"] == "mixtures_missing-digits"
    assert "MixMate from sparse subspace clustering; 90 % of the images" in figure["caption"]
    assert holes["name"] == "mixtures_missing_digits"
    assert [row[:3] + row[5:] for row in holes["rows"][:2]] == [
        ["0 %", "nothing is missing", "95.0 ± 0.0", "–", "20.0"],
        ["25 %", "masks", "94.0 ± 0.0", "0.400 ± 0.000", "20.0"],
    ]
    assert len(holes["rows"]) == 7
    assert all(len(row) == len(holes["head"][0]) for row in holes["rows"])
    assert "90 % of the images" in words["html"]


def test_the_table_of_counts_says_which_seeds_choose_a_number_and_what_uses_labels():
    _, numbers, _ = counts_section.blocks(TABLES, FIGURES, SECTION)
    rows = {row[0]: row[1:] for row in numbers["rows"]}
    assert list(rows) == [str(count) for count in COUNTS]
    assert rows["10"][:4] == ["100.00 ± 0.00", "2", "0.950 ± 0.000", "2"]
    assert rows["10"][4:] == ["90.0 ± 0.0", "90.0 ± 0.0"]
    assert rows["9"][1] == rows["9"][3] == "0"
    assert [h for h in numbers["head"][0] if "labels" in h] == numbers["head"][0][-2:]


def test_studies_that_were_not_made_leave_no_block_and_no_finding():
    for study in (missing_section, counts_section):
        assert study.blocks({}, [], SECTION) == study.findings({}, SECTION) == []
    drawn = [b["kind"] for b in counts_section.blocks(TABLES, [], SECTION)]
    assert drawn == ["table", "text"], "no figure without its file"


def test_findings_have_the_least_share_and_the_numbers_of_all_seeds():
    (sentence,) = missing_section.findings(TABLES, SECTION)
    assert sentence == (
        "Images in the right cluster where 90 % of them (digits) miss 25 % of their pixels, by "
        "MixMate: 94.0 % with masks, 90.0 % with zeros filled in, 92.0 % with means of pixels "
        "filled in, 95.0 % with nothing missing."
    )
    (sentence,) = counts_section.findings(TABLES, SECTION)
    assert "(digits, which has 10 classes): 10, 10 where two halves agree most; " in sentence
    assert sentence.endswith("10, 10 where the held-out free energy is least.")


def test_the_report_delivers_the_studies_after_the_trainings(tmp_path, monkeypatch):
    for name, each in {"mixtures": table(), **TABLES}.items():
        save_table(tmp_path / f"{name}.csv", each)
    monkeypatch.setattr(sys, "argv", [
        "report", "--tables", *(str(path) for path in sorted(tmp_path.glob("*.csv"))),
        "--figures", *FIGURES, "--config", json.dumps(SECTION), "--claims",
        str(tmp_path / "claims.csv"), "--section", str(tmp_path / "section.json"),
    ])  # fmt: skip
    report.main()
    made = json.loads((tmp_path / "section.json").read_text())
    names = [block["name"] for block in made["blocks"] if block["kind"] != "text"]
    assert names == [
        "mixtures-digits", "mixtures_digits_joined", "mixtures_missing-digits",
        "mixtures_missing_digits", "mixtures_counts-digits", "mixtures_counts_digits",
    ]  # fmt: skip
    claimed = pd.read_csv(tmp_path / "claims.csv")
    assert set(claimed.table) | set(claimed.figure) == set(names)
    assert len(made["findings"]) == 3


def test_each_filling_is_a_line_that_begins_where_nothing_is_missing():
    figure = curve_plots.missing(missing_table({(0.25, "masks", "acc"): [0.94, 0.9]}))
    acc, error = figure.axes
    assert [line.get_xdata().tolist() for line in acc.lines] == [[0, 0.25, 0.5]] * len(FILLINGS)
    assert np.allclose(acc.lines[0].get_ydata(), [0.95, 0.92, 0.9])
    assert [line.get_xdata().tolist() for line in error.lines] == [[0.25, 0.5]] * len(FILLINGS)
    band = acc.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0.9, 0.95), "the range of the seeds"
    figure.canvas.draw()


def test_the_figure_of_counts_marks_the_classes_and_what_uses_labels():
    figure = curve_plots.counts(counts_table())
    for ax in figure.axes:
        values, mark = ax.lines
        assert values.get_xdata().tolist() == list(COUNTS)
        assert set(mark.get_xdata()) == {10}
    assert "labels" in figure.axes[2].get_title()
    assert figure.axes[1].lines[0].get_ydata().max() == 0.95
    figure.canvas.draw()


@pytest.mark.parametrize("study", ["missing", "counts"])
def test_a_figure_is_drawn_from_the_rows_of_its_data_set(study, tmp_path, monkeypatch):
    make = missing_table if study == "missing" else counts_table
    both = pd.concat([make(), make(dataset="mnist")])
    save_table(tmp_path / "summary.csv", both)
    output = tmp_path / f"mixtures_{study}-mnist.png"
    monkeypatch.setattr(sys, "argv", [
        "curves", f"--{study}", str(tmp_path / "summary.csv"), "--dataset", "mnist", "--output",
        str(output),
    ])  # fmt: skip
    curves.main()
    assert output.stat().st_size > 5000


def test_the_data_sets_of_the_studies_count_too():
    study = {"datasets": ["usps"], "shares": [0.0, 0.5]}
    both = section(missing=study, counts={"datasets": ["mnist", "digits"]})
    assert datasets(both) == ["digits", "usps", "mnist"]
    assert of_missing(both) == [("usps", 0.0), ("usps", 0.5)]
