"""The house: arrows between rooms point one way, and nothing shared names an experiment."""

import ast
import re

import pytest
from conftest import ROOT
from validate import experiments

SOURCES = sorted((ROOT / "src").glob("*/*.py"))
ROOMS = {path.parent.name for path in SOURCES}
SHARED = {"groupsparse": set(), "evidence": {"groupsparse"}, "report": {"evidence", "groupsparse"}}


def imported(path) -> set[str]:
    """Rooms that a module imports, its own left out."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names & ROOMS - {path.parent.name}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_room_uses_the_library_and_what_is_shared_and_no_other_room(path):
    assert imported(path) <= SHARED.get(path.parent.name, {"groupsparse", "evidence"})


def named(text: str) -> set[str]:
    """Experiments of ours that a text names as a folder, a table, a key or a rule."""
    names = "|".join(experiments())
    return set(re.findall(rf"(?<![\w.])({names})(?=[/._\"'\]]|\.csv)", text))


def test_what_is_shared_names_no_experiment():
    shared = [
        *ROOT.glob("src/report/*"), *ROOT.glob("src/evidence/*.py"), ROOT / "Snakefile",
        *(ROOT / f"workflow/rules/{name}.smk" for name in ("common", "report", "data")),
        ROOT / "workflow/validate.py",
    ]  # fmt: skip
    texts = {path: path.read_text() for path in shared if path.is_file()}
    assert {str(path): named(text) for path, text in texts.items() if named(text)} == {}
    assert named('expand("<results>/recovery/claims.csv")') == {"recovery"}, "it would be found"


@pytest.mark.parametrize("name", experiments())
def test_an_experiment_names_files_from_which_publication_reads_its_commit(name):
    rules = (ROOT / f"workflow/rules/{name}.smk").read_text()
    (delivery,) = re.findall(r"^deliver\(\n(.*?)^\)", rules, re.MULTILINE | re.DOTALL)
    assert re.search(r"^    artefacts=", delivery, re.MULTILINE)


@pytest.mark.parametrize("name", experiments())
def test_all_of_an_experiment_is_found_by_its_name(name):
    rules = (ROOT / f"workflow/rules/{name}.smk").read_text()
    for rule in re.findall(r"^rule (\w+):", rules, re.MULTILINE):
        assert rule == name or rule.startswith(f"{name}_")
    for script in re.findall(r"python -m (\S+)", rules):
        assert script.startswith(f"{name}.")
    assert all(path.startswith(f"{name}/") for path in re.findall(r'code\("([^"]+)"', rules))
    assert (ROOT / f"tests/{name}").is_dir()
    # Without it snakemake --report fails.
    assert (ROOT / f"src/{name}/caption.rst").is_file() or f'drawn("{name}"' not in "".join(
        path.read_text().replace("drawn(\n            ", "drawn(")
        for path in (ROOT / "workflow/rules").glob(f"{name}*.smk")
    )


def test_no_source_is_long_and_a_script_reads_like_a_recipe():
    lines = {path: len(path.read_text().splitlines()) for path in SOURCES}
    lines |= {path: len(path.read_text().splitlines()) for path in ROOT.glob("workflow/**/*.py")}
    lines |= {path: len(path.read_text().splitlines()) for path in ROOT.glob("workflow/**/*.smk")}
    scripts = {path for path in SOURCES if 'if __name__ == "__main__":' in path.read_text()}
    limit = {path: 120 if path in scripts else 300 for path in lines}
    assert {str(p): n for p, n in lines.items() if n > limit[p]} == {}
