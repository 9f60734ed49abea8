"""Killed, out of space, not allowed to write: a rerun gives the results of an undisturbed run."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from conftest import FULL, Workflow
from faults import (
    DATA,
    Reference,
    checkpoint_epochs,
    corrupted,
    damaged,
    files,
    generator,
    kill,
    kill_at,
    leftovers,
    mounted,
    outcome,
    read,
    read_only,
    snakemake,
    trials,
)

from evidence.tables import load_table, save_table
from groupsparse.files import CorruptArtifactError, checksum_file, write_checked

KILLS = 3 if FULL else 1  # of each kind in one run, before it may end
SAME_BITS = "after the rerun every result has the bits of an undisturbed run; no partial file"


@pytest.fixture(scope="module")
def reference(request, tmp_path_factory) -> Reference:
    """In the suite, the trainings of the smoke run; else all of it, trained longer, to be hit."""
    if not FULL:
        finished = request.getfixturevalue("finished").folder
        return Reference(finished, ["results/smoke/summary/recovery_history.csv"], 12)
    workflow = Workflow(tmp_path_factory.mktemp("undisturbed"))
    preset = "workflow/presets/smoke.yaml"
    workflow.edit(preset, "epochs: 12, checkpoint_every: 4", "epochs: 1200, checkpoint_every: 40")
    workflow.edit(preset, "epochs: 3, checkpoint_every: 1", "epochs: 60, checkpoint_every: 2")
    start = time.monotonic()
    workflow.run("summarise")
    return Reference(workflow.folder, ["summarise"], time.monotonic() - start)


def finish(folder: Path, *targets: str, forked: bool = False) -> None:
    Workflow.at(folder).run(*targets, forked=forked)


def assert_undisturbed(folder: Path, reference: Reference) -> None:
    """Every result is there and right, and nothing is left over or left to do."""
    expected, found = files(reference.folder), files(folder)
    assert set(found) <= set(expected)
    assert [name for name in found if found[name] != expected[name]] == []
    if FULL:
        assert set(found) == set(expected)
    assert leftovers(folder) == []
    assert Workflow.at(folder).planned(*reference.targets) == {}


@pytest.mark.fault("kill -9 of snakemake with all its jobs, then of one training", SAME_BITS)
@pytest.mark.parametrize("trial", trials(1, 5))
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(
    trial, reference, tmp_path, record_property
):
    folder, random = reference.start_over(tmp_path / "run"), generator("kill", trial)
    hits = 0
    for training_only in [False, True] * KILLS:
        moment = random.uniform(0.5, reference.seconds / 3)
        process = snakemake(folder, "--nolock", *reference.targets)
        hits += kill_at(process, moment, training_only)
        process.communicate()
        assert damaged(folder) == []
    assert hits > KILLS, "the run ended before it was killed in both ways"
    record_property("trials", hits)
    epochs = checkpoint_epochs(folder)
    finish(folder, "--unlock")
    finish(folder, *reference.targets, forked=True)
    for name, epoch in epochs.items():
        (log,) = folder.glob(f"logs/smoke/*_train/{name}.log")
        assert f"after epoch {epoch}\n" in log.read_text(), "it went on from its checkpoint"
    assert_undisturbed(folder, reference)


# A training by hand, slow enough to be met: unfolded, in batches of random order.

SPEC = '{"prox": "group_soft", "lambda": 1.0, "encoder": "fista", "layers": 5}'
TRAINING = (
    '{"epochs": 150, "optimizer": "adam", "lr": 0.001, "batch_size": 50, "normalize": false, '
    '"checkpoint_every": 5}'
)
CHECKPOINT = "results/run/checkpoints/training.safetensors"


def arguments(source: Path, folder: Path) -> list[str]:
    """Those of recovery.train for a training in a folder, on the data of a run."""
    options = {
        "data": source / DATA, "init": "near", "sampling": "fixed", "method": "m", "spec": SPEC,
        "training": TRAINING, "device": "cpu", "checkpoint": folder / CHECKPOINT,
        "output": folder / "results/model.safetensors", "history": folder / "results/history.csv",
    }  # fmt: skip
    return [f"--{key}={value}" for key, value in options.items()]


def training(source: Path, folder: Path, limit: int | None = None) -> subprocess.Popen:
    """Start recovery.train by hand; ``limit`` bytes is the largest file that it may write."""
    command = [sys.executable, "-m", "recovery.train", *arguments(source, folder)]
    environment = {**os.environ, "PYTHONPATH": str(source / "src")}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        preexec_fn=limit and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))),
    )  # fmt: skip


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("results/*") if path.is_file()}


class Trained(NamedTuple):
    """An undisturbed training: where it is from, the bytes of its outputs and its seconds."""

    source: Path
    outputs: dict[str, bytes]
    seconds: float

    def assert_again(self, folder: Path) -> None:
        """Check that the training in this folder resumes and ends with the same bits."""
        epochs = checkpoint_epochs(folder)
        status, text = outcome(training(self.source, folder))
        assert status == 0, text
        assert ("resuming" in text) == bool(epochs)
        assert all(f"after epoch {epoch}\n" in text for epoch in epochs.values())
        assert outputs(folder) == self.outputs
        assert leftovers(folder) == []


@pytest.fixture(scope="module")
def trained(reference, tmp_path_factory) -> Trained:
    folder, start = tmp_path_factory.mktemp("trained"), time.monotonic()
    status, text = outcome(training(reference.folder, folder))
    assert status == 0, text
    assert set(outputs(folder)) == {"model.safetensors", "history.csv", "history.csv.sha256"}
    return Trained(reference.folder, outputs(folder), time.monotonic() - start)


@pytest.mark.fault("kill -9 of a training script by hand", SAME_BITS)
@pytest.mark.parametrize("trial", trials(1, 20))
def test_a_killed_training_goes_on_from_its_checkpoint(trial, trained, tmp_path):
    random = generator("training", trial)
    process = training(trained.source, tmp_path)
    if FULL:
        time.sleep(random.uniform(0, trained.seconds))
    else:  # the one trial shall meet the training, not the start of Python
        while not (tmp_path / CHECKPOINT).exists() and process.poll() is None:
            time.sleep(0.01)
    process.kill()
    process.communicate()
    assert damaged(tmp_path) == []
    trained.assert_again(tmp_path)


def test_a_training_killed_after_its_last_epoch_does_not_start_anew(trained, tmp_path):
    program = (
        "import os, signal; from recovery import train as script; "
        "script.save_tensors = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL); script.main()"
    )
    command = [sys.executable, "-c", program, *arguments(trained.source, tmp_path)]
    assert subprocess.run(command, cwd=trained.source / "src").returncode == -signal.SIGKILL
    assert (tmp_path / CHECKPOINT).exists()
    trained.assert_again(tmp_path)


# Where nothing can be written


@pytest.mark.fault("a file size limit hit by a training script", "an error; " + SAME_BITS)
@pytest.mark.parametrize("trial", trials(1, 5))
def test_a_training_that_may_not_write_whole_files_leaves_none(trial, trained, tmp_path):
    largest = max(map(len, trained.outputs.values()))
    limit = int(generator("limit", trial).integers(1, largest))
    status, text = outcome(training(trained.source, tmp_path, limit))
    assert status != 0
    assert "File too large" in text
    assert damaged(tmp_path) == []
    assert not list(tmp_path.rglob(".*.tmp"))
    trained.assert_again(tmp_path)


@pytest.mark.fault("a full disk under a training script", "an error that says so; " + SAME_BITS)
@pytest.mark.parametrize("trial", trials(1, 5))
def test_a_training_on_a_full_disk_leaves_nothing_half_written(trial, trained, tmp_path):
    pages = int(generator("disk", trial).integers(3, 10))  # of 4 kB; folders take some as well
    with mounted(tmp_path, "-t", "tmpfs", "-o", f"size={4 * pages}k", "tmpfs"):
        status, text = outcome(training(trained.source, tmp_path))
        assert status != 0
        assert "No space left on device" in text
        assert damaged(tmp_path) == []
        assert not list(tmp_path.rglob(".*.tmp"))
        subprocess.run(["mount", "-o", "remount,size=100m", str(tmp_path)], check=True)
        trained.assert_again(tmp_path)


def occupied(folder: Path) -> int:
    """Bytes of disk that all files below a folder take."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))


