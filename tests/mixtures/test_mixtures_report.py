"""Tables, findings and the figure of the mixtures, and a config that contradicts itself."""

import copy
import json
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import CONFIG
from made_up import SECTION, section, table
from validate import config_errors

from evidence.checks import PIXELS
from evidence.paper import paper_table
from evidence.tables import save_table
from mixtures import plots, report, tables
from mixtures.check import inconsistencies
from mixtures.conditions import Job
from mixtures.findings import findings
from mixtures.names import METHODS
from mixtures.outcome import confusion, extremes, gaps, matched, right
from mixtures.scores import criterion, last, untrained


def test_the_last_epoch_counts_which_the_subspaces_choose_themselves():
    job = Job("digits", "joined", "subspaces", "ssc")
    scores = table()
    late = scores[(scores.method == "subspaces") & (scores.replicate == 1) & (scores.epoch > 0)]
    scores.loc[late.index, "epoch"] = 25
    assert last(scores, job, "acc").tolist() == [0.99, 0.99]
    assert untrained(scores, job, "acc").empty
    assert untrained(scores, job, "sample_acc").tolist() == [0.75, 0.75]
    assert criterion(scores, job).tolist() == [0.1, 0.1]
    assert criterion(scores, job._replace(method="group_sparse")).empty


def test_a_table_has_every_training_what_there_was_before_and_what_is_printed():
    scores = pd.concat([table(dataset="mnist"), table(dataset="mnist", protocol="held_out")])
    joined, held_out = tables.clusterings(scores)
    assert [joined["name"], held_out["name"]] == [
        "mixtures_mnist_joined", "mixtures_mnist_held_out",
    ]  # fmt: skip
    printed = paper_table("mixmate")
    trainings = sum(len(entry["starts"]) for entry in SECTION["methods"].values())
    models = trainings - len(SECTION["methods"]["subspaces"]["starts"])
    assert len(held_out["rows"]) == trainings + models
    combined = 2  # votes and energies
    assert len(joined["rows"]) == trainings + combined + models + (printed.dataset == "mnist").sum()
    rows = {(row[0], row[1]): row[2:] for row in joined["rows"]}
    assert rows["MixMate", "k-means"] == [
        "92.0 ± 0.0", "90.0 ± 0.0", "88.0 ± 0.0", "75.0 ± 0.0", "4.2000", "9600", "22.0", "no",
    ]  # fmt: skip
    before = rows["MixMate, before training", "k-means"]
    assert (before[0], before[4], before[6]) == ("70.0 ± 0.0", "9.0000", "3.0")
    assert rows["MixMate", "classes (uses labels)"][-1] == "yes"
    assert rows["MixMate", "random atoms"][3] == "–"
    assert rows["MixMate", "printed (MixMate, Table 1)"][:3] == ["92.0", "86.0", "85.0"]
    assert all(len(row) == len(joined["head"][0]) for row in joined["rows"])


def test_every_printed_method_has_a_name_and_every_share_is_one():
    printed = paper_table("mixmate")
    assert set(printed.method) <= set(METHODS)
    assert set(printed.dataset) <= set(PIXELS)
    shares = printed[["acc", "nmi", "ari"]].to_numpy()
    assert ((shares > 0) & (shares < 1) | np.isnan(shares)).all()
    assert printed.acc.notna().all()
    assert not printed[["dataset", "method"]].duplicated().any()


def test_findings_say_what_was_chosen_beforehand():
    best = {("mixmate", "class", "acc"): 1.0}
    (sentence,) = findings(table(best, "mnist"), section(datasets=["mnist"]))
    assert "(mnist, no label used but the number of classes): 96.0 % by MixMate" in sentence
    assert "94.0 % by MixMate from sparse subspace clustering (printed 92" in sentence
    assert "99.0 % by subspaces of features from sparse subspace" in sentence
    assert "100" not in sentence
    assert findings(table(dataset="mnist", protocol="held_out"), section(datasets=["mnist"])) == []


def test_the_report_is_delivered(tmp_path, monkeypatch):
    summary = tmp_path / "mixtures.csv"
    save_table(summary, table())
    files = {name: tmp_path / name for name in ("claims.csv", "section.json")}
    monkeypatch.setattr(sys, "argv", [
        "report", "--tables", str(summary), "--figures", "mixtures-digits", "--config",
        json.dumps(SECTION), "--claims", str(files["claims.csv"]), "--section",
        str(files["section.json"]),
    ])  # fmt: skip
    report.main()
    made = json.loads(files["section.json"].read_text())
    names = [block["name"] for block in made["blocks"] if block["kind"] != "text"]
    assert names == ["mixtures-digits", "mixtures_digits_joined"]
    (figure,) = (block for block in made["blocks"] if block["kind"] == "figure")
    assert "up to 8" in figure["caption"]
    assert "MixMate from subspaces of features" in figure["caption"]
    claimed = pd.read_csv(files["claims.csv"])
    assert set(claimed.table) | set(claimed.figure) <= set(names)


