"""README and the page of published results quote the published run and nothing else."""

import json
import re
from pathlib import Path

import pytest
from recomputed import assert_published_again

from report import readme as section_of_readme

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
# Folder of reports -> run.
RUNS = {
    "published": "full", "published-beyond": "beyond", "published-mixtures": "mixtures",
    "published-deconvolution": "deconvolution", "published-library": "library",
}  # fmt: skip
RUNS = {folder: run for folder, run in RUNS.items() if (ROOT / "reports" / folder).is_dir()}
every_run = pytest.mark.parametrize("folder", RUNS)


def run_of(folder: str) -> dict:
    return json.loads((ROOT / "reports" / folder / "run.json").read_text())


def page_of(folder: str) -> str:
    return (ROOT / "reports" / folder / "README.md").read_text()


@every_run
def test_the_results_in_the_readme_are_those_of_the_published_run(folder):
    section = (ROOT / "reports" / folder / "section.md").read_text()
    assert section_of_readme.parted(README, folder)[1] == section


def test_publishing_puts_each_section_between_its_own_markers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begins, ends = zip(*map(section_of_readme.markers, ("one", "two")), strict=True)
    for name in ("one", "two", "unmarked"):
        (tmp_path / "reports" / name).mkdir(parents=True)
        (tmp_path / "reports" / name / "section.md").write_text(f"new {name}\n")
    page = f"before\n{begins[0]}old one\n{ends[0]}between\n{begins[1]}{ends[1]}after\n"
    (tmp_path / "README.md").write_text(page)
    monkeypatch.setattr("sys.argv", ["readme.py"])
    section_of_readme.main()
    expected = page.replace("old one", "new one").replace(ends[1], "new two\n" + ends[1])
    assert (tmp_path / "README.md").read_text() == expected


def test_numbers_elsewhere_in_the_readme_are_not_results():
    text = README
    for folder in RUNS:
        before, _, after = section_of_readme.parted(text, folder)
        text = before + after
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", text, flags=re.DOTALL)
    # Versions, the paper's number and its date are no results; a decimal or a percentage is one.
    allowed = {"3.11", "2102.07003"}
    numbers = re.findall(r"\d+(?:\.\d+)+|\d+ ?%|\d+ ± \d+", text)
    assert [n for n in numbers if n not in allowed] == []


@pytest.mark.parametrize("folder", [None, *RUNS])
def test_the_figures_and_files_of_a_page_exist(folder):
    text, place = (page_of(folder), ROOT / "reports" / folder) if folder else (README, ROOT)
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    files = [link for link in links if not link.startswith("http")]
    assert [f for f in files if f.endswith(".png")], "a page without a figure"
    assert [f for f in files if not (place / f).exists()] == []


@every_run
def test_the_published_run_says_what_made_it(folder):
    run = run_of(folder)
    assert run["run"] == RUNS[folder]
    assert all(run[key] for key in ("commit", "machine", "wall_minutes", "torch", "python"))
    assert list(run["made_by"]) == run["commit"]
    assert len(run["commit"]) == 1
    for text in (section_of_readme.parted(README, folder)[1], page_of(folder)):
        assert f"commit {run['commit'][0]}" in text.replace("\n", " ")


@every_run
def test_the_published_claims_and_pages_are_those_of_the_published_tables(folder, tmp_path):
    assert_published_again(ROOT / "reports" / folder, tmp_path)


@every_run
def test_published_files_are_small(folder):
    files = [p for p in (ROOT / "reports" / folder).rglob("*") if p.is_file()]
    sizes = {p.name: p.stat().st_size for p in files}
    assert {name: size for name, size in sizes.items() if size > 2**21} == {}
