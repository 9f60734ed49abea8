"""What clustering delivers to the report: Table 1 in three forms, captions, warnings."""

import json

import pandas as pd
import pytest

from clustering import captions, report
from clustering.supervision import uses_labels
from clustering.tables import (
    accuracies,
    against_epochs,
    averaged,
    every_score,
    over_lambda,
    summary,
    unscored,
)
from clustering.words import question
from evidence.tables import save_table

CONFIG = {
    "shown": {"method": "group_sparse", "baseline": "sparse", "init": "kmeans",
              "distances_per_class": 20, "silhouettes": []},
    "settings": {name: {"groups": 10, "group_size": 2, "training": {"epochs": 6}}
                 for name in ("mnist", "digits")},
    "methods": {"group_sparse": {}, "sparse": {"training": {"epochs": 3}}},
    "replicates": 2,
    "average": {"snapshots": 3, "every": 5},
    "convergence": {"methods": []},
    "sweep": {"lambda": [], "normalize": []},
}  # fmt: skip


def table1(*datasets: str, std: float = 0.01, inits=("random", "kmeans", "class")) -> pd.DataFrame:
    """Table 1 with accuracies 0.5 (k-means), 0.6 (spectral) and 0.7 (the active group)."""
    rows = [("raw", "none", "raw", a, False) for a in ("kmeans", "spectral")]
    rows += [
        ("chance", "none", "random", "none", False),
        ("oracle", "none", "labels", "none", False),
    ]
    for init in inits:
        for centered in (False, True):
            rows += [("group_sparse", init, "codes", a, centered) for a in ("kmeans", "spectral")]
            rows.append(("group_sparse", init, "group", "argmax", centered))
    rows += [("sparse", "kmeans", "codes", a, False) for a in ("kmeans", "spectral")]
    accuracy = {"kmeans": 0.5, "spectral": 0.6, "argmax": 0.7, "none": 0.1}
    table = pd.DataFrame(
        [
            {
                "dataset": dataset, "method": method, "init": init, "centered": centered,
                "features": features, "algorithm": algorithm, "replicates": 2,
                **{f"{m}_mean": accuracy[algorithm] for m in ("acc", "nmi", "ari")},
                **{f"{m}_std": std for m in ("acc", "nmi", "ari")},
            }
            for dataset in datasets
            for method, init, features, algorithm, centered in rows
        ]
    )  # fmt: skip
    return table.assign(uses_labels=uses_labels(table))


BOTH = "50.0 ± 1.0 / 60.0 ± 1.0"


def test_the_summary_sets_the_shown_init_beside_the_paper():
    block = summary(table1("mnist", "digits"), CONFIG)
    assert block["head"] == [["method", "features", "mnist", "mnist in the paper", "digits"]]
    assert block["rows"] == [
        ["raw pixels", "raw", BOTH, "54.5 / 63.0", BOTH],
        ["chance", "random", "10.0 ± 1.0", "–", "10.0 ± 1.0"],
        ["group-sparse", "codes", BOTH, "74.5 / 79.4", BOTH],
        ["group-sparse", "active group", "70.0 ± 1.0", "–", "70.0 ± 1.0"],
        ["sparse (soft threshold)", "codes", BOTH, "54.1 / 55.5", BOTH],
    ]
    assert "init kmeans" in block["caption"]
    assert (
        "; mnist, 6 epochs, mean ± standard deviation of 2 replicates; sparse (soft threshold): "
        "3 epochs, 2 replicates (the paper: 300 epochs); digits, 6 epochs" in block["caption"]
    )


def test_what_one_data_set_lacks_is_a_dash_there():
    table = table1("mnist", "digits")
    table = table[~((table.dataset == "digits") & (table.method == "sparse"))]
    assert summary(table, CONFIG)["rows"][-1][-1] == "–"


def widths(block) -> set[int]:
    """Places in each row of a table, which must be equal."""

    def width(row):
        return sum(cell.get("span", 1) if isinstance(cell, dict) else 1 for cell in row)

    first = block["head"][0]
    rows = [first, *block["rows"]]
    return {width(row) for row in rows}