LABELS = np.array([7, 7, 7, 3, 3, 5])
CLUSTERS = np.array([2, 2, 0, 0, 0, 1])


def test_clusters_are_matched_to_the_classes_they_are_in():
    counts = confusion(LABELS, CLUSTERS, count=4)
    assert counts.tolist() == [[2, 0, 0, 0], [0, 1, 0, 0], [1, 0, 2, 0]]
    assert matched(counts).tolist() == [0, 1, 2, 3]
    assert right(LABELS, CLUSTERS, 4).tolist() == [True, True, False, True, True, True]


def test_fewer_clusters_than_classes_leave_a_class_wrong():
    clusters = np.array([0, 0, 0, 1, 1, 1])
    assert matched(confusion(LABELS, clusters, 2)).tolist() == [1, 0]
    assert right(LABELS, clusters, 2).tolist() == [True] * 5 + [False]


def test_gaps_and_extreme_images_are_those_of_the_energies():
    energies = np.array([[1.0, 3.0, 9.0], [5.0, 4.5, 4.0], [0.5, 2.0, 2.0], [7.0, 9.0, 8.0]])
    assert gaps(energies).tolist() == [2.0, 0.5, 1.5, 1.0]
    clusters = energies.argmin(1)
    assert [f.tolist() for f in extremes(energies, clusters, 1)] == [[2, 3], [], [1]]
    assert [f.tolist() for f in extremes(energies, clusters, 2)] == [[2, 0, 3], [], [1]]


@pytest.mark.parametrize("atoms", [3, 11])
def test_the_figure_has_four_panels_whatever_the_clusters(atoms):
    draw = np.random.default_rng(0)
    labels, energies = draw.integers(0, 4, 60), draw.uniform(1, 9, (60, 5))
    clusters = np.zeros(60, dtype=int)  # four clusters without an image
    figure = plots.mixture(
        draw.normal(size=(5, 12, atoms)), draw.uniform(size=(60, 12)), labels, clusters, energies,
        (3, 4),
    )  # fmt: skip
    assert len(figure.axes) == 5  # the colour bar is one
    atoms_drawn = figure.axes[0].images[0].get_array()
    assert atoms_drawn.shape == (5 * 4, min(atoms, plots.ATOMS) * 5)
    figure.canvas.draw()


def changed(path, value):
    """The section with one key set; ``None`` deletes it."""
    new = copy.deepcopy(SECTION)
    *parents, name = path.split(".")
    place = new
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[name]
    else:
        place[name] = value
    return new


