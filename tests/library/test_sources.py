"""No source unpickles or executes what it reads, and all files are written by one module."""

import ast

import pytest
from conftest import ROOT

SOURCES = sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("workflow/**/*.py")])
MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "imp",
    "runpy",
}
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load",
    "torch.jit.load", "torch.hub.load", "pd.read_pickle", "pandas.read_pickle", "yaml.load",
    "yaml.unsafe_load", "yaml.full_load", "shutil.unpack_archive", "importlib.import_module",
    "import_module",
}  # fmt: skip
# Modules whose names come from a file of the repository, the stub or the folders of src/, or from
# the user, in a call or in the config; never from a model or an artefact.
IMPORTERS = {
    "src/groupsparse/__init__.py": {"import_module"},
    "workflow/validate.py": {"import_module"},
    "src/groupsparse/plugins.py": {"importlib.import_module"},
}
WRITERS = {"write_text", "write_bytes", "save_file", "to_parquet", "to_pickle", "savetxt", "savez"}
SAVERS = {"style.save", "checkpoints.save"}  # they call groupsparse.files
METHODS = {"extractall", "extract"}  # of tar and zip files, which may write anywhere


def forbidden(tree: ast.AST) -> list[str]:
    """What a program must not do with files, as ``line: what``."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
            found += [f"{node.lineno}: import {name}" for name in names if name in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(f"{node.lineno}: from {node.module}")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in CALLS or name.split(".")[-1] in METHODS:
                found.append(f"{node.lineno}: {name}")
            options = {k.arg: k.value for k in node.keywords}
            for key in ("allow_pickle", "shell"):
                if key in options and ast.unparse(options[key]) != "False":
                    found.append(f"{node.lineno}: {key}")
            if name in ("np.load", "numpy.load") and "allow_pickle" not in options:
                found.append(f"{node.lineno}: {name} without allow_pickle=False")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_unpickles_or_executes_what_it_reads(path):
    found = forbidden(ast.parse(path.read_text()))
    allowed = IMPORTERS.get(str(path.relative_to(ROOT)), set())
    assert {what.split(": ")[1] for what in found} == allowed


def writes(tree: ast.AST) -> list[str]:
    """Calls that write a file other than through groupsparse.files, as ``line: what``."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        first = ast.unparse(node.args[0]) if node.args else ""
        modes = [a.value for a in node.args[1:2] if isinstance(a, ast.Constant)]
        if (
            name.split(".")[-1] in WRITERS
            or (name == "open" and any(set("wax+") & set(str(m)) for m in modes))
            or (name.endswith((".savefig", ".save")) and name not in SAVERS and first != "content")
            or (name.endswith((".to_csv", ".to_json")) and first)
        ):
            found.append(f"{node.lineno}: {name}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_is_written_by_the_one_writer(path):
    # scale.py and cost.py: data to stream, in a folder that goes with the benchmark; timing.py:
    # no file.
    allowed = {
        "groupsparse/files.py": ["open"],
        "bench/scale.py": ["np.save", "np.save"],
        "bench/cost.py": ["np.save", "np.save"],
        "bench/timing.py": ["Path('/proc/self/clear_refs').write_text"],
    }
    found = writes(ast.parse(path.read_text()))
    assert [what.split(": ")[1] for what in found] == allowed.get("/".join(path.parts[-2:]), [])


@pytest.mark.parametrize(
    "program",
    [
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "torch.load(path)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "subprocess.run(text, shell=True)",
        "yaml.load(text)",
        "import_module(name)",
        "tarfile.open(path).extractall()",
    ],
)
def test_what_is_forbidden_would_be_found(program):
    assert forbidden(ast.parse(program))


def test_every_rule_calls_a_script_and_holds_no_program():
    for path in ROOT.glob("workflow/rules/*.smk"):
        lines = [line.strip() for line in path.read_text().splitlines()]
        assert not {"run:", "script:", "notebook:", "wrapper:"} & set(lines), path
