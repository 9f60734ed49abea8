"""What is published: results of one commit, with a thinned history and nothing from before."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from evidence.tables import save_table
from groupsparse.artifacts import save_tensors
from groupsparse.files import provenance
from report import again
from report.commit import provenances, refusal
from report.publish import published, replace, thinned

FILES = ["results/a.safetensors", "results/b.safetensors"]


def git(*arguments: str) -> str:
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    command = ["git", *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of one commit, which is where the test runs."""
    monkeypatch.chdir(tmp_path)
    for name in ("src/report/publish.py", "src/train.py", "config.yaml", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "All")
    return tmp_path


def head() -> str:
    return git("rev-parse", "--short=12", "HEAD")


def test_results_of_one_commit_whose_code_is_here_are_published(repository):
    assert refusal({head(): FILES}) is None


@pytest.mark.parametrize("committed", [True, False])
def test_what_makes_no_result_may_change_after_a_run(repository, committed):
    made = head()
    for name in ("README.md", "src/report/publish.py"):
        (repository / name).write_text("changed")
    (repository / "notes.txt").write_text("new")
    if committed:
        git("add", ".")
        git("commit", "-qm", "Words")
    assert refusal({made: FILES}) is None


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize(
    "name", ["src/train.py", "config.yaml", "src/groupsparse/new.py", "data/paper/table1.csv"]
)
def test_code_that_has_changed_since_the_run_is_named(repository, name, committed):
    made = head()
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("changed")
    if committed:
        git("add", ".")
        git("commit", "-qm", "Code")
    reason = refusal({made: FILES})
    assert f"since commit {made} the code has changed" in reason
    assert f"\n  {name}\n" in reason


def test_results_that_name_no_commit_are_refused():
    assert "no file of these experiments names the commit" in refusal({})


@pytest.mark.parametrize(
    ("made_by", "why"),
    [
        ({"aaa": FILES[:1], "bbb": FILES[1:]}, "they come from 2 commits"),
        ({"aaa-dirty": FILES}, "the code had changes that commit aaa does not hold"),
        ({"aaa": FILES[:1], "aaa-dirty": FILES[1:]}, "they come from 2 commits"),
        ({"unknown": FILES}, "their commit is unknown"),
        ({"0123456789ab": FILES}, "commit 0123456789ab is not in this repository"),
    ],
)
def test_other_results_are_refused_with_their_files_and_a_way_out(repository, made_by, why):
    first, *rest = refusal(made_by).splitlines()
    assert first == f"Nothing is published: the results must come from one commit, and {why}."
    listed = [line for c, files in made_by.items() for line in (f"made at commit {c}:", *files)]
    assert [line.strip() for line in rest[:-1]] == listed
    assert rest[-1] == "Commit all changes, delete the results, make the run again and publish it."


def test_the_commits_and_versions_are_those_of_the_headers(tmp_path):
    paths = [str(tmp_path / f"{name}.safetensors") for name in "ab"]
    for path in paths:
        save_tensors(path, {}, kind="codes")
    made_by, versions = provenances(paths[::-1])
    assert made_by == {provenance()["commit"]: paths}
    assert versions["torch"] == [provenance()["torch"]]
    assert "machine" not in versions, "it is described apart"


def curves(epochs: int = 25) -> pd.DataFrame:
    """Two replicates of a loss from epoch 1 on and of an error from epoch 0 on."""
    rng = np.random.default_rng(0)
    rows = [
        {"method": "ours", "replicate": r, "epoch": e, "metric": metric, "value": rng.random()}
        for r in (0, 1)
        for metric, start in (("loss", 1), ("error", 0))
        for e in range(start, epochs + r)
    ]
    return pd.DataFrame(rows)