CONTRADICTIONS = [
    ("datasets", ["kmnist"], "mixtures.settings: no entry for the data set 'kmnist'"),
    ("settings.digits.shape", [8, 9], "digits.shape: images have 64 pixels"),
    ("settings.digits.scales", 4, "digits.scales: a wavelet of scale 16 is over the image"),
    ("settings.digits.sample", 149, "digits.sample: fewer images than atoms of all clusters"),
    ("settings.digits.dimension", 101, "larger than the 100 components"),
    ("methods.mixmate.prox", None, "mixmate.prox: a method of kind mixture needs it"),
    ("methods.group_sparse.lambda", None, "lambda: a method of kind autoencoder needs it"),
    ("methods.mixmate.lambda", 1.0, "mixmate.lambda: a method of kind mixture has none"),
    ("methods.subspaces.prox", "soft", "subspaces.prox: a method of kind subspaces has none"),
    ("methods.group_sparse.settings", {"lambda": 1.0}, "settings.lambda: a method of kind auto"),
    ("methods.subspaces.settings", {"layers": 9}, "settings.layers: a method of kind subspaces"),
    ("methods.mixmate.group_size", 4, "group_size: does not divide the 15 atoms (digits)"),
    ("methods.subspaces.starts", ["ssc", "pca"], "kind subspaces cannot start from 'pca'"),
    ("methods.subspaces.starts", ["ssc", "subspaces"], "subspaces cannot start from 'subspaces'"),
    ("methods.mixmate.starts", ["nowhere"], "kind mixture cannot start from 'nowhere'"),
    ("methods.mixmate.held_out", ["subspaces"], "without labels on digits, held"),
    ("methods.subspaces.starts", ["class"], "no subspaces are learnt without labels on digits"),
    ("methods.subspaces.starts", ["class"], "subspaces must run on digits from a start without"),
    ("shown.start", "class", "mixtures.shown.start: 'class' uses labels"),
    ("methods.subspaces.replicates", 3, "subspaces.replicates: others start from all 5"),
    ("methods.subspaces.settings", {"dimension": 101}, "larger than the components of digits"),
    ("missing.datasets", ["kmnist"], "mixtures.settings: no entry for the data set 'kmnist'"),
    ("counts.datasets", ["kmnist"], "mixtures.settings: no entry for the data set 'kmnist'"),
    ("missing.method", "group_sparse", "missing.method: 'group_sparse' is no method of kind"),
    ("missing.method", "mine", "missing.method: 'mine' is no method of kind mixture"),
    ("missing.start", "class", "missing.start: 'class' is no clustering of a sample without"),
    ("missing.start", "pca", "missing.start: 'pca' is no clustering of a sample without labels"),
    ("missing.replicates", 6, "missing.replicates: digits has 5 seeds"),
    ("methods.mixmate.group_size", 4, "the group_size of mixmate does not divide the 15 atoms"),
    ("counts.replicates", 6, "counts.replicates: digits has 5 seeds"),
    ("settings.digits.components", 12, "digits.dimension: not below its components"),
    ("shown.method", "group_sparse", "shown.method: 'group_sparse' is no method of kind mixture"),
    ("shown.network", "mine", "mixtures.shown.network: 'mine' is no method of kind autoencoder"),
    ("shown.start", "any", "shown.start: mixmate must run on digits from any, joined"),
]


@pytest.mark.parametrize(("path", "value", "message"), CONTRADICTIONS)
def test_a_config_that_contradicts_itself_is_refused(path, value, message):
    assert inconsistencies({"mixtures": SECTION}) == []
    errors = inconsistencies({"mixtures": changed(path, value)})
    assert any(message in error for error in errors), errors


def test_a_study_that_is_off_is_not_checked_and_its_data_sets_are():
    study = SECTION["missing"] | {"datasets": [], "method": "mine", "replicates": 9}
    assert inconsistencies({"mixtures": SECTION | {"missing": study}}) == []
    usps = SECTION["settings"]["usps"] | {"shape": [16, 17]}
    counted = {
        "settings": SECTION["settings"] | {"usps": usps},
        "counts": SECTION["counts"] | {"datasets": ["usps"]},
    }
    (error,) = inconsistencies({"mixtures": SECTION | counted})
    assert "usps.shape: images have 256 pixels" in error


def test_a_file_of_your_own_has_images_of_any_size():
    config = {"mixtures": changed("settings.digits.shape", [8, 9])}
    assert inconsistencies(config)
    assert inconsistencies(config | {"download": {"files": {"digits": "mine.npz"}}}) == []


def test_data_without_labels_are_refused_wherever_they_are_scored():
    config = {"mixtures": SECTION, "datasets": {"digits": {"file": "mine.npz", "labels": False}}}
    errors = inconsistencies(config)
    assert [error.split(":")[0] for error in errors] == [
        "mixtures.datasets", "mixtures.missing.datasets", "mixtures.counts.datasets",
    ]  # fmt: skip
    assert inconsistencies(config | {"datasets": {"digits": {"file": "mine.npz"}}}) == []
    assert inconsistencies(config | {"datasets": {"digits": None}}) == []


def test_the_schema_takes_the_section_and_names_what_is_wrong():
    study = CONFIG | {"experiments": ["mixtures"], "mixtures": SECTION}
    assert config_errors(study) == []
    for path, value, reason in (
        ("settings.digits.atoms", 0, "minimum"),
        ("settings.digits.training", {"epochs": 5, "lr": 0.1}, "missing"),
        ("methods.mixmate.starts", ["ssk"], "ssk"),
        ("methods.mixmate.objective", "elbo", "elbo"),
        ("methods.mixmate.weight", 0, "minimum"),
        ("methods.mixmate.kind", "network", "network"),
        ("methods.mixmate.held_out", [], "non-empty"),
        ("missing.shares", [], "non-empty"),
        ("missing.shares", [1.0], "maximum"),
        ("missing.hit", 0, "minimum"),
        ("counts.clusters", [0], "minimum"),
    ):
        (error,) = config_errors(study | {"mixtures": changed(path, value)})
        assert error.startswith(f"mixtures.{path}")
        assert reason in error