def test_table_1_has_a_column_for_every_init_and_algorithm():
    table = table1("mnist", "digits")
    mnist, digits = accuracies(table[~table.uses_labels])
    assert [cell["text"] for cell in mnist["head"][0][3:]] == [
        "init random",
        "init kmeans",
        "paper",
    ]
    assert [cell["text"] for cell in digits["head"][0][3:]] == ["init random", "init kmeans"]
    assert widths(mnist) == {3 + 6}
    assert widths(digits) == {3 + 4}
    rows = {tuple(row[:3]): row[3:] for row in mnist["rows"]}
    pixels = {"text": "k-means 50.0 ± 1.0, spectral 60.0 ± 1.0", "span": 4}
    assert rows["raw pixels", "raw", "–"] == [pixels, "54.5", "63.0"]
    active = {"text": "70.0 ± 1.0", "span": 2}
    assert rows["group-sparse", "active group", "no"] == [active, active, "", ""]
    absent = {"text": "–", "span": 2}
    scores = [{"text": "50.0 ± 1.0", "span": 1}, {"text": "60.0 ± 1.0", "span": 1}]
    assert rows["sparse (soft threshold)", "codes", "no"] == [absent, *scores, "54.1", "55.5"]
    assert ("group-sparse", "codes", "yes") in rows


def test_rows_that_use_labels_have_a_table_of_their_own():
    table = table1("digits")
    (own,) = accuracies(table[table.uses_labels], ", using labels")
    assert own["caption"] == "ACC (%) on digits, using labels"
    assert own["rows"][0] == [
        "oracle",
        "labels",
        "–",
        {"text": "10.0 ± 1.0", "span": 2},
    ]
    assert widths(own) == {5}


def test_without_an_init_that_uses_labels_the_oracle_has_a_column():
    table = table1("digits", inits=["kmeans"])
    (own,) = accuracies(table[table.uses_labels])
    assert own["rows"] == [["oracle", "labels", "–", {"text": "10.0 ± 1.0", "span": 2}]]
    assert widths(own) == {5}


def test_a_control_of_own_data_has_its_scores_below_every_init():
    table = table1("mine", inits=["random", "kmeans"])
    (block,) = accuracies(table[~table.uses_labels], own=["mine"])
    rows = {row[0]: row[3:] for row in block["rows"]}
    scores = [{"text": "50.0 ± 1.0", "span": 1}, {"text": "60.0 ± 1.0", "span": 1}]
    assert rows["raw data"] == scores * 2
    assert rows["chance"] == [{"text": "10.0 ± 1.0", "span": 2}] * 2
    assert widths(block) == {3 + 4}


@pytest.mark.parametrize(
    ("epochs", "other", "words"),
    [
        (11, 11, "means over the last 3 dictionaries of a training, 5 epochs apart"),
        (8, 8, "means over the last 2 dictionaries of a training, 5 epochs apart"),
        (12, 3, "means over the last 1 to 3 dictionaries of a training, 5 epochs apart"),
        (5, 5, "those of the last dictionary of a training"),
    ],
)
def test_scores_are_averaged_over_no_more_dictionaries_than_there_are(epochs, other, words):
    settings = {"group_size": 2, "training": {"epochs": epochs}}
    settings = {"default": settings, "other": {"training": {"epochs": other}}}
    methods = {"group_sparse": {}, "sparse": {}}
    config = CONFIG | {"settings": settings, "methods": methods}
    assert averaged(table1("mine", "other"), config) == words


@pytest.mark.parametrize(
    ("epochs", "words"),
    [(3, " (sparse (soft threshold): the last)"), (9, " (sparse (soft threshold): the last 2)"),
     (11, ""), (20, "")],
)  # fmt: skip
def test_a_shorter_training_is_an_exception_to_how_scores_are_averaged(epochs, words):
    settings = {"default": {"group_size": 2, "training": {"epochs": 50}}}
    methods = {"group_sparse": {}, "sparse": {"training": {"epochs": epochs}}}
    config = CONFIG | {"settings": settings, "methods": methods}
    usual = "means over the last 3 dictionaries of a training, 5 epochs apart"
    assert averaged(table1("mine"), config) == usual + words


def test_agreement_has_a_spread_from_three_seeds_on():
    for seeds, shown in ((2, "0.500"), (3, "0.500 ± 0.000")):
        table = pd.DataFrame(
            [
                {"dataset": "mine", "method": "group_sparse", "init": "pca", "centered": False,
                 "features": "codes", "algorithm": algorithm, "replicate": r, "metric": metric,
                 "value": 0.5}
                for r in range(seeds)
                for algorithm, metric in (("kmeans", "agreement"), ("none", "explained"))
            ]
        )  # fmt: skip
        (block,) = unscored(table, ["mine"])
        assert block["rows"][0][6] == shown
        assert block["rows"][0][2] == "50.0 ± 0.0", "this is measured of every seed"


