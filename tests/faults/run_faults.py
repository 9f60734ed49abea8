"""Inject every fault many times and write the outcomes to ``docs/faults.csv`` and ``.md``.

The trials are the tests marked ``fault``: ``make test`` runs a few of each, this script all.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pandas as pd
from jinja2 import StrictUndefined, Template

from groupsparse.files import provenance, write_atomic

ROOT = Path(__file__).resolve().parents[2]

PAGE = Template(
    """# Fault-injection results

`make faults` injected each fault in random, seeded ways and checked the resulting state. This
page is rendered from that run: seed {{ seed }}, commit {{ made_by.commit }},
{{ minutes }} minutes on {{ cores }} cores\
{% if failed %}; **{{ failed }} trials broke their promise**{% endif %}.
Python {{ made_by.python }}{% for name in packages %}, {{ name }} {{ made_by[name] }}{% endfor %}.

| fault | promise | trials | kept | longest |
|---|---|---|---|---|
{% for row in rows -%}
| {{ row.fault }} | {{ row.promise }} | {{ row.trials }} | {{ row.kept }}\
{% if row.skipped %} ({{ row.skipped }} not possible here){% endif %} | {{ row.longest }} |
{% endfor %}
A whole run is killed several times before it may end; every kill of a running job is a trial.
*Longest* is the time of one test with its reruns, or of one trial where a test has many short ones.
The runs on SLURM start together; their times exclude the part that ran concurrently.
The same table is in [faults.csv](faults.csv). How runs recover:
[workflow/README.md](../workflow/README.md#when-things-go-wrong).
""",
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20210207)
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="folder to fill")
    parser.add_argument("tests", nargs="*", help="only these, as pytest names them")
    args = parser.parse_args()
    start, made_by = time.monotonic(), provenance()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        status = subprocess.run(
            [sys.executable, "-m", "pytest", "-m", "fault", f"--junitxml={report}", *args.tests,
             "-o", "junit_duration_report=call", "-o", "junit_family=xunit1",
             f"--basetemp={folder}/runs", "--durations=0"],
            cwd=ROOT, env={**os.environ, "FAULTS_FULL": "1", "FAULTS_SEED": str(args.seed)},
        ).returncode  # fmt: skip
        table = summary(ElementTree.parse(report).getroot())
    page = PAGE.render(
        seed=args.seed,
        made_by=made_by,
        packages=("torch", "snakemake", "numpy", "pandas"),
        minutes=round((time.monotonic() - start) / 60),
        cores=f"{os.cpu_count()} {platform.machine()}",
        failed=int((table.trials - table.kept - table.skipped).sum()),
        rows=table.assign(longest=table.longest_seconds.map(duration)).to_dict("records"),
    )
    write_atomic(args.output / "faults.csv", table.to_csv(index=False).encode())
    write_atomic(args.output / "faults.md", page.encode())
    sys.exit(status)


def summary(report: ElementTree.Element) -> pd.DataFrame:
    """One row per fault of a JUnit report: promise, trials, how many kept it, longest seconds."""
    rows = []
    for case in report.iter("testcase"):
        said = {p.get("name"): p.get("value") for p in case.iter("property")}
        if "fault" not in said:
            continue
        trials, kinds = int(said.get("trials", 1)), {child.tag for child in case}
        skipped = trials if "skipped" in kinds else 0
        rows.append(
            {
                "fault": said["fault"],
                "promise": said["promise"],
                "trials": trials,
                "kept": 0 if kinds & {"failure", "error"} else trials - skipped,
                "skipped": skipped,
                "longest_seconds": float(said.get("longest", case.get("time"))),
            }
        )
    groups = pd.DataFrame(rows).groupby(["fault", "promise"], sort=False)
    counts = groups[["trials", "kept", "skipped"]].sum()
    return counts.join(groups.longest_seconds.max().round(3)).reset_index()


def duration(seconds: float) -> str:
    """Seconds as text: milliseconds below one second."""
    return f"{seconds:.0f} s" if seconds >= 1 else f"{max(1, round(seconds * 1000))} ms"


if __name__ == "__main__":
    main()
