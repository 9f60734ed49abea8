"""The rule that publishes: what it leaves, and that it refuses before it touches anything."""

import json
import os
import shutil

import pytest
from conftest import job_counts
from recomputed import assert_published_again

from groupsparse import artifacts
from groupsparse.artifacts import load_tensors, save_tensors
from groupsparse.files import checksum_file, provenance

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="a run without git names no commit")
ARTEFACT = "results/smoke/clustering/digits/group_sparse-centered/codes.safetensors"


@pytest.fixture
def published(workflow_copy, monkeypatch):
    """A copy of a finished run of one commit, in which something is published already."""
    # Copies in which tests compare bits are of no commit, so this one is given one afterwards.
    made_by = {**provenance(), "commit": workflow_copy.commit()}
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "provenance", lambda: made_by)
        for path in workflow_copy.folder.glob("results/**/*.safetensors"):
            save_again(path)
    folder = workflow_copy.folder / "reports/published"
    folder.mkdir(parents=True)
    (folder / "old.csv").write_text("old")
    return folder


def save_again(path) -> str:
    """Write an artefact as it is, with the provenance of now and the old time: its old commit."""
    before = path.stat()
    tensors, header = load_tensors(path)
    made = header.pop("provenance")["commit"]
    save_tensors(path, tensors, **header)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return made


def test_claims_and_pages_are_recomputed_exactly_from_what_is_published(
    workflow_copy, published, tmp_path
):
    run = workflow_copy.run("publish")
    assert job_counts(run.stdout + run.stderr) == {"publish": 1}, "the run has made the rest"
    assert not (published / "old.csv").exists()
    assert not checksum_file(published / "claims.csv").exists()
    assert_published_again(published, tmp_path / "again")

    run = json.loads((published / "run.json").read_text())
    (commit,) = run["commit"]
    made = {
        str(p.relative_to(workflow_copy.folder))
        for p in workflow_copy.folder.glob("results/**/*.safetensors")
    }
    assert {commit: made} == {c: set(files) for c, files in run["made_by"].items()}
    assert f"commit {commit}" in (published / "README.md").read_text()


def test_results_of_two_commits_leave_what_is_published_alone(workflow_copy, published):
    path = workflow_copy.folder / ARTEFACT
    made = save_again(path)  # by the code of this repository, not of the copy
    other = load_tensors(path)[1]["provenance"]["commit"]
    result = workflow_copy.run("publish", check=False)
    assert result.returncode
    output = result.stdout + result.stderr
    assert "they come from 2 commits" in output
    assert f"made at commit {other}:\n  {ARTEFACT}\n" in output
    assert f"made at commit {made}:\n" in output
    assert "Traceback" not in output
    assert {p.name: p.read_text() for p in published.rglob("*")} == {"old.csv": "old"}
