"""Copy the small results of a run to where the repository keeps them, with what produced them."""

import argparse
import io
import json
import os
import platform
from pathlib import Path

import jinja2
import pandas as pd
import psutil
from PIL import Image

from groupsparse import published
from groupsparse.artifacts import load_tensors
from groupsparse.files import read_checked, write_atomic
from groupsparse.tables import load_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", required=True, help="report.html")
    parser.add_argument("--recovery", required=True, help="summary/recovery.csv")
    parser.add_argument("--tables", nargs="+", required=True, help="CSV files to copy")
    parser.add_argument("--figures", nargs="+", required=True, help="PNG files to copy")
    parser.add_argument("--models", nargs="+", required=True, help="artefacts, for their commits")
    parser.add_argument("--benchmarks", required=True, help="folder of the benchmarks of the run")
    parser.add_argument("--template", required=True, help="of the README's section of results")
    parser.add_argument("--config", type=json.loads, required=True, help="whole config (JSON)")
    parser.add_argument("--output", required=True, help="folder to fill")
    args = parser.parse_args()
    output = Path(args.output)
    # For people and git: without checksums beside them.
    write_atomic(output / "report.html", read_checked(args.report))
    for table in args.tables:
        write_atomic(output / Path(table).name, read_checked(table))
    for figure in args.figures:
        write_atomic(output / "figures" / Path(figure).name, palette(Path(figure)))
    ends = end_points(load_table(args.recovery))
    write_atomic(output / "end_points.csv", ends.to_csv(index=False).encode())
    run = {"run": args.config["run"], "machine": machine()} | cost(Path(args.benchmarks))
    run |= made_by(args.models)
    write_atomic(output / "run.json", (json.dumps(run, indent=2) + "\n").encode())
    tables = {Path(t).stem: load_table(t) for t in args.tables}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = environment.from_string(Path(args.template).read_text()).render(
        run=run, config=args.config, **readers(ends, tables["table1"], tables["claims"])
    )
    write_atomic(output / "results.md", (text.strip() + "\n").encode())


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
    """Cores and memory of this machine, in words."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB ({platform.machine()})"


def made_by(models: list[str]) -> dict:
    """Commits and versions that made the models: one each, unless code changed under way."""
    provenances = [load_tensors(path)[1]["provenance"] for path in models]
    keys = sorted({key for p in provenances for key in p} - {"machine"})
    return {key: sorted({p[key] for p in provenances}) for key in keys}


def readers(ends: pd.DataFrame, table1: pd.DataFrame, claims: pd.DataFrame) -> dict:
    """What the template asks for: functions that look a number up and write it with its spread."""
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

    verdicts = {name: int(count) for name, count in claims.verdict.value_counts().items()}
    return {"simulated": simulated, "accuracy": accuracy, "paper": paper, "verdicts": verdicts}


if __name__ == "__main__":
    main()
