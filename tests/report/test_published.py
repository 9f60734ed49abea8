"""README and the page of published results quote the published run and nothing else."""

import json
import re
from pathlib import Path

import pytest
from recomputed import assert_published_again

from report import readme as section_of_readme

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PUBLISHED = ROOT / "reports" / "published"
PAGE = (PUBLISHED / "README.md").read_text()
BEGIN, END = section_of_readme.BEGIN, section_of_readme.END


SECTION = README.split(BEGIN)[1].split(END)[0]
RUN = json.loads((PUBLISHED / "run.json").read_text())


def test_the_results_in_the_readme_are_those_of_the_published_run():
    assert (PUBLISHED / "section.md").read_text() == SECTION


def test_publishing_puts_the_section_between_the_markers(tmp_path, monkeypatch):
    readme, section = tmp_path / "README.md", tmp_path / "section.md"
    readme.write_text(f"before\n{BEGIN}old\n{END}after\n")
    section.write_text("new\n")
    arguments = ["readme.py", "--section", str(section), "--output", str(readme)]
    monkeypatch.setattr("sys.argv", arguments)
    section_of_readme.main()
    assert readme.read_text() == f"before\n{BEGIN}new\n{END}after\n"


def test_numbers_elsewhere_in_the_readme_are_not_results():
    text = README.split(BEGIN)[0] + README.split(END)[1]
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", text, flags=re.DOTALL)
    # Versions, the paper's number and its date are no results; a decimal or a percentage is one.
    allowed = {"3.11", "2102.07003"}
    numbers = re.findall(r"\d+(?:\.\d+)+|\d+ ?%|\d+ ± \d+", text)
    assert [n for n in numbers if n not in allowed] == []


@pytest.mark.parametrize(("text", "folder"), [(README, ROOT), (PAGE, PUBLISHED)])
def test_the_figures_and_files_of_a_page_exist(text, folder):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    files = [link for link in links if not link.startswith("http")]
    assert [f for f in files if f.endswith(".png")], "a page without a figure"
    assert [f for f in files if not (folder / f).exists()] == []


def test_the_published_run_says_what_made_it():
    assert RUN["run"] == "full"
    assert all(RUN[key] for key in ("commit", "machine", "wall_minutes", "torch", "python"))
    several = "s" if len(RUN["commit"]) > 1 else ""
    for text in (README, PAGE):
        assert f"commit{several} {', '.join(RUN['commit'])}" in text.replace("\n", " ")


def test_the_published_claims_and_pages_are_those_of_the_published_tables(tmp_path):
    assert list(RUN["made_by"]) == RUN["commit"]
    assert len(RUN["commit"]) == 1
    assert_published_again(PUBLISHED, tmp_path)


def test_published_files_are_small():
    sizes = {p.name: p.stat().st_size for p in PUBLISHED.rglob("*") if p.is_file()}
    assert {name: size for name, size in sizes.items() if size > 2**21} == {}
