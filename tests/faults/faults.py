"""Faults and how to cause them, seeded; what must hold afterwards."""

import contextlib
import copy
import json
import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import hypothesis.strategies as st
import numpy as np
import psutil
import pytest
import yaml
from conftest import FULL, ROOT, merged

from groupsparse.artifacts import load_tensors
from groupsparse.files import CorruptArtifactError, read_checked

SEED = int(os.environ.get("FAULTS_SEED", "20210207"))
DATA = "results/smoke/recovery/snr5/data.safetensors"
TRAININGS = {"recovery.train", "clustering.train"}


def trials(short: int, full: int) -> range:
    """Numbers of the trials of a test: few in the suite, many under run_faults.py."""
    return range(full if FULL else short)


def generator(*parts: object) -> np.random.Generator:
    """Random numbers of one trial, by what it is for."""
    return np.random.default_rng([SEED, zlib.crc32("/".join(map(str, parts)).encode())])


class Reference(NamedTuple):
    """An undisturbed run: its folder, what was asked for and how long it took."""

    folder: Path
    targets: list[str]
    seconds: float

    def start_over(self, folder: Path) -> Path:
        """The same sources in a folder in which nothing has run."""
        hide = shutil.ignore_patterns("results", "logs", "benchmarks", ".snakemake", "smoke")
        return shutil.copytree(self.folder, folder, ignore=hide, dirs_exist_ok=True)


# Interruption


def snakemake(folder: Path, *arguments: str) -> psutil.Popen:
    """Start snakemake on the smoke preset in a copy of the repository; its output is piped."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    command += ["--configfile", "workflow/presets/smoke.yaml"]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return psutil.Popen(command, cwd=folder, **output)


def outcome(process: psutil.Popen) -> tuple[int, str]:
    """Exit status and output of a process, once it has ended."""
    text, _ = process.communicate(timeout=500)
    return process.returncode, text


def kill(process: psutil.Process) -> None:
    """kill -9 of a process and all below it at one moment: none sees another die."""
    family = [process]
    for member in family:  # grows while it is walked: a stopped process starts no others
        with contextlib.suppress(psutil.NoSuchProcess):
            member.suspend()
            family += member.children()
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()


def training_under(process: psutil.Process) -> psutil.Process | None:
    """A training script below a process, if one is running."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if TRAININGS & set(child.cmdline()[:3]):
                    return child
    return None


def kill_at(process: psutil.Popen, moment: float, training_only: bool) -> bool:
    """Kill after ``moment`` seconds snakemake with its jobs, or one training; False: none left."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=moment)
    while process.poll() is None:
        victim = training_under(process) if training_only else process
        if victim is not None:
            kill(victim)
            return True
        time.sleep(0.02)
    return False


def files(folder: Path) -> dict[str, bytes]:
    """What a reader takes for results of the smoke run: all that is not hidden, by its path."""
    results = folder / "results" / "smoke"
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def read(path: Path) -> None:
    """Read an artefact as the scripts do."""
    load_tensors(path) if path.suffix == ".safetensors" else read_checked(path)


def damaged(folder: Path) -> list[str]:
    """Why files of a run that exist are not whole."""
    found = []
    for path in (folder / "results").rglob("*"):
        if path.is_dir() or path.name.startswith(".") or path.suffix == ".sha256":
            continue
        try:
            read(path)
        except CorruptArtifactError as error:
            found.append(str(error))
    return found


def leftovers(folder: Path) -> list[Path]:
    """Temporary files and checkpoints, of which a finished run keeps none."""
    return [*folder.glob("**/.*.tmp"), *folder.glob("results/*/checkpoints/*")]


def checkpoint_epochs(folder: Path) -> dict[str, int]:
    """Epoch of every checkpoint of a run, by its name."""
    return {
        path.stem: len(load_tensors(path)[0]["history.loss"]) - 1
        for path in folder.glob("results/*/checkpoints/*.safetensors")
    }


@contextlib.contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """``mount <arguments> <folder>`` while the block runs; skips the test if that is forbidden."""
    folder.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, text=True)
    if result.returncode:
        pytest.skip(f"cannot mount here: {result.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written while the block runs, not even by root."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid():
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield


# Bad configs and data

SMOKE = merged(
    yaml.safe_load((ROOT / "config.yaml").read_text()),
    yaml.safe_load((ROOT / "workflow/presets/smoke.yaml").read_text()),
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 1, 2, 10**9, -(10**9), 10**30, 10**400])
    | st.floats()
    | st.sampled_from(["", "1e-3", "kmeans", "sparse", "digits", "auto", "a b", "x\n", "é", "../x"])
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FACTORS = [0, -1, 0.5, 2, 3, 10, 1e3, 1e308, 10**40]


def places(value: dict | list, path: tuple = ()) -> Iterator[tuple]:
    """Paths of all entries of nested mappings and lists."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


@st.composite
def mutated_configs(draw) -> dict:
    """The smoke config with one to three entries replaced, removed, added, scaled or swapped."""
    config = copy.deepcopy(SMOKE)
    for _ in range(draw(st.integers(1, 3))):
        *parents, key = draw(st.sampled_from(list(places(config))))
        here = config
        for parent in parents:
            here = here[parent]
        kind = draw(st.sampled_from(["replace", "remove", "add", "scale", "scale", "swap"]))
        if kind == "remove":
            del here[key]
        elif kind == "add":
            value = draw(VALUES)
            here.append(value) if isinstance(here, list) else here.update({draw(st.text()): value})
        elif kind == "swap" and isinstance(here, dict):
            other = draw(st.sampled_from(list(here)))
            here[key], here[other] = here[other], here[key]
        elif kind == "scale" and type(here[key]) in (int, float):
            with contextlib.suppress(OverflowError):
                here[key] = here[key] * draw(st.sampled_from(FACTORS))
        else:
            here[key] = draw(VALUES)
    return config


def run_script(script: ModuleType, patch: pytest.MonkeyPatch, **options: object) -> None:
    """The main function of a script; lists and mappings are given as it expects them."""
    argv = [script.__name__]
    for key, value in options.items():
        value = value if isinstance(value, list) else [value]
        argv += [f"--{key}", *(json.dumps(v) if isinstance(v, dict) else str(v) for v in value)]
    patch.setattr("sys.argv", argv)
    script.main()


# Corruption


def corrupted(content: bytes, random: np.random.Generator) -> bytes:
    """The content with one bit flipped, or cut short."""
    if random.random() < 0.3:
        return content[: random.integers(len(content))]
    changed = bytearray(content)
    changed[random.integers(len(content))] ^= 1 << int(random.integers(8))
    return bytes(changed)
