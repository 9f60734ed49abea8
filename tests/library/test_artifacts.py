"""Artefacts are read as they were written, or an error names the file."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from stat import S_ISDIR

import numpy as np
import pandas as pd
import pytest
import torch

from evidence.tables import load_table, save_table
from groupsparse import artifacts, files
from groupsparse.artifacts import load_tensors, save_tensors, source_digest
from groupsparse.files import PACKAGES, CorruptArtifactError, remove, write_atomic

TENSORS = {
    "float": torch.tensor([[1.5, -0.0, float("inf")], [1e-45, float("nan"), 3.0]]),
    "double": torch.tensor([1 / 3], dtype=torch.float64),
    "long": torch.arange(6).reshape(2, 3).T,
    "bool": torch.tensor([True, False]),
    "scalar": torch.tensor(7.0),
    "empty": torch.zeros(0, 3),
}
HEADER = {"kind": "test", "seed": 7, "model": {"amplitude": [4.0, 5.0]}, "name": 'é "quoted"'}


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().numpy().tobytes()


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(
        (a.dtype, a.shape, bits(a)) == (second[k].dtype, second[k].shape, bits(second[k]))
        for k, a in first.items()
    )


@pytest.fixture
def artefact(tmp_path):
    path = tmp_path / "artefact.safetensors"
    save_tensors(path, TENSORS, **HEADER)
    return path


def test_tensors_come_back_to_the_last_bit(artefact):
    assert equal(load_tensors(artefact)[0], TENSORS)


def test_the_header_comes_back(artefact):
    header = load_tensors(artefact)[1]
    del header["provenance"]
    assert header == HEADER


def test_the_header_carries_versions_and_commit(artefact):
    provenance = load_tensors(artefact)[1]["provenance"]
    assert set(PACKAGES) <= provenance.keys()
    assert provenance["torch"] == torch.__version__
    assert provenance["numpy"] == np.__version__
    assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?|unknown", provenance["commit"])


def commit_seen_from(package: Path) -> str:
    """The commit that a copy of the package records."""
    program = "from groupsparse.files import provenance; print(provenance()['commit'])"
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=package.parent, text=True,
        capture_output=True, check=True,
    ).stdout.strip()  # fmt: skip


@pytest.mark.parametrize(
    ("place", "name", "known"),
    [
        ("src/groupsparse", "groupsparse", True),
        ("src/groupsparse", "theirs", False),
        (".venv/lib/site-packages/groupsparse", "groupsparse", False),
        (".venv/lib/site-packages/groupsparse", "theirs", False),
        ("groupsparse", "groupsparse", False),
    ],
)
def test_the_commit_of_somebody_else_s_repository_is_never_recorded(tmp_path, place, name, known):
    (tmp_path / ".gitignore").write_text(".venv\n__pycache__\n")
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    shutil.copytree(
        Path(files.__file__).parent, tmp_path / place, ignore=shutil.ignore_patterns("__pycache__")
    )
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "theirs"]):
        author = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *author, *command], check=True)
    commit = commit_seen_from(tmp_path / place)
    assert bool(re.fullmatch("[0-9a-f]{12}", commit)) == known
    assert known or commit == "unknown"


def test_what_is_not_installed_is_left_out_of_the_provenance(monkeypatch):
    monkeypatch.setattr(files, "PACKAGES", ("torch", "no-such-package"))
    found = files.provenance.__wrapped__()
    assert found["torch"] == torch.__version__
    assert "no-such-package" not in found


def test_parameters_that_require_gradients_can_be_saved(tmp_path):
    path = tmp_path / "file"
    save_tensors(path, {"a": torch.nn.Parameter(torch.ones(2, 3).T)})
    assert torch.equal(load_tensors(path)[0]["a"], torch.ones(3, 2))


def test_the_order_of_tensors_does_not_matter(artefact, tmp_path):
    save_tensors(tmp_path / "again", dict(reversed(TENSORS.items())), **HEADER)
    assert equal(load_tensors(tmp_path / "again")[0], load_tensors(artefact)[0])


@pytest.mark.parametrize("fraction", [0, 0.001, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_refused_by_name(artefact, fraction):
    content = artefact.read_bytes()
    artefact.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(CorruptArtifactError, match=re.escape(str(artefact))):
        load_tensors(artefact)


def test_a_file_with_bytes_appended_is_refused(artefact):
    artefact.write_bytes(artefact.read_bytes() + b"\0")
    with pytest.raises(CorruptArtifactError):
        load_tensors(artefact)


def flip(path, position: int, mask: int) -> str:
    """What becomes of a file with some bits of one byte flipped: refused, harmless or accepted."""
    content = bytearray(path.read_bytes())
    content[position] ^= mask
    changed = path.with_name("changed.safetensors")
    changed.write_bytes(content)
    try:
        tensors, header = load_tensors(changed)
    except CorruptArtifactError as error:
        return "refused" if str(changed) in str(error) else "unnamed"
    original = load_tensors(path)
    return "harmless" if equal(tensors, original[0]) and header == original[1] else "accepted"


@pytest.mark.parametrize("seed", range(30))
def test_a_byte_flipped_anywhere_is_refused_by_name(artefact, seed):
    rng = np.random.default_rng(seed)
    position = int(rng.integers(artefact.stat().st_size))
    outcome = flip(artefact, position, int(rng.integers(1, 256)))
    # Harmless: a space that pads the JSON header became another kind of white space.
    padding = artefact.read_bytes()[position] == ord(" ")
    assert outcome == "refused" or (outcome == "harmless" and padding)


def test_no_flipped_bit_yields_other_content(artefact):
    size = artefact.stat().st_size
    outcomes = {(p, b): flip(artefact, p, 1 << b) for p in range(size) for b in range(8)}
    assert {k: v for k, v in outcomes.items() if v != "refused"} == {}


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(CorruptArtifactError, match=re.escape(str(tmp_path / "nothing"))):
        load_tensors(tmp_path / "nothing")


def test_a_safetensors_file_without_our_header_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(3)}, tmp_path / "foreign")
    with pytest.raises(CorruptArtifactError, match="checksum"):
        load_tensors(tmp_path / "foreign")


def test_an_edited_header_is_refused(artefact):
    content = artefact.read_bytes()
    edited = content.replace(rb"\"seed\": 7", rb"\"seed\": 8")
    assert edited != content
    artefact.write_bytes(edited)
    with pytest.raises(CorruptArtifactError, match="checksum"):
        load_tensors(artefact)


def test_equal_content_is_equal_bytes(tmp_path):
    for i in range(8):
        save_tensors(tmp_path / str(i), {"a": torch.arange(3.0)}, seed=7, spec={"b": 1, "a": 2})
    assert len({(tmp_path / str(i)).read_bytes() for i in range(8)}) == 1


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_failed_write_leaves_the_old_content_and_no_temporary_file(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(*arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="no space left"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_replaces_the_file_and_makes_its_folder(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    write_atomic(path, b"old and long")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_reaches_the_disk_before_and_after_the_rename(tmp_path, monkeypatch):
    steps, fsync, replace = [], os.fsync, os.replace

    def sync(descriptor):
        folder = S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("sync folder" if folder else "sync file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", lambda *paths: steps.append("rename") or replace(*paths))
    write_atomic(tmp_path / "file", b"new")
    assert steps == ["sync file", "rename", "sync folder"]


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path):
    path = tmp_path / "a.csv"
    own = [tmp_path / ".a.csv.0123abcd.tmp", tmp_path / ".a.csv.4567ef89.tmp"]
    others = [tmp_path / ".a.csv.gz.0123abcd.tmp", tmp_path / ".b.csv.0123abcd.tmp"]
    for action in (lambda: write_atomic(path, b"new"), lambda: remove(path)):
        for left in (*own, *others):
            left.touch()
        action()
        assert [p for p in own if p.exists()] == []
        assert all(p.exists() for p in others)
    assert not path.exists()


def test_a_file_and_its_checksum_are_written_checksum_first(tmp_path, monkeypatch):
    order, replace = [], os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: order.append(b.name) or replace(a, b))
    save_table(tmp_path / "t.csv", pd.DataFrame({"a": [1]}))
    assert order == ["t.csv.sha256", "t.csv"]


def test_a_table_comes_back_with_exact_floats(tmp_path):
    random = np.random.default_rng(0)
    values = np.concatenate(
        [
            [0.1, 1 / 3, -0.0, 1e300, 5e-324, np.pi, np.inf, -np.inf],
            random.standard_normal(200) * 10.0 ** random.integers(-300, 300, 200),
        ]
    )
    table = pd.DataFrame({"value": values, "epoch": np.arange(len(values)), "method": "relu"})
    save_table(tmp_path / "t.csv", table)
    again = load_table(tmp_path / "t.csv")
    assert again["value"].to_numpy().tobytes() == values.tobytes()
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def test_nan_and_words_that_look_like_missing_values_come_back(tmp_path):
    table = pd.DataFrame({"value": [1.0, np.nan], "name": ["NA", "None"]})
    save_table(tmp_path / "t.csv", table)
    again = load_table(tmp_path / "t.csv")
    assert again["name"].tolist() == ["NA", "None"]
    assert again["value"].isna().tolist() == [False, True]


def test_missing_columns_are_named_with_the_file(tmp_path):
    path = tmp_path / "t.csv"
    save_table(path, pd.DataFrame({"metric": ["loss"]}))
    with pytest.raises(CorruptArtifactError, match=r"t\.csv.*\['value', 'epoch'\]"):
        load_table(path, ("metric", "value", "epoch"))


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00\x81", b'a,b\n1,2\n"3,4\n'])
def test_an_unreadable_table_is_refused_by_name(tmp_path, content):
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CorruptArtifactError, match=re.escape(str(path))):
        load_table(path, ("a",))


def test_the_source_digest_is_stable_and_follows_the_source(tmp_path, monkeypatch):
    package = tmp_path / "package"
    shutil.copytree(os.path.dirname(artifacts.__file__), package)
    monkeypatch.setattr(artifacts, "__file__", str(package / "artifacts.py"))
    fresh = source_digest.__wrapped__
    first = fresh()
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert fresh() == first
    with open(package / "prox.py", "a") as file:
        file.write("\n")
    assert fresh() != first


def test_the_header_is_json_that_other_tools_can_read(artefact):
    content = artefact.read_bytes()
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    sealed = json.loads(metadata["groupsparse"])
    assert sealed["header"]["kind"] == "test"
    assert re.fullmatch("[0-9a-f]{64}", sealed["sha256"])


def test_a_commit_is_marked_by_changes_of_code_and_not_by_what_is_published(tmp_path, monkeypatch):
    source = tmp_path / "src/groupsparse/files.py"
    published = tmp_path / "reports/published/table.csv", tmp_path / "README.md"
    for path in (source, *published):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("first")
    (tmp_path / "pyproject.toml").write_text('name = "groupsparse"\n')
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "First"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(files, "__file__", str(source))
    commit = files._git_commit()
    assert re.fullmatch("[0-9a-f]{12}", commit)
    for path in published:
        path.write_text("second")
    assert files._git_commit() == commit
    source.write_text("second")
    assert files._git_commit() == f"{commit}-dirty"
