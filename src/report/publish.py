"""Copy the small results of a run into the repository, with a page and a section for README.md."""

import argparse
import io
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import jinja2
import pandas as pd
import psutil
from PIL import Image

from evidence import published
from evidence.claims import tally
from evidence.tables import load_table
from groupsparse.artifacts import load_tensors
from groupsparse.files import read_checked, write_atomic

EVERY = 10  # of the published history, which must stay small
# What makes the results, as git's pathspecs.
SOURCES = (
    "src", "workflow", "Snakefile", "config.yaml", "envs", "reports/template.html",
    ":!*.md", ":!src/publish_results.py", ":!src/update_readme.py",
)  # fmt: skip
SECTIONS = ("seed", "datasets", "simulation", "clustering", "theory", "report")  # of the config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", required=True, help="report.html")
    parser.add_argument("--recovery", required=True, help="summary/recovery.csv")
    parser.add_argument("--history", required=True, help="summary/recovery_history.csv")
    parser.add_argument("--tables", nargs="+", required=True, help="further CSV files to copy")
    parser.add_argument("--figures", nargs="+", required=True, help="PNG files to copy")
    parser.add_argument("--artefacts", nargs="+", required=True, help="files that name a commit")
    parser.add_argument("--benchmarks", required=True, help="folder of the benchmarks of the run")
    parser.add_argument("--page", required=True, help="template of the page with all tables")
    parser.add_argument("--section", required=True, help="template of the section in README.md")
    parser.add_argument("--config", type=json.loads, required=True, help="whole config (JSON)")
    parser.add_argument("--output", required=True, help="folder to fill")
    args = parser.parse_args()
    made_by, versions = provenances(args.artefacts)
    if reason := refusal(made_by):
        sys.exit(reason)
    run = {"run": args.config["run"], "machine": machine()} | cost(Path(args.benchmarks)) | versions
    run |= {"made_by": made_by, "config": {key: args.config[key] for key in SECTIONS}}
    ends = end_points(load_table(args.recovery))
    tables = {Path(t).stem: load_table(t) for t in args.tables}
    page, section = (
        render(Path(template), run, args.config, ends, tables["table1"], tables["claims"])
        for template in (args.page, args.section)
    )
    files = {
        "report.html": read_checked(args.report),
        **{Path(t).name: read_checked(t) for t in [args.recovery, *args.tables]},
        "recovery_history.csv": csv(thinned(load_table(args.history))),
        "end_points.csv": csv(ends),
        **{f"figures/{Path(f).name}": palette(Path(f)) for f in args.figures},
        "run.json": (json.dumps(run, indent=2) + "\n").encode(),
        "README.md": page.encode(),
        "section.md": section.encode(),
    }
    replace(Path(args.output), files)


def render(
    template: Path,
    run: dict,
    config: dict,
    ends: pd.DataFrame,
    table1: pd.DataFrame,
    claims: pd.DataFrame,
) -> str:
    """Text of a template, whose numbers are read from the tables."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = environment.from_string(template.read_text()).render(
        run=run, config=config, **readers(ends, table1, claims)
    )
    return text.strip() + "\n"


def replace(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder, without checksums, and delete all others there."""
    for name, content in files.items():
        write_atomic(folder / name, content)
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()


