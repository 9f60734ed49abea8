"""Readings: what each changes, and how far it is from what the paper drew and printed."""

import pandas as pd
import pytest
import torch
from conftest import changed

from evidence.paper import MODEL
from evidence.section import table
from readings import tables
from readings.check import inconsistencies
from readings.conditions import readings
from readings.curve import supports
from readings.distance import from_curve, from_table
from readings.findings import findings

PART = {
    "networks": {
        "group": {
            "reading": {"prox": "group_soft", "lambda": 2.0},
            "changes": {"less": {"lambda": 1.0}},
        },
        "sparse": {"reading": {"prox": "relu", "lambda": 2.0}, "changes": {}},
    }
}  # fmt: skip


def test_a_reading_is_that_of_its_network_with_what_it_changes():
    assert readings(PART) == {
        ("group", "as_read"): {"prox": "group_soft", "lambda": 2.0},
        ("group", "less"): {"prox": "group_soft", "lambda": 1.0},
        ("sparse", "as_read"): {"prox": "relu", "lambda": 2.0},
    }


def test_recalls_are_shares_of_all_and_of_the_positive_entries():
    true = torch.tensor([[1.0, -1.0, 0.0], [1.0, 0.0, -1.0]])
    found = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
    assert supports(found, true) == {"entry_recall": 0.5, "positive_recall": 0.5}
    assert supports(true.relu(), true) == {"entry_recall": 0.5, "positive_recall": 1.0}


def test_a_table_says_what_a_reading_changes():
    found = readings(PART)
    as_read = found["group", "as_read"]
    assert tables.changed(found["group", "less"], as_read) == "lambda 1.0"
    assert tables.changed(as_read, as_read) == "as read"


def test_a_curve_that_is_twice_too_high_is_as_far_as_one_that_is_half():
    papers = pd.Series({20: 4.0, 40: 2.0, 60: 1.0})
    for factor in (2.0, 0.5):
        assert from_curve(factor * papers, papers) == pytest.approx((2.0, 2.0))


def test_the_largest_factor_is_that_of_the_worst_point_of_the_paper():
    papers = pd.Series({20: 4.0, 40: 2.0})
    ours = pd.Series({0: 1e9, 20: 4.0, 40: 8.0, 41: 1e9})
    assert from_curve(ours, papers) == pytest.approx((4.0, 2.0))


def test_curves_without_a_common_point_have_no_distance():
    with pytest.raises(ValueError, match="no point in common"):
        from_curve(pd.Series({1: 1.0}), pd.Series({2: 1.0}))


def test_the_distance_from_a_table_needs_every_entry_of_the_paper():
    papers = pd.Series({"a": 0.5, "b": 0.7})
    assert from_table(pd.Series({"a": 0.6, "b": 0.4, "c": 0.0}), papers) == 0.2
    with pytest.raises(ValueError, match="'b'"):
        from_table(pd.Series({"a": 0.6}), papers)


@pytest.mark.parametrize("network", ["group", "sparse"])
def test_the_papers_numbers_are_those_of_the_right_network(network):
    curve, scores = tables.paper_curve(network), tables.paper_scores(network, "mnist")
    assert curve.index.is_monotonic_increasing
    assert set(scores.index) == {
        (f, a) for f in ("codes", "codes+") for a in ("kmeans", "spectral")
    }
    assert tables.paper_recall(network) == pytest.approx(
        {"group": 0.997, "sparse": 0.78}[network], abs=1e-3
    )
    assert curve[300] == pytest.approx({"group": 6.59, "sparse": 33.18}[network], abs=0.01)


def test_the_table_of_curves_has_the_paper_and_every_reading_that_ran():
    part = {**PART, "snr_db": 1, "model": MODEL, "training": {"epochs": 300}}
    rows = []
    for network, reading, factor in (
        ("group", "as_read", 1.0),
        ("group", "less", 2.0),
        ("sparse", "as_read", 1.0),
    ):
        head = {"network": network, "reading": reading}
        curve = factor * tables.paper_curve(network)
        rows += [
            {**head, "epoch": e, "metric": "squared_error", "value": v} for e, v in curve.items()
        ]
        rows += [
            {**head, "epoch": 300, "metric": m, "value": 0.5}
            for m in ("entry_recall", "positive_recall")
        ]
    for other in ({"snr_db": 5}, {"model": MODEL | {"n": 40}}):
        elsewhere = tables.curves(pd.DataFrame(rows), part | other)["rows"]
        assert [row[8:10] for row in elsewhere] == [["–", "–"]] * 3, "no number of the paper"
    block = tables.curves(pd.DataFrame(rows), part)
    assert set(block) == set(table([[]], []))
    shown = [(row[0], row[1], row[8]) for row in block["rows"]]
    assert shown == [
        ("group", "the paper", "1"), ("group", "as read", "1.00"), ("group", "lambda 1.0", "2.00"),
        ("sparse", "the paper", "1"), ("sparse", "as read", "1.00"),
    ]  # fmt: skip


def test_findings_set_the_reading_beside_the_nearest_other_one():
    part = {**PART, "snr_db": 1, "model": MODEL, "training": {"epochs": 300}}
    rows = []
    for (network, reading), factor in zip(readings(part), (1.5, 2.0, 1.25), strict=True):
        curve = factor * tables.paper_curve(network)
        head = {"network": network, "reading": reading, "metric": "squared_error"}
        rows += [{**head, "epoch": e, "value": v} for e, v in curve.items()]
    scores = pd.DataFrame(
        [
            {"network": network, "reading": reading, "metric": "acc", "features": f, "algorithm": a,
             "value": value + (0.02 if reading == "as_read" else 0.05)}
            for network, reading in readings(part)
            for (f, a), value in tables.paper_scores(network, "mnist").items()
        ]
    )  # fmt: skip
    both = {"readings_curves": pd.DataFrame(rows), "readings_table1": scores}
    config = {"curves": part, "table1": {**part, "dataset": "mnist"}}
    curves, accuracies = findings(both, config)
    assert "group 1.50 (nearest other, less: 2.00), sparse 1.25." in curves
    assert "group 2.0 (nearest other, less: 5.0), sparse 2.0." in accuracies
    config["curves"] = part | {"snr_db": 5}
    assert findings(both, config) == [accuracies], "the paper's curves are at 1 dB"
    config["curves"] = part
    config["table1"]["dataset"] = "digits"
    assert len(findings(both, config)) == 1, "the paper has no other images"


@pytest.mark.parametrize(("labels", "errors"), [(False, 1), (True, 0)])
def test_a_table_of_accuracies_needs_labels(labels, errors):
    own = {"mine": {"file": "my.npz", "labels": labels}}
    config = changed("readings.table1.dataset", "mine") | {"datasets": own}
    found = inconsistencies(config)
    assert len(found) == errors
    assert all("'mine' has no labels" in line for line in found)


def test_a_change_of_what_a_reading_does_not_have_is_refused():
    model = {
        "n": 9,
        "groups": 3,
        "group_size": 2,
        "active_groups": 1,
        "samples": 9,
        "amplitude": [1, 2],
    }
    wrong = {
        "networks": {
            "group": {"reading": {"prox": "soft"}, "changes": {"a": {"step": 1}, "as_read": {}}}
        }
    }
    config = {"readings": {"curves": {**wrong, "model": model}, "table1": {"networks": {}}}}
    place = "readings.curves.networks.group.changes"
    assert inconsistencies(config) == [
        f"{place}.as_read: this name belongs to the reading itself",
        f"{place}.a: ['step'] is not in its reading",
    ]