def test_a_thinned_curve_keeps_its_ends_its_minimum_and_every_tenth_epoch():
    whole, parts = curves(), []
    for _, curve in whole.groupby(["replicate", "metric"]):
        least, last = curve.epoch[curve.value.idxmin()], curve.epoch.max()
        expected = {0, 1, 2, 10, 20, least, last} & set(curve.epoch)
        parts.append(curve[curve.epoch.isin(expected)])
    together = thinned(whole, 10, early=2)
    pd.testing.assert_frame_equal(together, pd.concat(parts).sort_index())
    assert len(together) < len(whole) / 2
    pd.testing.assert_frame_equal(thinned(together, 10, early=2), together)


def test_a_thinned_history_of_the_full_run_is_small_enough_to_commit():
    # More curves than workflow/presets/full.yaml has, as long as its own, in the longest words.
    parts = [
        curves(300).assign(experiment="recovery", snr=10.0, init="near_unit", n=i)
        for i in range(50)
    ]
    whole = pd.concat(parts, ignore_index=True)
    assert len(thinned(whole).to_csv(index=False)) < 2**21


def test_only_a_history_loses_epochs(tmp_path):
    for name in ("a_history", "a_sweep"):
        save_table(tmp_path / f"{name}.csv", curves())
    whole = curves().to_csv(index=False).encode()
    assert published("a_sweep", tmp_path / "a_sweep.csv") == whole
    assert published("a_history", tmp_path / "a_history.csv") == (
        thinned(curves()).to_csv(index=False).encode()
    )


def test_publishing_leaves_nothing_of_what_was_published_before(tmp_path):
    replace(tmp_path, {"run.json": b"old", "figures/old.png": b"", "stale.csv": b""})
    files = {"run.json": b"new", "figures/new.png": b"1"}
    replace(tmp_path, files)
    found = {p.relative_to(tmp_path).as_posix(): p for p in tmp_path.rglob("*") if p.is_file()}
    assert {name: path.read_bytes() for name, path in found.items()} == files


def test_a_large_table_goes_without_the_name_of_its_experiment(tmp_path, monkeypatch):
    table = pd.DataFrame({"experiment": ["mine"] * 3, "value": [0.1, 0.2, 0.3]})
    save_table(tmp_path / "mine.csv", table)
    whole = published("mine", str(tmp_path / "mine.csv"))
    assert whole == (tmp_path / "mine.csv").read_bytes()
    monkeypatch.setattr("report.publish.LARGE", len(whole) - 1)
    content = published("mine", str(tmp_path / "mine.csv"))
    assert content.decode() == "value\n0.1\n0.2\n0.3\n"


def test_a_published_run_is_judged_again_by_the_code_that_is_here(tmp_path, monkeypatch):
    published = ROOT / "reports/published-library"
    folder = Path(shutil.copytree(published, tmp_path / published.name))
    shutil.copy(published.with_suffix(".md"), tmp_path)
    (folder / "claims.csv").write_text("what other code said\n")
    monkeypatch.setattr(again, "changed_since", lambda commit: [])
    monkeypatch.setattr(sys, "argv", ["again.py", str(folder)])
    again.main()
    made, judged = (json.loads((p / "run.json").read_text()) for p in (published, folder))
    assert judged == made | {"judged_by": head()}
    assert (folder / "claims.csv").read_text() == (published / "claims.csv").read_text()
    for name in ("README.md", "section.md"):
        words = (folder / name).read_text().replace("\n", " ")
        assert f"commit {made['commit'][0]}, judged by commit {head()}, on" in words
    page = (folder / "report.html").read_text()
    assert f"<td>judged by</td><td>{head()}</td>" in page
    assert f"<td>commit</td><td>{made['commit'][0]}</td>" in page


def test_code_that_no_commit_holds_judges_nothing(monkeypatch):
    monkeypatch.setattr(again, "changed_since", lambda commit: ["src/recovery/claims.py"])
    monkeypatch.setattr(sys, "argv", ["again.py", "nowhere"])
    with pytest.raises(SystemExit, match="Commit the code that judges first: src/recovery/claims"):
        again.main()
