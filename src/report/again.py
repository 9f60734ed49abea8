"""Judge published runs again: claims, sections and pages from their tables, by the present code."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from evidence.tables import load_table, save_table
from groupsparse.files import write_atomic
from report.build import numbered
from report.commit import changed_since
from report.markdown import page, results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("published", nargs="+", type=Path, help="folders of published runs")
    args = parser.parse_args()
    if changed := changed_since("HEAD"):
        sys.exit("Commit the code that judges first: " + ", ".join(changed))
    head = ["git", "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(head, capture_output=True, text=True, check=True).stdout.strip()
    for folder in args.published:
        run = json.loads((folder / "run.json").read_text()) | {"judged_by": commit}
        with tempfile.TemporaryDirectory() as scratch:
            files = judged(folder, run, Path(scratch))
            files["report.html"] = whole_page(folder, run, Path(scratch))
        for name, content in files.items():
            write_atomic(folder / name, content)


def script(module: str, arguments: list[str]) -> None:
    """Run a script as the rules do."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, env=environment)


def judged(
    folder: Path, run: dict, scratch: Path, call: Callable[[str, list[str]], None] = script
) -> dict[str, bytes]:
    """What the tables of a published folder say: its claims and texts, without the whole page."""
    readme = (folder / "README.md").read_text()
    names = re.findall(r"\[(\w+)\]\(\1\.csv\)", readme)
    for name in names:
        table = pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=["", "nan"])
        save_table(scratch / f"{name}.csv", table)
    tables = [scratch / f"{name}.csv" for name in names if name != "claims"]
    shown, experiments = figures(folder, run), run["config"]["experiments"]
    for name in experiments:
        arguments = command(
            tables=tables, figures=shown[name],
            config=[json.dumps(run["config"][name])],
            claims=[scratch / name / "claims.csv"], section=[scratch / name / "section.json"],
        )  # fmt: skip
        call(f"{name}.report", arguments)
    sections = [json.loads((scratch / name / "section.json").read_text()) for name in experiments]
    save_table(scratch / "claims.csv", numbered([scratch / e / "claims.csv" for e in experiments]))
    claims, by_hand = load_table(scratch / "claims.csv"), folder.with_suffix(".md").read_text()
    return {
        "claims.csv": (scratch / "claims.csv").read_bytes(),
        "run.json": (json.dumps(run, indent=2) + "\n").encode(),
        "README.md": page(run, claims, names, sections, by_hand).encode(),
        "section.md": results(run, claims, sections, folder.name).encode(),
    }


def whole_page(folder: Path, run: dict, scratch: Path) -> bytes:
    """The page of a published folder that :func:`judged` has judged in ``scratch``."""
    experiments = run["config"]["experiments"]
    off = {path.parent.name for path in Path(__file__).parents[1].glob("*/report.py")}
    config = {k: v for k, v in run["config"].items() if k in experiments or k not in off}
    made_by = {key: ", ".join(value) for key, value in run.items() if isinstance(value, list)}
    shown = [name for names in figures(folder, run).values() for name in names]
    arguments = command(
        config=[json.dumps(config)],
        sections=[scratch / name / "section.json" for name in experiments],
        claims=[scratch / name / "claims.csv" for name in experiments],
        figures=[folder / f"figures/{name}.png" for name in shown],
        provenance=[json.dumps(made_by | {"judged by": run["judged_by"]})],
        output=[scratch / "report.html"], table=[scratch / "claims.csv"],
    )  # fmt: skip
    script("report.build", arguments)
    return (scratch / "report.html").read_bytes()


def figures(folder: Path, run: dict) -> dict[str, list[str]]:
    """The figures of every experiment, in the order of the published page."""
    experiments = run["config"]["experiments"]
    # A heading per experiment, before that of the findings.
    parts = (folder / "README.md").read_text().split("\n## ")[1 : 1 + len(experiments)]
    pairs = zip(experiments, parts, strict=True)
    return {name: re.findall(r"\(figures/(.+?)\.png\)", part) for name, part in pairs}


def command(**arguments: list) -> list[str]:
    """The command line of a script."""
    return [str(word) for name, each in arguments.items() for word in (f"--{name}", *each)]


if __name__ == "__main__":
    main()
