"""Timing of candidates, interleaved in one process, with every repetition kept."""

import argparse
import json
import logging
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import psutil
import torch
from torch import Tensor

from evidence.options import add_options
from evidence.tables import save_table
from groupsparse.files import provenance, write_atomic
from groupsparse.generative import random_dictionary, sample
from groupsparse.seeds import generator

log = logging.getLogger(__name__)


def arguments(description: str) -> argparse.Namespace:
    """The command line that all benchmarks share; logging is set up."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--settings", type=json.loads, required=True, help="its config (JSON)")
    parser.add_argument("--threads", type=int, nargs="+", required=True, help="bench.threads")
    parser.add_argument("--data", help="artefact of data.prepare, where images are used")
    add_options(parser, "--seed")
    parser.add_argument(
        "--output", required=True, help="CSV; a .json file next to it describes the machine"
    )
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return args


def interleaved(
    candidates: dict[str, Callable[[], object]], repetitions: int, warmup: int = 1
) -> dict[str, list[float]]:
    """Seconds of every call: each repetition runs all candidates, beginning with another one.

    ``warmup`` rounds run first and are not recorded. A GPU is waited for.
    """
    seconds = {name: [] for name in candidates}
    names = list(candidates)
    for repetition in range(-warmup, repetitions):
        shift = repetition % len(names)
        for name in names[shift:] + names[:shift]:
            _synchronize()
            start = time.perf_counter()
            candidates[name]()
            _synchronize()
            if repetition >= 0:
                seconds[name].append(time.perf_counter() - start)
    for name, values in seconds.items():
        log.info("  %s: %.4g to %.4g s", name, min(values), max(values))
    return seconds


def _synchronize() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def step(optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor]) -> Callable[[], None]:
    """One training step, loss, gradient and update, as something to time."""

    def run() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss().backward()
        optimizer.step()

    return run


def isolated(function: Callable, *arguments: object) -> object:
    """Result of a call in a new Python process, whose memory and threads are its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss of a process begins with that of its parent on Linux
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def memory_added_mb(function: Callable[[], object]) -> float:
    """Peak memory during a call beyond what the process held before it, in MB."""
    with suppress(OSError):  # forget the peak of the imports; Linux only
        Path("/proc/self/clear_refs").write_text("5")
    before = psutil.Process().memory_info().rss / 2**20
    function()
    return peak_memory_mb() - before


def simulate(model: dict, seed: int) -> tuple[Tensor, Tensor]:
    """A* (n, m) and data (N, n) of the generative model; ``model`` as in the config."""
    rng = generator(seed, "bench")
    truth = random_dictionary(model["n"], model["groups"] * model["group_size"], rng)
    rest = {key: value for key, value in model.items() if key not in ("n", "groups")}
    return truth, sample(truth, generator=rng, **rest).data


def size(model: dict) -> dict:
    """The columns n, m, samples and group_size of a table."""
    atoms = model["groups"] * model["group_size"]
    return {
        "n": model["n"],
        "m": atoms,
        "samples": model["samples"],
        "group_size": model["group_size"],
    }


def rows(
    values: dict[str, list[float]], baseline: str, metric: str = "seconds", **condition: object
) -> list[dict]:
    """Long form: a row for each candidate and repetition; ``baseline`` is marked."""
    return [
        {
            **condition,
            "candidate": name,
            "baseline": name == baseline,
            "repetition": repetition,
            "metric": metric,
            "value": value,
        }
        for name, repetitions in values.items()
        for repetition, value in enumerate(repetitions)
    ]


def save(path: str, experiment: str, table: list[dict]) -> None:
    """Write the table and, in a file next to it, the machine and versions."""
    first = ["experiment", "case", "candidate", "baseline", "n", "m", "samples", "group_size"]
    last = ["device", "threads", "repetition", "metric", "value"]
    frame = pd.DataFrame(table).assign(experiment=experiment)
    others = [column for column in frame.columns if column not in first + last]
    save_table(path, frame[[*first, *others, *last]])
    content = json.dumps(machine(), indent=2) + "\n"
    write_atomic(Path(path).with_suffix(".json"), content.encode())


def machine() -> dict:
    """Processor, memory, GPU if any, load and versions of this process's machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [x.split(":")[1].strip() for x in lines if x.startswith("model name")]
    cuda = torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "capabilities": sorted(
            k for k, v in torch.cpu.get_capabilities().items() if v is True and "avx" in k
        ),
        "load_after": round(os.getloadavg()[0], 2),
        "malloc": {k: v for k, v in os.environ.items() if k.startswith(("MALLOC_", "GLIBC_"))},
        **provenance(),
    }