@pytest.mark.parametrize(("std", "count"), [(float("nan"), 1), (0.01, 2)])
def test_a_spread_is_shown_where_there_is_one(std, count):
    table = table1("mnist", std=std).assign(replicates=count)
    blocks = [
        summary(table, {**CONFIG}),
        *accuracies(table),
        every_score(table),
    ]
    words = json.dumps(blocks, ensure_ascii=False)
    assert ("50.0 ± 1.0" in words) == (count > 1)
    assert ("0.500 ± 0.010" in words) == (count > 1)
    assert ("one run" in words) == (count == 1)
    assert "nan" not in words


def test_every_score_is_folded():
    block = every_score(table1("digits"))
    assert block["folded"]
    assert len(block["rows"]) == len(table1("digits"))
    assert {len(row) for row in [*block["head"], *block["rows"]]} == {10}


def test_captions_name_data_and_replicates():
    table = table1("mnist")
    assert captions.caption("fig5-mnist", CONFIG, table) == (
        "Fig. 5: pairwise distances of 20 test samples per class, sorted by class. Data: mnist; "
        "init kmeans; first replicate."
    )
    assert captions.caption("table1-mnist", CONFIG, table).endswith("Data: mnist; 2 replicates.")
    single = captions.caption("table1-mnist", CONFIG, table.assign(replicates=1))
    assert single.endswith("Data: mnist; one run.")
    assert captions.caption("sweep-mnist", CONFIG, table).endswith("Data: mnist; init kmeans.")


def test_captions_of_own_data_name_no_figure_of_the_paper_and_no_image():
    table = table1("mine")
    for kind, begin in (
        ("fig5", "Pairwise distances of 20"), ("table1", "The scores as a figure"),
        ("members", "What the groups stand for"), ("convergence", "Are the epochs of the scores"),
    ):  # fmt: skip
        words = captions.caption(f"{kind}-mine", CONFIG, table, ["mine"])
        assert words.startswith(begin)
        assert "paper" not in words
    tables = {
        "clustering": scores(active_groups=1.5, class_contrast=1.0).assign(dataset="mine"),
        "table1": table,
    }
    config = CONFIG | {"settings": {"default": {"groups": 10}}}
    said = [
        captions.conclusion(f"{kind}-mine", config, tables, ["mine"])
        for kind in ("fig4", "fig5", "table1")
    ]
    assert said[0].endswith("are active in a test sample.")
    assert all("raw data" in words for words in said[1:])
    assert "pixel" not in "".join(said)


def test_the_second_figure_of_members_does_not_repeat_what_is_drawn():
    table = table1("mine")
    first, second = (captions.caption(f"members-{n}", CONFIG, table, ["a", "b"]) for n in "ab")
    assert "clusters.csv" in first
    assert second == (
        "What the groups stand for, drawn as for a. Data: b; init kmeans; first replicate."
    )


def test_the_question_is_that_of_the_labels_there_are():
    by_class, groups = "cluster by class in their codes?", "What do the groups"
    assert question(["a"], [], "image") == f"Do images {by_class}"
    assert question(["a"], ["a"], "sample").startswith(groups)
    both = question(["a", "b"], ["b"], "sample")
    assert both.startswith(f"Do labelled samples {by_class} {groups}")


@pytest.mark.parametrize(("inits", "shown"), [(["kmeans", "class"], True), (["kmeans"], False)])
def test_rows_that_use_labels_are_left_out_where_they_are_the_labels_alone(inits, shown):
    blocks = report.scored(table1("mine", inits=inits), OWN, ["mine"], True)
    captions = [block.get("caption", "") for block in blocks]
    assert ("ACC (%) on mine, using labels" in captions) == shown
    assert any("Reference rows" in block.get("html", "") for block in blocks) == shown


