"""Print the time of a run by rule as a Markdown table: python workflow/cost.py default --cores 2.

Reads the benchmarks that Snakemake wrote (benchmarks/<run>/) and times how long each script takes
to import what it needs (``--help`` does nothing else). A rule whose script depends on its wildcards
has no time of importing.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="name of the run, as in config.yaml")
    parser.add_argument("--cores", type=int, required=True, help="cores that the run had")
    args = parser.parse_args()
    jobs = []
    for path in sorted((ROOT / "benchmarks" / args.run).rglob("*.tsv")):
        seconds = float(pd.read_csv(path, sep="\t", na_values="-").s[0])
        rule = path.relative_to(ROOT / "benchmarks" / args.run).parts[0].removesuffix(".tsv")
        jobs.append((rule, seconds, path.stat().st_mtime))
    table = pd.DataFrame(jobs, columns=["rule", "seconds", "end"])
    rules = table.groupby("rule").seconds.agg(["size", "sum"])
    scripts = script_of_rules()
    rules["import"] = [
        n * import_seconds(scripts[rule]) if rule in scripts else 0.0
        for rule, n in rules["size"].items()
    ]
    rules = rules.sort_values("sum", ascending=False)
    wall = table.end.max() - (table.end - table.seconds).min()

    print("| rule | jobs | total s | importing | everything else |")
    print("|---|---|---|---|---|")
    for rule, row in [*rules.iterrows(), ("all", rules.sum())]:
        name = rule if rule == "all" else f"`{rule}`"
        rest = max(row["sum"] - row["import"], 0)
        print(
            f"| {name} | {row['size']:.0f} | {row['sum']:.0f} | {row['import']:.0f} | {rest:.0f} |"
        )
    waiting = args.cores * wall - rules["sum"].sum()
    between = f"{wall:.0f} s from the start of the first job to the end of the last"
    print(f"\n{between} on {args.cores} cores, with {waiting:.0f} core seconds without a job.")


def script_of_rules() -> dict[str, str]:
    """Rule -> its script, read off the rule files."""
    text = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    scripts = {}
    for rule in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]:
        if found := re.search(r'code=(?:lambda w: )?code\("([\w/]+\.py)"', rule):
            scripts[rule.split(":")[0]] = found[1]
    return scripts


def import_seconds(script: str) -> float:
    """Processor time of a script that only imports."""
    before = os.times()
    command = [sys.executable, "-m", script.removesuffix(".py").replace("/", "."), "--help"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = os.times()
    return after.children_user + after.children_system - before[2] - before[3]


if __name__ == "__main__":
    main()
