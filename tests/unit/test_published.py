"""README quotes the published run and nothing else."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from evidence import clustering, recovery, theory
from evidence.claims import collect
from groupsparse import published

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
        if dataset != published.TABLE1_DATASET or features == "group":
            return "–"
        return " / ".join(f"{100 * v:.1f}" for v in published.TABLE1[method, features].values())
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


def test_every_cell_of_the_tables_is_that_of_the_published_tables():
    (_, fig3), *table1 = tables(README.split(BEGIN)[1].split(END)[0])
    assert {column.split(", ")[-2] for _, column in fig3} == {"fixed", "fresh"}
    assert {row for row, _ in fig3} == set(SIMULATED)
    assert fig3 == {cell: simulated(*cell) for cell in fig3}
    datasets = ["fashion_mnist" if "Fashion-MNIST" in above else "mnist" for above, _ in table1]
    assert datasets == pd.read_csv(PUBLISHED / "table1.csv").dataset.unique().tolist()
    for dataset, (_, cells) in zip(datasets, table1, strict=True):
        assert {row for row, _ in cells} == set(CLUSTERED)
        assert cells == {cell: clustered(dataset, *cell) for cell in cells}


def test_the_figures_of_the_readme_are_published():
    figures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert figures
    assert [f for f in figures if not (ROOT / f).is_file()] == []


def test_the_published_run_says_what_made_it():
    run = json.loads((PUBLISHED / "run.json").read_text())
    assert run["run"] == "full"
    assert all(run[key] for key in ("commit", "machine", "wall_minutes", "torch", "python"))
    assert f"commit {', '.join(run['commit'])}" in README.replace("\n", " ")


def test_the_published_claims_are_recomputed_from_the_published_tables():
    run = json.loads((PUBLISHED / "run.json").read_text())
    if "made_by" not in run:
        pytest.skip("published before the tables of the claims were: by several commits")
    assert list(run["made_by"]) == run["commit"]
    assert len(run["commit"]) == 1

    def read(name):
        path = PUBLISHED / f"{name}.csv"
        return pd.read_csv(path, keep_default_na=False, na_values=["", "nan"])

    names = {"history": "recovery_history", "sweep": "theory_sweep"}
    tables = {
        name: read(names.get(name, name))
        for name in ("recovery", "history", "clustering", "theory", "sweep")
    }
    config = run["config"]
    experiments = [recovery, clustering, theory]
    again = collect(experiments, tables, config["report"], config["simulation"]["model"])
    assert again.to_csv(index=False) == (PUBLISHED / "claims.csv").read_text()


def test_published_files_are_small():
    sizes = {p.name: p.stat().st_size for p in PUBLISHED.rglob("*") if p.is_file()}
    assert {name: size for name, size in sizes.items() if size > 2**21} == {}