def scores(**values: float) -> pd.DataFrame:
    """The long table of codes of group_sparse on mnist, and of what has the better contrast."""
    rows = [
        {"dataset": "mnist", "method": method, "init": init, "centered": False,
         "features": features, "algorithm": "none", "replicate": r, "metric": m, "value": v + r}
        for method, init, features in (("group_sparse", "kmeans", "codes"), ("raw", "none", "raw"))
        for m, v in values.items() for r in (0, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_figure_says_what_it_shows_in_numbers():
    convergence = pd.DataFrame(
        [{"dataset": "mnist", "method": "group_sparse", "metric": "acc_kmeans", "epoch": epoch,
          "replicate": 0, "value": value} for epoch, value in ((0, 0.1), (5, 0.6), (10, 0.7))]
    )  # fmt: skip
    sweep = pd.DataFrame(
        [{"dataset": "mnist", "normalize": unit, "lambda": value, "metric": metric, "value": v}
         for unit, value, active, acc in
         ((True, 1.0, 8.0, 0.5), (True, 5.0, 2.0, 0.7),
          (False, 1.0, 9.0, 0.4), (False, 5.0, 7.0, 0.5))
         for metric, v in (("active_groups", active), ("acc_argmax", acc))]
    )  # fmt: skip
    tables = {
        "clustering": scores(active_groups=1.5, class_contrast=1.0),
        "table1": table1("mnist", "digits"),
        "clustering_convergence": convergence,
        "clustering_sweep": sweep,
    }
    said = {
        "fig4": "On average 2 of 10 groups are active in a test image.",
        "fig5": "Mean distance between classes over that within: group-sparse 1.5, raw pixels 1.5.",
        "table1": "Accuracy of k-means from init kmeans: group-sparse 50.0 %, sparse (soft "
        "threshold) 50.0 %, raw pixels 50.0 %.",
        # Table 1 has the dictionary after six epochs.
        "convergence": "Accuracy of k-means against epochs: group-sparse 60.0 % after 5, 70.0 % "
        "after 10.",
        "sweep": "Accuracy of the active group, free atoms: 40.0 % with 9 active groups at the "
        "least penalty, 50.0 % with 7 at the largest; unit atoms: 50.0 % with 8 active groups at "
        "the least penalty, 70.0 % with 2 at the largest.",
        "silhouettes": "",
    }
    assert {k: captions.conclusion(f"{k}-mnist", CONFIG, tables) for k in said} == said


def test_accuracy_against_epochs_has_a_row_per_method_and_algorithm():
    rows = [
        {"dataset": "mnist", "method": "m", "metric": metric, "epoch": epoch, "replicate": r,
         "value": 0.5 + epoch / 100 + sign * 0.01}
        for metric in ("loss", "acc_kmeans", "acc_argmax")
        for epoch in (0, 10) for r, sign in ((0, -1), (1, 1))
    ]  # fmt: skip
    (block,) = against_epochs(pd.DataFrame(rows))
    assert block["head"] == [["method", "clustering", "0", "10"]]
    assert block["rows"][0] == ["m", "k-means", "50.0 ± 1.4", "60.0 ± 1.4"]
    assert [row[1] for row in block["rows"]] == ["k-means", "active group"]
    assert against_epochs(None) == over_lambda(None) == []


def test_a_penalty_can_be_chosen_without_the_columns_that_use_labels():
    metrics = {
        "active_groups": 2.0, "explained": 0.8, "loss": 3.0, "acc_argmax": 0.5, "acc_kmeans": 0.6,
    }  # fmt: skip
    sweep = pd.DataFrame(
        [{"dataset": "mnist", "normalize": True, "lambda": 1.0, "replicate": r, "metric": metric,
          "value": value} for r in (0, 1) for metric, value in metrics.items()]
    )  # fmt: skip
    (block,) = over_lambda(sweep)
    assert block["head"][0][2:] == [
        "active groups", "explained", "loss", "ACC active group", "ACC k-means",
    ]  # fmt: skip
    assert block["rows"][0][3] == "80.0 ± 0.0"
    assert "ACC uses labels and only judges" in block["caption"]
    (earlier,) = over_lambda(sweep[sweep.metric != "explained"])
    assert "explained" not in earlier["head"][0], "of a run that did not measure it"


def test_the_section_warns_of_codes_that_are_all_active(tmp_path, monkeypatch):
    sparsity = {"active_entries": 0.3, "zero_codes": 0.0, "active_groups": 10.0}
    codes = pd.DataFrame(
        [
            {"dataset": "digits", "method": "group_sparse", "init": "kmeans", "centered": False,
             "features": "codes", "algorithm": "none", "replicate": r, "metric": m, "value": v}
            for m, v in sparsity.items() for r in (0, 1)
        ]
    )  # fmt: skip
    codes = pd.concat([codes, codes.assign(features="group", metric="acc", value=0.5)[:1]])
    save_table(tmp_path / "clustering.csv", codes)
    save_table(tmp_path / "table1.csv", table1("digits"))
    monkeypatch.setattr(report, "collect", lambda *arguments: pd.DataFrame({"claim": []}))
    arguments = [
        "--tables", str(tmp_path / "clustering.csv"), str(tmp_path / "table1.csv"),
        "--figures", "fig4-digits", "--config", json.dumps(CONFIG),
        "--claims", str(tmp_path / "claims.csv"), "--section", str(tmp_path / "section.json"),
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["report.py", *arguments])
    report.main()
    section = json.loads((tmp_path / "section.json").read_text())
    (warning,) = section["warnings"]
    assert "all 10 groups are active" in warning
    assert [b["name"] for b in section["blocks"] if b["kind"] == "figure"] == ["fig4-digits"]


def section_of(tmp_path, monkeypatch, datasets: list[str], config: dict, labelled: bool) -> dict:
    """The section of a run on own data sets, with labels or without."""
    values = {"explained": 0.8, "active_groups": 2, "groups": 10, "unused_groups": 1,
              "active_entries": 0.3, "zero_codes": 0.0}  # fmt: skip
    codes = pd.DataFrame(
        [
            {"dataset": dataset, "method": method, "init": init, "centered": False,
             "features": features, "algorithm": "none", "replicate": 0, "metric": m, "value": v}
            for dataset in datasets
            for method, init, features in (
                ("group_sparse", "kmeans", "codes"), ("sparse", "kmeans", "codes"),
                ("raw", "none", "raw"),
            )
            for m, v in values.items()
        ]
    )  # fmt: skip
    save_table(tmp_path / "clustering.csv", codes)
    tables = [str(tmp_path / "clustering.csv")]
    if labelled:
        save_table(tmp_path / "table1.csv", table1(*datasets))
        tables.append(str(tmp_path / "table1.csv"))
    arguments = [
        "--tables", *tables, "--figures", *(f"members-{name}" for name in datasets),
        "--config", json.dumps(config), "--claims", str(tmp_path / "claims.csv"),
        "--section", str(tmp_path / "section.json"),
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["report.py", *arguments])
    report.main()
    return json.loads((tmp_path / "section.json").read_text())


OWN = CONFIG | {
    "settings": {"default": {"groups": "auto", "group_size": 2, "training": {"epochs": 6}}},
    "convergence": {"methods": ["group_sparse"]},
    "sweep": {"lambda": [1.0], "normalize": [True]},
}


@pytest.mark.parametrize(
    ("labelled", "question", "finding"),
    [
        (True, "Do samples cluster by class in their codes?", "Clusters (mine, "),
        (False, "What do the groups of the codes stand for", "Groups (mine, "),
    ],
)
def test_the_section_of_own_data_speaks_of_samples(
    tmp_path, monkeypatch, labelled, question, finding
):
    section = section_of(tmp_path, monkeypatch, ["mine"], OWN, labelled)
    assert section["title"] == "Clustering"
    assert section["question"].startswith(question)
    (found,) = section["findings"]
    assert found.startswith(finding)
    (figure,) = (block for block in section["blocks"] if block["kind"] == "figure")
    assert figure["key"] != labelled, "scores are on top of the page where there are any"
    words = json.dumps(section, ensure_ascii=False)
    for foreign in ("image", "pixel", "paper", "Sec. 4.2", "Table 1"):
        assert foreign not in words, foreign


def test_the_page_says_which_data_have_no_longer_trainings_and_no_sweep(tmp_path, monkeypatch):
    def left_out(config, labelled=False):
        section = section_of(tmp_path, monkeypatch, ["mine"], config, labelled)
        return [b["html"] for b in section["blocks"] if "leave out" in b.get("html", "")]

    (words,) = left_out(OWN)
    assert "They leave out mine" in words
    assert left_out(OWN, labelled=True) == []
    off = {"convergence": {"methods": []}, "sweep": {"lambda": [], "normalize": [True]}}
    assert left_out(OWN | off) == []
    elsewhere = {"datasets": ["digits"]}
    assert left_out(OWN | {key: OWN[key] | elsewhere for key in ("convergence", "sweep")}) == []
