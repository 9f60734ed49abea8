"""Shared helpers: one BLAS thread, and small runs of the workflow in a copy of the repository."""

import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import pytest
import torch
import yaml
from filelock import FileLock
from forks import Forks

ROOT = Path(__file__).resolve().parents[1]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
FULL = "FAULTS_FULL" in os.environ  # set by run_faults.py: many trials instead of a few
LONGEST = ("workflow", "slurm", "faults", "data")  # folders of tests, in this order
# What jobs load and is slow.
SLOW = (
    "torch._dynamo", "pandas", "seaborn", "sklearn.datasets", "scipy.optimize", "safetensors.torch",
)  # fmt: skip
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that two processes end together."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(places)))


@cache
def planner() -> Forks:
    """Forks of a Python that has loaded snakemake, which takes longer than to plan."""
    return Forks("snakemake.cli")


def snakemake(
    *arguments: str, forked: bool = False, env: Mapping[str, str] = os.environ, **options
) -> subprocess.CompletedProcess:
    """``python -m snakemake <arguments>``, a fork where it runs no job; jobs are where asked."""
    idle = {"-n", "--dry-run", "--unlock"} & set(arguments)
    python = planner().client if idle else [sys.executable]
    with Forks(*SLOW) if forked else nullcontext() as forks:
        return subprocess.run(
            [*python, "-m", "snakemake", *arguments], text=True,
            env={**env, **(forks.function if forked else {})}, **options,
        )  # fmt: skip


class Workflow:
    """A copy of the repository in which snakemake runs, so that tests may edit its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("src", "workflow", "profiles", "envs", "data/paper", "data/dunl"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignore, dirs_exist_ok=True)
        # Only a checkout of this project names a commit, which pyproject.toml tells.
        (folder / "reports").mkdir(exist_ok=True)
        reports = [f"reports/published{run}.md" for run in ("", "-beyond", "-mixtures")]
        files = (".gitignore", "pyproject.toml", "Snakefile", "config.yaml", *reports)
        (folder / "docs").mkdir(exist_ok=True)
        for name in (*files, "docs/judging.md"):
            shutil.copy(ROOT / name, folder / name)

    @classmethod
    def at(cls, folder: Path) -> "Workflow":
        """A copy that is there already."""
        workflow = object.__new__(cls)
        workflow.folder = folder
        return workflow

    def run(
        self, *arguments: str, check: bool = True, timeout: int = 1500, forked: bool = False
    ) -> subprocess.CompletedProcess:
        """``snakemake --cores 2 <arguments> --configfile workflow/presets/smoke.yaml``.

        ``forked``: its jobs are forks, which pays from four jobs on.
        """
        # Bytecode caches are keyed on size and whole seconds of mtime: too coarse for quick edits.
        result = snakemake(
            "--cores", "2", *arguments, "--configfile", "workflow/presets/smoke.yaml",
            cwd=self.folder, capture_output=True, timeout=timeout, forked=forked,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        if check and result.returncode:
            pytest.fail(
                f"{' '.join(result.args)}\n{result.stdout[-3000:]}\n{result.stderr[-6000:]}"
            )
        return result

    def commit(self) -> str:
        """Make the copy a repository of one commit: its short name."""
        author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "A copy"]):
            subprocess.run(["git", *command], cwd=self.folder, check=True)
        name = ["git", "rev-parse", "--short=12", "HEAD"]
        return subprocess.run(
            name, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def planned(self, *arguments: str) -> dict[str, int]:
        """Jobs per rule that a dry run would execute."""
        output = self.run("--dry-run", *arguments)
        return job_counts(output.stdout + output.stderr)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the copy; the text must be there."""
        text = (self.folder / path).read_text()
        assert old in text, f"{old!r} is not in {path}"
        (self.folder / path).write_text(text.replace(old, new))


def merged(base: dict, over: dict) -> dict:
    """What snakemake makes of --configfile: mappings are merged, all else is replaced."""
    result = copy.deepcopy(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def changed(path: str, value: object) -> dict:
    """The default config with one key set."""
    *parents, last = path.split(".")
    config = place = copy.deepcopy(CONFIG)
    for parent in parents:
        place = place[parent]
    place[last] = value
    return config


def job_counts(output: str) -> dict[str, int]:
    """Read the first "Job stats" table of snakemake's output."""
    lines = iter(output.splitlines())
    for line in lines:
        if line.startswith("Job stats"):
            break
    counts = {}
    for line in lines:
        words = line.split()
        if len(words) == 2 and words[1].isdigit():
            if words[0] == "total":
                break
            counts[words[0]] = int(words[1])
    return counts


@pytest.fixture(autouse=True)
def recorded_fault(request, record_property):
    """What ``@pytest.mark.fault`` says, for the report that tests/faults/run_faults.py reads."""
    if marker := request.node.get_closest_marker("fault"):
        record_property("fault", marker.args[0])
        record_property("promise", marker.args[1])


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Workflow:
    """The smoke preset, run once for all tests and processes; copy it before you change it."""
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        folder = folder.parent  # of all processes
    done = folder / "finished.done"
    with FileLock(folder / "finished.lock"):
        if not done.exists():
            Workflow(folder / "finished").run(forked=True)
            done.touch()
    return Workflow.at(folder / "finished")


@pytest.fixture
def fresh_workflow(tmp_path) -> Workflow:
    """A copy of the repository in which nothing has run."""
    return Workflow(tmp_path)


@pytest.fixture
def workflow_copy(finished, tmp_path) -> Workflow:
    """A finished smoke run that a test may edit."""
    shutil.copytree(finished.folder, tmp_path / "copy", copy_function=shutil.copy2)
    return Workflow.at(tmp_path / "copy")