@pytest.mark.fault("a full disk under a whole run", "an error; " + SAME_BITS)
@pytest.mark.parametrize("trial", trials(1, 2))
def test_a_run_on_a_full_disk_ends_with_the_same_bits_once_there_is_room(
    trial, reference, tmp_path
):
    random, run = generator("full disk", trial), tmp_path / "run"
    with mounted(run, "-t", "tmpfs", "-o", "size=1g", "tmpfs"):
        folder = reference.start_over(run)
        start = occupied(run)
        # The suite makes no more than the recovery.
        recovery = reference.folder / "results/smoke/recovery"
        need = occupied(reference.folder) - start if FULL else occupied(recovery)
        size = int(start + random.uniform(0.1, 0.8) * need)
        subprocess.run(["mount", "-o", f"remount,size={size}", str(run)], check=True)
        status, _ = outcome(snakemake(folder, *reference.targets))
        assert status != 0
        assert damaged(folder) == []
        subprocess.run(["mount", "-o", "remount,size=1g", str(run)], check=True)
        finish(folder, "--unlock")
        finish(folder, *reference.targets, forked=True)
        assert_undisturbed(folder, reference)


@pytest.mark.fault("a results folder that is read-only", "an error that says so; " + SAME_BITS)
@pytest.mark.parametrize("trial", trials(1, 1))
def test_a_run_that_may_not_write_says_so_and_goes_on_once_it_may(trial, reference, tmp_path):
    folder = reference.start_over(tmp_path / "run")
    with read_only(folder / "results"):
        status, text = outcome(snakemake(folder, DATA))
        assert status != 0
        assert "Read-only file system" in text or "Permission denied" in text
    finish(folder, DATA)
    assert (folder / DATA).read_bytes() == (reference.folder / DATA).read_bytes()


