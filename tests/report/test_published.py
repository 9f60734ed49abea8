"""README and the page of published results quote the published run and nothing else."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from recomputed import assert_published_again

from evidence.paper import paper_table
from report import readme as section_of_readme

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PUBLISHED = ROOT / "reports" / "published"
PAGE = (PUBLISHED / "README.md").read_text()
BEGIN, END = section_of_readme.BEGIN, section_of_readme.END


SECTION = README.split(BEGIN)[1].split(END)[0]
RUN = json.loads((PUBLISHED / "run.json").read_text())
# The run in the repository was published by older code, whose pages had tables of their own. The
# next one comes from sections: then delete what is marked `older`, and the helpers above it.
FROM_SECTIONS = "made_by" in RUN
older = pytest.mark.skipif(FROM_SECTIONS, reason="published from the sections of experiments")


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


PAPERS = paper_table("table1")
SIMULATED = {
    "oracle (given the true codes)": "oracle", "group-sparse": "group_sparse",
    "sparse (soft threshold)": "sparse", "sparse (one-sided ReLU)": "relu", "chance": "chance",
}  # fmt: skip
METRICS = {"entry recall": "entry_recall", "exact groups": "group_exact"}
CLUSTERED = {
    "raw pixels": ("raw", "raw"), "sparse codes": ("sparse", "codes"),
    "sparse codes+": ("sparse", "codes+"), "group-sparse codes": ("group_sparse", "codes"),
    "group-sparse codes+": ("group_sparse", "codes+"),
    "the active group": ("group_sparse", "group"),
}  # fmt: skip


def tables(text: str) -> list[tuple[str, dict[tuple[str, str], str]]]:
    """Every table of a page: the paragraph above it, and (row, column) -> cell."""
    found, above = [], ""
    for block in text.split("\n\n"):
        lines = [line.strip("|").split("|") for line in block.splitlines() if line[:1] == "|"]
        if lines:
            (_, *columns), _, *rows = [[cell.strip() for cell in line] for line in lines]
            cells = {
                (row[0], column): cell
                for row in rows
                for column, cell in zip(columns, row[1:], strict=True)
            }
            found.append((above, cells))
        above = block
    return found


def simulated(row: str, column: str) -> str:
    """What a cell of the table of Fig. 3c must say."""
    ends = pd.read_csv(PUBLISHED / "end_points.csv")
    keys = ["init", "sampling", "snr", "method", "metric"]
    *what, sampling, level = column.split(", ")
    metric = METRICS[what[0]] if what else "squared_error"
    end = ends.set_index(keys).loc[
        "near", sampling, float(level.split()[0]), SIMULATED[row], metric
    ]
    digits = 3 if what else 2
    return f"{end['mean']:.{digits}f} ± {end['std']:.{digits}f}"


def clustered(dataset: str, row: str, column: str) -> str:
    """What a cell of Table 1 must say."""
    method, features = CLUSTERED[row]
    if column == "paper":
        printed = PAPERS[(PAPERS.dataset == dataset) & (PAPERS.method == method)]
        printed = printed[printed.features == features].accuracy
        return " / ".join(f"{100 * v:.1f}" for v in printed) or "–"
    init = "none" if method == "raw" else column.removeprefix("init ")
    if method == "raw" and column != "init random":
        return ""  # pixels have no init: their scores are in the first column
    table = pd.read_csv(PUBLISHED / "table1.csv")
    here = table[(table.dataset == dataset) & (table.method == method) & (table.init == init)]
    here = here[~here.centered & (here.features == features)].set_index("algorithm")
    algorithms = ["argmax"] if features == "group" else ["kmeans", "spectral"]
    assert not here.uses_labels.any()
    return " / ".join(
        f"{100 * here.acc_mean[a]:.1f} ± {100 * here.acc_std[a]:.1f}" for a in algorithms
    )


RECOVERED = {  # column of the table of the README -> column of the table of Fig. 3c
    "error, fixed": "fixed, 1 dB", "error, fresh": "fresh, 1 dB",
    "entry recall": "entry recall, fixed, 1 dB", "exact groups": "exact groups, fixed, 1 dB",
}  # fmt: skip
IMAGES = {"MNIST": "init kmeans", "MNIST in the paper": "paper"}  # -> column of Table 1
OF_MNIST = {  # row of the table of the README -> row of Table 1
    "raw pixels": "raw pixels", "group-sparse": "group-sparse codes",
    "sparse (soft threshold)": "sparse codes",
}  # fmt: skip


def mnist(row: str, column: str) -> str:
    """What a cell of the README's table must say about MNIST."""
    if row in OF_MNIST:
        # Pixels have no initialisation: Table 1 has their scores in its first column.
        column = "init random" if (row, column) == ("raw pixels", "init kmeans") else column
        return clustered("mnist", OF_MNIST[row], column)
    if row != "chance" or column == "paper":
        return "–"
    table = pd.read_csv(PUBLISHED / "table1.csv").set_index(["dataset", "method"])
    chance = table.loc["mnist", "chance"]
    return f"{100 * chance.acc_mean:.1f} ± {100 * chance.acc_std:.1f}"


@older
def test_every_cell_of_the_readme_is_that_of_the_published_tables():
    ((_, cells),) = tables(SECTION)
    assert {column for _, column in cells} == {*RECOVERED, *IMAGES}
    assert {row for row, _ in cells} == {*SIMULATED, "raw pixels"}
    for (row, column), cell in cells.items():
        if column in IMAGES:
            assert cell == mnist(row, IMAGES[column])
        elif row == "raw pixels":
            assert cell == "–"
        else:
            assert cell == simulated(row, RECOVERED[column])


@older
def test_every_cell_of_the_page_is_that_of_the_published_tables():
    (_, fig3), *table1 = tables(PAGE)
    assert {column.split(", ")[-2] for _, column in fig3} == {"fixed", "fresh"}
    assert {row for row, _ in fig3} == set(SIMULATED)
    assert fig3 == {cell: simulated(*cell) for cell in fig3}
    datasets = ["fashion_mnist" if "Fashion-MNIST" in above else "mnist" for above, _ in table1]
    assert datasets == pd.read_csv(PUBLISHED / "table1.csv").dataset.unique().tolist()
    for dataset, (_, cells) in zip(datasets, table1, strict=True):
        assert {row for row, _ in cells} == set(CLUSTERED)
        assert cells == {cell: clustered(dataset, *cell) for cell in cells}


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
    if not FROM_SECTIONS:
        pytest.skip("published before the tables of the claims were, by several commits")
    assert list(RUN["made_by"]) == RUN["commit"]
    assert len(RUN["commit"]) == 1
    assert_published_again(PUBLISHED, tmp_path)


def test_published_files_are_small():
    sizes = {p.name: p.stat().st_size for p in PUBLISHED.rglob("*") if p.is_file()}
    assert {name: size for name, size in sizes.items() if size > 2**21} == {}
