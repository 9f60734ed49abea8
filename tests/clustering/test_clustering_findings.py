"""What is found on clustering quotes Table 1, without rows that use labels."""

import pandas as pd
from test_clustering_report import CONFIG, table1

from clustering.findings import findings, unlabelled


def test_every_data_set_has_a_sentence_and_the_papers_numbers_stand_beside_ours():
    mnist, digits = findings(table1("mnist", "digits"), CONFIG)
    assert digits == (
        "Clusters (digits, init kmeans, no label used): k-means is right for 50.0 % on "
        "group-sparse codes, 50.0 % on sparse (soft threshold) codes, 50.0 % on raw pixels, 70.0 % "
        "by the active group alone."
    )
    assert "50.0 % on group-sparse codes (paper 74.5 %)" in mnist
    assert "on raw pixels (paper 54.5 %)" in mnist


def test_what_did_not_run_is_left_out():
    table = table1("digits")
    table = table[(table.method != "sparse") & (table.features != "group")]
    (sentence,) = findings(table, CONFIG)
    assert "sparse (soft" not in sentence
    assert sentence.endswith("50.0 % on raw pixels.")


def test_raw_data_of_the_users_are_not_called_pixels():
    mine, digits = findings(table1("mine", "digits"), CONFIG, ["mine"])
    assert "50.0 % on raw data" in mine
    assert "50.0 % on raw pixels" in digits


def codes(method: str, **values: float) -> pd.DataFrame:
    """Long-form rows of codes on the data set ``mine``, the same for two seeds."""
    return pd.DataFrame(
        [
            {"dataset": "mine", "method": method, "init": "kmeans", "centered": False,
             "features": "codes", "replicate": r, "metric": metric, "value": value,
             "algorithm": "kmeans" if metric == "agreement" else "none"}
            for metric, value in values.items() for r in (0, 1)
        ]
    )  # fmt: skip


def test_without_labels_the_finding_is_what_codes_explain_and_whether_seeds_agree():
    ours = {"explained": 0.8, "active_groups": 2.1, "groups": 10, "unused_groups": 3,
            "zero_codes": 0.05}  # fmt: skip
    sparse = codes("sparse", explained=0.9, active_entries=0.25)
    table = pd.concat([codes("group_sparse", **ours, agreement=0.95), sparse])
    (sentence,) = unlabelled(table, CONFIG, ["mine"])
    assert sentence == (
        "Groups (mine, init kmeans, no labels): group-sparse codes explain 80.0 % of the variance "
        "of held-out samples with 2.1 of 10 groups active in a sample, sparse (soft threshold) "
        "codes 90.0 % with 25.0 % of their entries. 5.0 % of the samples have no active group. On "
        "average 3 groups are never active. Seeds agree on the clusters of k-means to 0.95 (1: the "
        "same)."
    )
    one_seed = pd.concat([codes("group_sparse", **ours), sparse])
    assert unlabelled(one_seed, CONFIG, ["mine"])[0].endswith("never active.")