@pytest.mark.fault("a lock left behind by kill -9", "refused with the way out; " + SAME_BITS)
@pytest.mark.parametrize("trial", trials(1, 1))
def test_a_lost_lock_is_named_and_can_be_removed(trial, reference, tmp_path):
    folder = reference.start_over(tmp_path / "run")
    process = snakemake(folder, DATA)
    while not list(folder.glob(".snakemake/locks/*")):
        time.sleep(0.01)
    kill(process)
    process.communicate()
    status, text = outcome(snakemake(folder, DATA))
    assert status != 0
    assert "--unlock" in text
    finish(folder, "--unlock")
    finish(folder, DATA)
    assert (folder / DATA).read_bytes() == (reference.folder / DATA).read_bytes()


# Damaged artefacts

DAMAGE = "refused by name, with what to do about it"


@pytest.mark.fault("one bit flipped in an artefact or its checksum, or the end cut off", DAMAGE)
def test_whatever_is_damaged_is_refused(reference, tmp_path, record_property):
    random, each = generator("corruption"), 100 if FULL else 3
    sources = [p for p in sorted((reference.folder / "results").rglob("*")) if p.is_file()]
    slowest = 0.0
    for source in sources:
        read_file = source.name.removesuffix(".sha256")
        for path in (source.with_name(read_file), checksum_file(source.with_name(read_file))):
            if path.exists():
                shutil.copy(path, tmp_path)
        for _ in range(each):
            (tmp_path / source.name).write_bytes(corrupted(source.read_bytes(), random))
            start = time.monotonic()
            with pytest.raises(CorruptArtifactError, match=read_file) as caught:
                read(tmp_path / read_file)
            slowest = max(slowest, time.monotonic() - start)
            assert "Delete the file and make it again" in str(caught.value)
    record_property("trials", each * len(sources))
    record_property("longest", slowest)


def test_a_table_without_its_checksum_is_refused(reference, tmp_path):
    table = reference.folder / "results/smoke/recovery/snr5/metrics.csv"
    shutil.copy(table, tmp_path)
    with pytest.raises(CorruptArtifactError, match=r"metrics\.csv\.sha256"):
        load_table(tmp_path / "metrics.csv")
    shutil.copy(checksum_file(table), tmp_path)
    assert len(load_table(tmp_path / "metrics.csv"))


def test_the_checksum_is_what_sha256sum_reads(reference):
    folder = reference.folder / "results/smoke/recovery/snr5"
    subprocess.run(["sha256sum", "--check", "metrics.csv.sha256"], cwd=folder, check=True)


def test_a_script_refuses_a_damaged_table(tmp_path, monkeypatch):
    from evidence import collect

    save_table(tmp_path / "t.csv", pd.DataFrame({"value": [0.25]}))
    (tmp_path / "t.csv").write_text("value\n0.35\n")
    argv = ["collect.py", str(tmp_path / "t.csv"), "--output", str(tmp_path / "all.csv")]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(CorruptArtifactError, match=r"t\.csv"):
        collect.main()
    assert not (tmp_path / "all.csv").exists()


def test_the_report_refuses_a_damaged_figure(tmp_path):
    from report import build as build_report

    write_checked(tmp_path / "f.png", b"figure")
    (tmp_path / "f.png").write_bytes(b"figurE")
    with pytest.raises(CorruptArtifactError, match=r"f\.png"):
        build_report.embedded(str(tmp_path / "f.png"))