def provenances(paths: list[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Which artefacts each commit made, and every value of each entry of their provenance."""
    made_by: dict[str, list[str]] = {}
    values: dict[str, set[str]] = {}
    for path in sorted(paths):
        provenance = load_tensors(path)[1]["provenance"]
        made_by.setdefault(provenance["commit"], []).append(path)
        for key, value in provenance.items():
            if key != "machine":
                values.setdefault(key, set()).add(value)
    return made_by, {key: sorted(values[key]) for key in sorted(values)}


def refusal(made_by: dict[str, list[str]]) -> str | None:
    """Why these results cannot be published; None if one commit made all and its code is here.

    Tables and figures name no commit. Snakemake makes them again whenever code that they depend on
    has changed, so they are of the commit of the artefacts if the code has not changed since.
    """
    lines = [
        line
        for commit, files in made_by.items()
        for line in (f"made at commit {commit}:", *(f"  {file}" for file in files))
    ]
    only = next(iter(made_by))
    if len(made_by) > 1:
        why = f"they come from {len(made_by)} commits"
    elif only == "unknown":
        why = "their commit is unknown"
    elif only.endswith("-dirty"):
        why = f"the code had changes that commit {only.removesuffix('-dirty')} does not hold"
    elif not is_here(only):
        why = f"commit {only} is not in this repository"
    elif changed := changed_since(only):
        why = f"since commit {only} the code has changed"
        lines = [f"changed since commit {only}:", *(f"  {file}" for file in changed)]
    else:
        return None
    return "\n".join(
        [
            f"Nothing is published: the results must come from one commit, and {why}.",
            *lines,
            "Commit all changes, delete the results, make the run again and publish it.",
        ]
    )


def is_here(commit: str) -> bool:
    """Whether the repository has a commit."""
    command = ["git", "cat-file", "-e", f"{commit}^{{commit}}"]
    return subprocess.run(command, capture_output=True).returncode == 0


def changed_since(commit: str) -> list[str]:
    """Files that make results and differ from those of a commit, untracked ones included."""
    commands = (
        ["git", "diff", "--name-only", commit, "--", *SOURCES],
        ["git", "ls-files", "--others", "--exclude-standard", "--", *SOURCES],
    )
    texts = [subprocess.run(c, capture_output=True, text=True, check=True).stdout for c in commands]
    return sorted(line for text in texts for line in text.splitlines())


def thinned(history: pd.DataFrame, every: int = EVERY) -> pd.DataFrame:
    """Of each curve the epochs 0, 1, every k-th, the last and that of its minimum.

    Enough for every number of the claims: ends, starts and lowest values.
    """
    curves = history.groupby(
        [c for c in history.columns if c not in ("epoch", "value")], sort=False
    )
    kept = (
        history.epoch.le(1)
        | history.epoch.mod(every).eq(0)
        | history.epoch.eq(curves.epoch.transform("max"))
        | history.index.isin(curves.value.idxmin())
    )
    return history[kept]


def csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def palette(path: Path, colors: int = 128) -> bytes:
    """A PNG with a palette, a third of the size of the original."""
    content = io.BytesIO()
    image = (
        Image.open(io.BytesIO(read_checked(path)))
        .convert("RGB")
        .quantize(colors, dither=Image.Dither.NONE)
    )
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def end_points(recovery: pd.DataFrame) -> pd.DataFrame:
    """Final metrics as mean, standard deviation and count over replicates."""
    keys = ["init", "sampling", "snr", "method", "metric"]
    final = recovery[recovery.stage == "final"]
    return final.groupby(keys, sort=False).value.agg(["mean", "std", "count"]).reset_index()


def cost(folder: Path) -> dict:
    """What the jobs of a run cost: wall time with a job under way, core time, peak memory."""
    jobs = {f: pd.read_csv(f, sep="\t", na_values="-") for f in sorted(folder.rglob("*.tsv"))}
    ends = [(f.stat().st_mtime - float(job.s[0]), f.stat().st_mtime) for f, job in jobs.items()]
    wall, until = 0.0, 0.0
    for start, end in sorted(ends):
        wall += max(0.0, end - max(start, until))
        until = max(until, end)
    seconds = pd.Series({f: float(job.s[0]) for f, job in jobs.items()})
    rules = seconds.groupby(lambda f: f.relative_to(folder).parts[0].removesuffix(".tsv")).sum()
    return {
        "wall_minutes": round(wall / 60, 1),
        "job_minutes": round(float(seconds.sum()) / 60, 1),
        "peak_memory_mb": round(max(float(job.max_rss[0]) for job in jobs.values())),
        "job_minutes_by_rule": {rule: round(s / 60, 1) for rule, s in rules.items()},
    }


def machine() -> str:
    """Description of this machine: cores and memory."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB ({platform.machine()})"


def readers(ends: pd.DataFrame, table1: pd.DataFrame, claims: pd.DataFrame) -> dict:
    """Functions that the templates call: each looks a number up and writes it with its spread."""
    ends = ends.set_index(["init", "sampling", "snr", "method", "metric"])
    keys = ["dataset", "method", "init", "centered", "features", "algorithm"]
    table1 = table1.set_index(keys)

    def simulated(method, sampling, snr, metric="squared_error", init="near", digits=2) -> str:
        mean, std, _ = ends.loc[(init, sampling, snr, method, metric)]
        return f"{mean:.{digits}f} ± {std:.{digits}f}"

    def accuracy(dataset, method, init, features, algorithm, centered=False) -> str:
        row = table1.loc[(dataset, method, init, centered, features, algorithm)]
        return f"{100 * row.acc_mean:.1f} ± {100 * row.acc_std:.1f}"

    def paper(method, features) -> str:
        return " / ".join(f"{100 * v:.1f}" for v in published.TABLE1[method, features].values())

    return {"simulated": simulated, "accuracy": accuracy, "paper": paper, "verdicts": tally(claims)}


if __name__ == "__main__":
    main()
