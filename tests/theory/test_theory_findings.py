"""Findings and conclusions of the theory quote what the tables hold."""

import pandas as pd
import pytest
from test_theory_claims import grid, training

from evidence.claims import collect
from theory import claims
from theory.findings import conclusion, findings

FIGURES = ("theory_constants", "theory_gradients", "theory_support")
TABLES = {
    "theory": training(),
    "theory_sweep": grid({"lemma1_inside": [[[0.0], [1.0]], [[1.0], [1.0]]]}),
}
TABLES = {name: table.assign(experiment=name) for name, table in TABLES.items()}


def test_findings_count_verdicts_and_quote_the_theorem():
    rows = collect(claims, TABLES, {})
    first, second = findings(TABLES, rows)
    tests = rows[rows.paper & (rows.verdict != "outside the assumptions")]
    assert f"{len(tests)} tests" in first
    assert "6 of 6 points of the sweep as printed, at 8 of 8 with d μ_B" in first
    assert "is 0.5 to 0.5 at" in second


def test_conclusions_have_numbers():
    assert "lowers ‖A − A*‖² in 1 of 1 regimes" in conclusion("theory_constants", TABLES)
    assert "10% to 10% away" in conclusion("theory_gradients", TABLES)
    assert "6 of 6" in conclusion("theory_support", TABLES)


@pytest.mark.parametrize("tables", [{}, {"theory_sweep": pd.DataFrame({"metric": []})}])
def test_nothing_measured_says_nothing(tables):
    assert [conclusion(name, tables) for name in FIGURES] == ["", "", ""]
    assert findings(tables, pd.DataFrame()) == []
