"""A section that an experiment delivers is on the page and in what is published, and is enough."""

import io
import json
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from evidence.claims import COLUMNS
from evidence.section import figure, number, percent, spread, table, text
from evidence.tables import load_table, save_table
from groupsparse.artifacts import save_tensors
from groupsparse.files import write_checked
from report import build, publish
from report.build import cell, numbered
from report.markdown import grid, page, results, whole

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
SOURCE = Path(__file__).resolve().parents[2] / "src"
SECTION = {
    "title": "A made-up experiment",
    "question": "Is it true?",
    "findings": ["It scores 0.5, a < b."],
    "warnings": ["made up, a < b: it diverged."],
    "blocks": [
        text("Atoms of <i>{name}</i> against A*.", name="<b>ours</b>"),
        table([["method", "score"]], [["ours", "0.5 ± 0.1"], ["x | y", "–"]], caption="Scores"),
        figure("curve", "Fig. 9: a curve of A* < 1", conclusion="It rises.", key=True),
        table(
            [[{"text": "method", "rows": 2}, {"text": "init near", "span": 2}], ["one", "two"]],
            [["ours", "1.0", "2.0"], ["chance", {"text": "3.0", "span": 2}]],
        ),
        table([["every"]], [["row"]], caption="All of it", name="all", folded=True),
    ],
}  # fmt: skip
ROW = {
    "experiment": "made_up", "paper": True, "claim": "Scores rise", "source": "Sec. 9",
    "statistic": "score", "mean": 1 / 3, "std": 0.1, "lowest_mean": 0.2, "highest_mean": 0.4,
    "conditions": 2, "seeds": 3, "reference": "1.00", "verdict": "holds",
    "reason": "0.3; holds if at least 0.1",
    "figure": "curve", "table": "all",
}  # fmt: skip
CONFIG = {"run": "trial", "seed": 1, "experiments": ["made_up"], "made_up": {"groups": 3},
          "bench": {"threads": 1}}  # fmt: skip
RUN = {"commit": ["abc"], "machine": "m", "job_minutes": 2, "wall_minutes": 1, "peak_memory_mb": 3}


@pytest.fixture
def delivered(tmp_path):
    """What an experiment leaves for the report."""
    write_checked(tmp_path / "section.json", json.dumps(SECTION).encode())
    save_table(tmp_path / "part.csv", pd.DataFrame([ROW], columns=COLUMNS))
    Image.new("RGB", (400, 300), "white").save(tmp_path / "curve.png")
    return tmp_path


@pytest.fixture
def built(delivered, monkeypatch):
    """The same with a page and a table of all claims."""
    arguments = ["--sections", "section.json", "--claims", "part.csv", "--figures", "curve.png"]
    arguments += [
        "--config",
        json.dumps(CONFIG),
        "--output",
        "report.html",
        "--table",
        "claims.csv",
    ]
    monkeypatch.chdir(delivered)
    monkeypatch.setattr("sys.argv", ["build.py", *arguments])
    build.main()
    return delivered


def test_the_page_shows_all_of_a_section(built):
    html = (built / "report.html").read_text()
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", html)
    assert headings == [
        "What was asked", "What was found", "Verdicts on the paper's own claims", "Warnings",
        SECTION["title"], "The run",
    ]  # fmt: skip
    assert "<li>made up, a &lt; b: it diverged.</li>" in html
    assert "<p>Atoms of <i>&lt;b&gt;ours&lt;/b&gt;</i> against A*.</p>" in html
    assert '<td class="n">0.5 ± 0.1</td>' in html
    assert '<th rowspan="2">method</th><th colspan="2">init near</th>' in html
    drawn = '<figure id="curve"><div class="scroll"><img src="data:image/webp;base64,[^"]{20,}"'
    assert re.search(drawn, html)
    conclusion = '<figcaption><span class="conclusion">It rises.</span> '
    assert f"{conclusion}Fig. 9: a curve of A* &lt; 1</figcaption>" in html
    folded = re.search(
        r'<details id="table-all"><summary>All of it</summary>(.*?)</details>', html, re.DOTALL
    )
    assert "<td>row</td>" in folded[1]
    assert '<td class="verdict holds">holds</td>' in html


