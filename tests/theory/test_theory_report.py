"""What the theory delivers to the report, also where no regime was trained."""

import json

import pandas as pd
import pytest

from evidence.tables import save_table
from theory import report


def regime(name: str, diverged: float) -> pd.DataFrame:
    row = {"regime": name, "replicate": 0, "epoch": 0, "metric": "diverged", "value": diverged}
    return pd.DataFrame([row])


def test_the_caption_names_regimes_that_diverge():
    theory = pd.concat([regime("calm", 0.0), regime("wild", 1.0)])
    caption = report.caption("theory_constants", {"replicates": 2}, theory)
    assert "means of 2 replicates, bands span them" in caption
    assert caption.endswith("Regimes that diverge are in the table only: wild.")
    caption = report.caption("theory_constants", {"replicates": 1}, regime("calm", 0.0))
    assert "per regime; one run." in caption
    assert caption.endswith("in the table only: none.")


@pytest.mark.parametrize("figures", [[], ["theory_support"]])
def test_a_sweep_alone_makes_a_section_without_the_table_of_regimes(tmp_path, monkeypatch, figures):
    save_table(tmp_path / "theory_sweep.csv", pd.DataFrame({"metric": []}))
    monkeypatch.setattr(report, "collect", lambda *a, **options: pd.DataFrame({"claim": []}))
    arguments = [
        "--tables", str(tmp_path / "theory_sweep.csv"), "--figures", *figures,
        "--config", json.dumps({"replicates": 1}),
        "--claims", str(tmp_path / "claims.csv"), "--section", str(tmp_path / "section.json"),
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["report.py", *arguments])
    report.main()
    section = json.loads((tmp_path / "section.json").read_text())
    assert [block["kind"] for block in section["blocks"]] == ["text", *["figure"] * len(figures)]
    assert section["warnings"] == []
