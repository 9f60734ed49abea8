"""What a run cost and on which machine."""

import os
import platform
from pathlib import Path

import pandas as pd
import psutil


def cost(folder: Path) -> dict:
    """What the jobs of a run cost: wall time with a job under way, core time, peak memory."""
    jobs = {f: pd.read_csv(f, sep="\t", na_values="-") for f in sorted(folder.rglob("*.tsv"))}
    ends = [(f.stat().st_mtime - float(job.s[0]), f.stat().st_mtime) for f, job in jobs.items()]
    wall, until = 0.0, 0.0
    for start, end in sorted(ends):
        wall += max(0.0, end - max(start, until))
        until = max(until, end)
    rules = [f.relative_to(folder).parts[0].removesuffix(".tsv") for f in jobs]
    table = pd.concat(jobs.values(), ignore_index=True).groupby(rules)
    seconds, memory = table.s.sum(), table.max_rss.max()
    return {
        "wall_minutes": round(wall / 60, 1),
        "job_minutes": round(float(seconds.sum()) / 60, 1),
        "peak_memory_mb": round(float(memory.max())),
        "job_minutes_by_rule": {rule: round(s / 60, 1) for rule, s in seconds.items()},
        "peak_memory_mb_by_rule": {rule: round(m) for rule, m in memory.dropna().items()},
    }


def machine() -> str:
    """Description of this machine: cores and memory."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB ({platform.machine()})"
