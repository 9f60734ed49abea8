"""What is wrong with the way a run is started is said in one line, before any job."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import conftest
import pytest
import yaml
from conftest import ROOT, Workflow, job_counts


def started(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    """A command with its output and errors as one text."""
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def snakemake(*arguments: str, forked: bool = False, cwd: Path, **environment: str):
    return conftest.snakemake(
        *arguments, cwd=cwd, forked=forked, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.fixture
def elsewhere(tmp_path_factory) -> Path:
    """A folder beside which the copy of the workflow has a space in its name."""
    return tmp_path_factory.mktemp("else where")


@pytest.fixture
def away(tmp_path_factory) -> Workflow:
    """A copy of the repository, in a folder that a shell would take for two words."""
    return Workflow(tmp_path_factory.mktemp("the workflow"))


def test_a_start_from_another_folder_leaves_its_results_there(away, elsewhere):
    preset = f"{away.folder}/workflow/presets/smoke.yaml"
    arguments = ["--cores", "1", "-s", f"{away.folder}/Snakefile"]
    arguments += ["--config", "experiments=[theory]", "--configfile", preset]
    result = snakemake(*arguments, cwd=elsewhere, forked=True)
    assert result.returncode == 0, result.stdout
    page = (elsewhere / "reports/smoke/report.html").read_text()
    assert "Theory, measured" in page
    said = "The page of this run is reports/smoke/report.html. Verdicts on the paper's claims: "
    (line,) = (s.removeprefix(said) for s in result.stdout.splitlines() if s.startswith(said))
    table = page[page.index('<table id="verdicts">') :].partition("</table>")[0]
    verdicts = [name for name in re.findall("<th>(.*?)</th>", table) if name not in ("", "tests")]
    counts = dict(zip(verdicts, re.findall('<td class="n">(.*?)</td>', table), strict=False))
    assert {name: count for count, name in re.findall(r"(\d+) ([a-z ]+)", line)} == counts
    assert not (away.folder / "results").exists()
    assert "Nothing to be done" in snakemake("-n", *arguments, cwd=elsewhere).stdout


def test_make_clean_removes_what_runs_leave_and_nothing_else(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "workflow/presets", tmp_path / "workflow/presets")
    runs = ["default", "library", "deconvolution", "mine", "my-own_2"]
    made = [
        f"{kind}/{run}" for run in runs for kind in ("results", "logs", "reports", "benchmarks")
    ]
    made += [".snakemake", "build/docs", "reports/smoke", "benchmarks/full"]
    kept = ["data/raw", "reports/published", "reports/published-beyond", "benchmarks/published"]
    kept += [".venv", "reports/written"]
    for folder in made + kept:
        (tmp_path / folder).mkdir(parents=True)
    result = started("make", "clean", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    assert [folder for folder in made if (tmp_path / folder).exists()] == []
    assert [folder for folder in kept if not (tmp_path / folder).exists()] == []


def test_a_config_beside_the_results_replaces_that_of_the_workflow(away, elsewhere):
    arguments = ["-n", "--cores", "1", "-s", f"{away.folder}/workflow/Snakefile"]
    assert "reports/default/report.html" in snakemake(*arguments, cwd=elsewhere).stdout
    config = (away.folder / "config.yaml").read_text().replace("run: default", "run: mine")
    (elsewhere / "config.yaml").write_text(config)
    assert "reports/mine/report.html" in snakemake(*arguments, cwd=elsewhere).stdout


def test_another_workflow_imports_this_one_and_says_where_its_results_go(away, elsewhere):
    (elsewhere / "ours.yaml").write_text(
        yaml.safe_dump({"sparse": yaml.safe_load((ROOT / "config.yaml").read_text())})
    )
    (elsewhere / "Snakefile").write_text(
        f"""
configfile: "ours.yaml"
module groupsparse:
    snakefile: "{away.folder}/workflow/Snakefile"
    config: config["sparse"]
    pathvars: results="ours/sparse", reports="ours/pages"
use rule * from groupsparse as sparse_*
rule own:
    default_target: True
    input: rules.sparse_build_report.output
    output: "own.html"
    shell: "cp {{input}} {{output}}"
