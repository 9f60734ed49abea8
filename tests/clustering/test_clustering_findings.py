"""What is found on clustering quotes Table 1, without rows that use labels."""

from test_clustering_report import CONFIG, table1

from clustering.findings import findings


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
