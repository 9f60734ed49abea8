"""What the tables of a published folder say again, by the code of its experiments."""

import importlib
import json
import re
import sys
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from evidence.tables import load_table, save_table
from report.build import numbered
from report.markdown import results, whole


def assert_published_again(folder: Path, scratch: Path) -> None:
    """Claims, sections and results of a published folder are those that its tables give."""
    run, readme = json.loads((folder / "run.json").read_text()), (folder / "README.md").read_text()
    for path in folder.glob("*.csv"):
        table = pd.read_csv(path, keep_default_na=False, na_values=["", "nan"])
        save_table(scratch / path.name, table)
    (scratch / "claims.csv").unlink()
    tables = [str(path) for path in sorted(scratch.glob("*.csv"))]
    experiments = run["config"]["experiments"]
    # A heading per experiment, before that of the findings.
    parts = readme.split("\n## ")[1 : 1 + len(experiments)]
    sections = []
    for experiment, part in zip(experiments, parts, strict=True):
        config = json.dumps(run["config"][experiment])
        figures = re.findall(r"\(figures/(.+?)\.png\)", part)
        claims, section = (str(scratch / experiment / f) for f in ("claims.csv", "section.json"))
        arguments = [
            "report.py", "--tables", *tables, "--figures", *figures, "--config", config,
            "--claims", claims, "--section", section,
        ]  # fmt: skip
        with patch.object(sys, "argv", arguments):
            importlib.import_module(f"{experiment}.report").main()
        sections.append(json.loads(Path(section).read_text()))
        assert "\n\n".join(whole(sections[-1])) in readme, f"{experiment}: not what the tables say"
    save_table(scratch / "all.csv", numbered([scratch / e / "claims.csv" for e in experiments]))
    assert (scratch / "all.csv").read_text() == (folder / "claims.csv").read_text()
    again = results(run, load_table(scratch / "all.csv"), sections, folder.name)
    assert again == (folder / "section.md").read_text()
