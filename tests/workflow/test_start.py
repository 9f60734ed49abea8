"""What is wrong with the way a run is started is said in one line, before any job."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def started(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    """A command with its output and errors as one text."""
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def snakemake(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    return started(sys.executable, "-m", "snakemake", *arguments, cwd=cwd, **environment)


def test_a_start_from_another_folder_names_the_right_one(fresh_workflow, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    folder = str(fresh_workflow.folder)
    preset = f"{folder}/workflow/presets/smoke.yaml"
    arguments = ["-n", "--cores", "1", "-s", f"{folder}/Snakefile", "--configfile", preset]
    result = snakemake(*arguments, cwd=elsewhere)
    assert result.returncode != 0
    assert f"Run snakemake in {folder}, or add --directory" in result.stdout
    assert "property" not in result.stdout
    result = snakemake(*arguments, "--directory", folder, cwd=elsewhere)
    assert result.returncode == 0, result.stdout


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
    for name in ("sbatch", "sacct"):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    assert plan().returncode == 0


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
    assert len(result.stdout.splitlines()) == 1


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