def test_the_page_leads_with_questions_findings_and_the_key_figure(built):
    html = (built / "report.html").read_text()
    lead = html[: html.index('id="warnings"')]
    assert "Is it true?" in lead
    assert "<li>It scores 0.5, a &lt; b.</li>" in lead
    assert lead.count("<img ") == 1
    assert '<a href="#curve">' in lead
    for target in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{target}"' in html


def test_a_claim_leads_to_its_figure_and_table(built):
    html = (built / "report.html").read_text()
    assert 'shown in <a href="#curve">Fig. 9</a>, <a href="#table-all">table</a>' in html


def test_claims_are_numbered_and_keep_every_digit(built):
    rows = load_table(built / "claims.csv")
    assert rows.id.tolist() == [1]
    assert rows["mean"].tolist() == [1 / 3]
    both = numbered([built / "part.csv", built / "part.csv"])
    assert both.id.tolist() == [1, 2]
    assert both.reference.tolist() == ["1.00", "1.00"], "not read as a number"
    assert tuple(numbered([]).columns) == ("id", *COLUMNS)


@pytest.fixture
def phone(built):
    """The page on a screen that is 390 pixels wide."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 390, "height": 800})
        tab.goto((built / "report.html").as_uri())
        yield tab
        browser.close()


def test_what_is_cut_off_on_a_phone_casts_a_shadow_at_that_edge(phone):
    place = phone.locator("#curve .scroll")

    def edges() -> list[bool]:
        image = Image.open(io.BytesIO(place.screenshot())).convert("L")
        return [image.getpixel((x, image.height // 2)) < 240 for x in (1, image.width - 2)]

    assert edges() == [False, True], "the figure is white"
    place.evaluate("e => e.scrollTo(e.scrollWidth, 0)")
    assert edges() == [True, False]


def test_on_a_phone_claims_are_lines_that_fit_and_the_filter_still_works(phone):
    overflow = "e => e.closest('.scroll').scrollWidth - e.closest('.scroll').clientWidth"
    assert phone.locator(".claims").evaluate(overflow) == 0
    row = phone.locator("tr[data-verdict]")
    places = [box.bounding_box() for box in row.locator("td").all()]
    assert places[6]["y"] >= places[5]["y"] + places[5]["height"], (
        "the reason has a line of its own"
    )
    phone.evaluate("show('undecided')")
    assert row.locator("visible=true").count() == 0
    assert phone.locator("tbody.claim").locator("visible=true").count() == 0


def test_a_run_without_experiments_has_a_page(tmp_path, monkeypatch):
    arguments = ["--config", json.dumps(CONFIG), "--output", "report.html", "--table", "c.csv"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["build.py", *arguments])
    build.main()
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", (tmp_path / "report.html").read_text())
    assert headings == ["The run"]


def test_the_published_page_shows_a_section_without_what_is_folded():
    claims = pd.DataFrame([{"id": 1, **ROW}])
    words = page(RUN, claims, ["claims"], [SECTION], "## Findings\n\nBy hand.\n")
    for part in (
        "# Published results\n\n1. It scores 0.5, a &lt; b.\n\nMade by commit abc on m:",
        "Verdicts on 1 tests of the paper's claims: 1 “holds”.",
        "[claims](claims.csv)",
        "## A made-up experiment\n\nWarnings:\n\n- made up, a &lt; b: it diverged.\n\n",
        r"Atoms of <i>&lt;b&gt;ours&lt;/b&gt;</i> against A\*.",
        "Scores:\n\n| method | score |\n| --- | --- |\n| ours | 0.5 ± 0.1 |\n| x \\| y | – |\n",
        r"- [curve](figures/curve.png): **It rises.** Fig. 9: a curve of A\* &lt; 1",
    ):
        assert part in words
    assert "All of it" not in words
    assert words.endswith("\n\n## Findings\n\nBy hand.\n")


def test_the_results_in_the_readme_are_what_was_found_and_say_where_the_tables_are():
    words = results(RUN, pd.DataFrame([{"id": 1, **ROW}]), [SECTION])
    assert words.startswith("1. It scores 0.5, a &lt; b.\n\nAll tables: [reports/published](")
    assert "| --- |" not in words
    assert "Made by commit abc\non m in 1 minutes." in words
    assert "commits a, b" in results({**RUN, "commit": ["a", "b"]}, pd.DataFrame([ROW]), [])


def test_markdown_has_one_row_of_headings_and_a_cell_at_every_place():
    head = [
        [{"text": "method", "rows": 2}, {"text": "init near", "span": 2}, {"text": "n", "rows": 2}],
        ["one", "two"],
    ]
    rows = [["ours", "1", "2", "3"], ["chance", {"text": "4", "span": 2}, "5"]]
    assert grid(table(head, rows)).splitlines() == [
        "| method | init near, one | init near, two | n |",
        "| --- | --- | --- | --- |",
        "| ours | 1 | 2 | 3 |",
        "| chance | 4 |  | 5 |",
    ]


def test_a_table_without_rows_has_its_headings():
    assert grid(table([["method", "score"]], [])) == "| method | score |\n| --- | --- |"


def test_a_section_without_warnings_has_no_list_of_them():
    assert "Warnings" not in "".join(whole({**SECTION, "warnings": []}))


@pytest.mark.parametrize(
    ("words", "numeric"),
    [("1.0", True), ("0.5 ± 0.1", True), ("56.5 ± 3.7 / 57.9 ± 4.2", True), ("5 dB", True),
     ("-3", True), ("–", False), ("λ = 1", False), ("", False), ("1.2 → 0.3", False)],
)  # fmt: skip
def test_cells_with_numbers_alone_are_set_as_numbers(words, numeric):
    assert cell(words)["numeric"] == numeric


def test_numbers_without_a_value_or_a_spread_say_so():
    nan = float("nan")
    assert (number(nan), number(1.0, 1)) == ("–", "1.0")
    assert (spread(1.0, nan), spread(1.0, 0.25, 2)) == ("1.000", "1.00 ± 0.25")
    assert percent(0.123, nan) == "12.3"


def test_a_run_is_published_with_its_tables_figures_and_pages(built, monkeypatch):
    save_tensors("model.safetensors", {}, kind="model")
    (built / "benchmarks").mkdir()
    (built / "benchmarks/job.tsv").write_text("s\tmax_rss\n30.0\t100.0\n")
    (built / "benchmarks/rule").mkdir()
    (built / "benchmarks/rule/a.tsv").write_text("s\tmax_rss\n12.0\t300.0\n")
    (built / "benchmarks/rule/b.tsv").write_text("s\tmax_rss\n18.0\t200.0\n")
    (built / "benchmarks/rule/short.tsv").write_text("s\tmax_rss\n0.0\t-\n")
    (built / "findings.md").write_text("## Findings\n\nBy hand.\n")
    arguments = {
        "--report": ["report.html"], "--sections": ["section.json"], "--tables": ["claims.csv"],
        "--figures": ["curve.png"], "--artefacts": ["model.safetensors"],
        "--benchmarks": ["benchmarks"], "--findings": ["findings.md"],
        "--config": [json.dumps(CONFIG)], "--output": ["published"],
    }  # fmt: skip
    words = [word for name, values in arguments.items() for word in (name, *values)]
    monkeypatch.setattr(sys, "argv", ["publish.py", *words])
    monkeypatch.setattr(publish, "refusal", lambda made_by: None)
    publish.main()
    files = {p.relative_to("published").as_posix() for p in Path("published").rglob("*.*")}
    assert files == {
        "README.md", "section.md", "run.json", "report.html", "claims.csv", "figures/curve.png",
    }  # fmt: skip
    assert Path("published/claims.csv").read_bytes() == Path("claims.csv").read_bytes()
    run = json.loads(Path("published/run.json").read_text())
    assert run["job_minutes_by_rule"] == {"job": 0.5, "rule": 0.5}
    assert run["peak_memory_mb_by_rule"] == {"job": 100, "rule": 300}
    assert run["config"] == {name: part for name, part in CONFIG.items() if name != "bench"}
    readme = Path("published/README.md").read_text()
    assert "1.0 minutes of jobs" in readme
    links = re.findall(r"\]\(([^)]+)\)", readme)
    assert links
    assert [link for link in links if not Path("published", link).exists()] == []


def test_the_report_names_no_experiment():
    experiments = [path.parent.name for path in SOURCE.glob("*/report.py")]
    assert len(experiments) >= 3
    for path in (SOURCE / "report").iterdir():
        if path.is_file():
            found = [name for name in experiments if name in path.read_text().lower()]
            assert found == [], path


def test_no_experiment_imports_another():
    experiments = {path.parent.name for path in SOURCE.glob("*/report.py")}
    for name in experiments:
        for path in (SOURCE / name).glob("*.py"):
            imported = set(re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
            assert imported & (experiments - {name}) == set(), path