"""
    )
    result = snakemake("-n", "-p", "--cores", "1", cwd=elsewhere)
    assert result.returncode == 0, result.stdout
    jobs = job_counts(result.stdout)
    assert jobs["own"] == 1
    assert jobs["sparse_recovery_train"] == 16
    assert "--output ours/pages/report.html" in result.stdout
    assert "python -m recovery.simulate" in result.stdout
    assert "--checkpoint ours/sparse/checkpoints/" in result.stdout
    assert "results/default" not in result.stdout
    assert "reports/default" not in result.stdout


def test_the_slurm_profile_without_slurm_is_refused_at_once(fresh_workflow, tmp_path):
    tools = tmp_path / "tools"  # what snakemake itself calls, and no SLURM
    tools.mkdir()
    for name in ("bash", "sh", "which"):
        (tools / name).symlink_to(shutil.which(name))

    def plan(*arguments: str) -> subprocess.CompletedProcess:
        arguments = "-n", "--profile", "profiles/slurm", *arguments
        return snakemake(*arguments, cwd=fresh_workflow.folder, PATH=str(tools))

    refused = plan()
    assert refused.returncode != 0
    assert "This machine has no SLURM" in refused.stdout
    assert refused.stdout.count("Using profile") == 1
    assert plan("--executor", "local").returncode == 0
    for name in ("sbatch", "sacct", "scontrol"):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    for state in ("DOWN", "UP"):
        said = f"Slurmctld(primary) at a is DOWN\nSlurmctld(backup) at b is {state}"
        (tools / "scontrol").write_text(f"#!/bin/sh\necho '{said}'\n")
        result = plan()
        assert (result.returncode == 0) == (state == "UP")
        silent = "SLURM is installed, but its controller does not answer"
        assert (silent in result.stdout) == (state == "DOWN")
    (tools / "sleep").symlink_to(shutil.which("sleep"))
    (tools / "scontrol").write_text("#!/bin/sh\nexec sleep 60\n")
    assert silent in plan().stdout


def make(*arguments: str) -> subprocess.CompletedProcess:
    return started("make", "--dry-run", *arguments, cwd=ROOT)


def test_make_reproduce_takes_a_config_and_names_one_that_is_not_there():
    preset = "workflow/presets/smoke.yaml"
    result = make("reproduce", f"CONFIG={preset}")
    assert f"--configfile {preset}" in result.stdout, result.stdout
    assert "--configfile" not in make("reproduce").stdout
    result = make("reproduce", "CONFIG=nope.yaml")
    assert result.returncode != 0
    assert "There is no file nope.yaml" in result.stdout
    # Under another make, such as that of CI, two lines say which folder it is in.
    assert len([s for s in result.stdout.splitlines() if " directory '" not in s]) == 1


def test_make_says_which_python_it_needs(tmp_path):
    """A Python that takes itself for another version."""
    for version, accepted in (("3, 10", False), ("3, 11", True)):
        fake = tmp_path / "python"
        fake.write_text(
            f'#!/bin/sh\n[ "$1" = -c ] || exit 7\n'
            f'exec {sys.executable} -c "import sys; sys.version_info = ({version}, 4); $2"\n'
        )
        fake.chmod(0o755)
        arguments = f"PYTHON={fake}", f"VENV={tmp_path}/venv"
        result = started("make", f"{tmp_path}/venv/.ready", *arguments, cwd=ROOT)
        assert result.returncode != 0
        assert ("3.11 or later" in result.stdout) != accepted
        assert not (tmp_path / "venv").exists()


def test_no_example_gives_a_target_to_an_option():
    """Snakemake takes every word after a config file for another one."""
    files = ["README.md", "Makefile", "config.yaml", "workflow/README.md", *ROOT.glob("docs/*.md")]
    files += [*ROOT.glob("src/**/*.py"), *ROOT.glob("workflow/**/*.py")]
    texts = {file: (ROOT / file).read_text() for file in files}
    assert sum("--configfile " in text for text in texts.values()) >= 3
    for file, text in texts.items():
        following = re.findall(r"--configfile [^\s`]+ +([^`#\s]+)", text)
        assert [word for word in following if not word.startswith("-")] == [], file
