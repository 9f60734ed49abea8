"""README quotes the published run and nothing else."""

import json
import re
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PUBLISHED = ROOT / "reports" / "published"
BEGIN, END = "<!-- published results -->\n", "<!-- end of published results -->\n"


def test_the_results_in_the_readme_are_those_of_the_published_run():
    assert README.split(BEGIN)[1].split(END)[0] == (PUBLISHED / "results.md").read_text()


def test_numbers_elsewhere_in_the_readme_are_not_results():
    text = README.split(BEGIN)[0] + README.split(END)[1]
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", text, flags=re.DOTALL)
    # Versions, the paper's number and its date may stand; a decimal or a percentage is a result.
    allowed = {"3.11", "2102.07003"}
    numbers = re.findall(r"\d+(?:\.\d+)+|\d+ ?%|\d+ ± \d+", text)
    assert [n for n in numbers if n not in allowed] == []


def test_every_number_of_the_section_is_in_the_published_tables():
    tables = [pd.read_csv(PUBLISHED / f"{name}.csv") for name in ("end_points", "table1")]
    values = pd.concat([t.select_dtypes("number").melt().value for t in tables])
    written = {f"{scale * v:.{d}f}" for v in values for scale, d in ((1, 2), (1, 3), (100, 1))}
    rows = [line for line in README.splitlines() if re.match(r"\|.*±", line)]
    assert rows
    quoted = {n for row in rows for n in re.findall(r"\d+\.\d+ ± \d+\.\d+", row)}
    parts = {part for pair in quoted for part in pair.split(" ± ")}
    assert parts - written == set()


def test_the_figures_of_the_readme_are_published():
    figures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert figures
    assert [f for f in figures if not (ROOT / f).is_file()] == []


def test_the_published_run_says_what_made_it():
    run = json.loads((PUBLISHED / "run.json").read_text())
    assert run["run"] == "full"
    assert all(run[key] for key in ("commit", "machine", "wall_minutes", "torch", "python"))


def test_published_files_are_small():
    sizes = {p.name: p.stat().st_size for p in PUBLISHED.rglob("*") if p.is_file()}
    assert {name: size for name, size in sizes.items() if size > 2**21} == {}
