"""What is found on recovery quotes the table of scores."""

import pytest
from test_recovery_report import CONFIG, evaluated

from recovery.findings import findings


def test_findings_quote_recall_at_all_levels_and_errors_at_the_level_shown():
    table = evaluated()
    final = table.stage == "final"
    table.loc[final & (table.metric == "entry_recall") & (table.snr == 5), "value"] = 0.75
    table.loc[final & (table.metric == "squared_error") & (table.method == "sparse"), "value"] = 9
    table.loc[table.sampling == "fixed", "value"] = 99.0
    supports, dictionary = findings(table, CONFIG["shown"])
    assert supports.startswith("Supports (fresh samples every epoch, 1 to 5 dB): group-sparse")
    assert "finds 60.0 to 75.0 % of the active entries, sparse (soft threshold) 60.0" in supports
    assert "starts at 6; group-sparse ends at 6, sparse (soft threshold) at 9." in dictionary
    assert "oracle" not in supports + dictionary


def test_a_one_sided_method_is_told_by_the_positive_entries_too():
    table = evaluated()
    final = (table.stage == "final") & (table.method == "sparse")
    table.loc[final & (table.metric == "positive_recall"), "value"] = 0.9
    supports, _ = findings(table, CONFIG["shown"], one_sided=["sparse"])
    assert supports.endswith("60.0 % (90.0 % of the positive ones, all that it can find).")
    assert "positive" not in findings(table, CONFIG["shown"])[0]


@pytest.mark.parametrize("sampling", ["fresh", "fixed"])
def test_one_sampling_and_one_level_are_enough(sampling):
    table = evaluated()
    table = table[(table.sampling == sampling) & (table.snr == 1)]
    supports, _ = findings(table, CONFIG["shown"])
    assert ("one data set" in supports) == (sampling == "fixed")
    assert ", 1 dB)" in supports
