"""Scripts by hand, benchmarks, and what a job asks of its machine."""

import os
import re
import subprocess
import sys

import pandas as pd
from conftest import ROOT

SCRIPTS = sorted(
    f"{path.parent.name}.{path.stem}"
    for path in (ROOT / "src").glob("*/*.py")
    if "__main__" in path.read_text()
)


def test_scripts_that_read_tables_alone_do_not_load_torch():
    scripts = "evidence.collect, report.build, clustering.table1, clustering.scores"
    for room in ("recovery", "clustering", "theory", "mixtures", "deconvolution"):
        scripts += f", {room}.report"
    scripts += ", recovery.figures, theory.figures, mixtures.curves"
    program = f"import {scripts}, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT / "src", check=True)


def test_trainings_do_not_load_what_they_may_not_need():
    """It takes as long as torch to load, and there are many short jobs."""
    scripts = "recovery.train, clustering.train, theory.measure, deconvolution.measure"
    slow = "{'sklearn', 'scipy.optimize', 'scipy.linalg'}"
    program = f"import {scripts}, sys; sys.exit(bool({slow} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT / "src", check=True)


# Every script in a process of its own, which has the slow packages already.
BY_HAND = """
import os, runpy, sys
import matplotlib.pyplot, pandas, sklearn.cluster, torch
for script in sys.argv[1:]:
    print("#", script, flush=True)
    if not os.fork():
        sys.argv = [script, "--help"]
        try:
            runpy.run_module(script, run_name="__main__")
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(end.code)  # to tear the packages down takes a second
    print("status", os.wait()[1])
"""


def test_every_script_runs_by_hand(tmp_path):
    command = [sys.executable, "-c", BY_HAND, *SCRIPTS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    runs = dict(run.split("\n", 1) for run in result.stdout.split("# ")[1:])
    assert list(runs) == SCRIPTS
    for script, output in runs.items():
        assert output.endswith("status 0\n"), f"{script}: {result.stderr}"
        assert output.startswith("usage: "), script


def test_speed_is_measured_when_asked_for_and_never_in_a_run(fresh_workflow, finished):
    assert not (finished.folder / "results/smoke/bench").exists()
    assert fresh_workflow.planned("bench_publish")["bench_measure"] == 13
    fresh_workflow.run("reports/smoke/figures/speed_floor.png")
    table = pd.read_csv(fresh_workflow.folder / "results/smoke/bench/floor.csv")
    assert (table.value > 0).all()
    assert set(table.candidate) == {"library", "bare product"}


def test_a_benchmark_depends_on_the_reference_that_it_imports(fresh_workflow):
    for what, expected in {"shallow": True, "floor": False}.items():
        output = fresh_workflow.run("--dry-run", f"results/smoke/bench/{what}.csv").stdout
        assert ("src/bench/reference.py" in output) == expected
        assert "src/bench/timing.py" in output


def test_with_cuda_each_job_that_computes_on_it_asks_for_one_gpu(fresh_workflow):
    plan = fresh_workflow.run("--dry-run", "--config", "device=cuda").stdout
    jobs = re.findall(r"^rule (\w+):(.*?)(?=^\[|\Z)", plan, re.MULTILINE | re.DOTALL)
    asking = {rule for rule, text in jobs if "gpu=1" in text}
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    using = {s.split(":")[0] for s in rules.split("\nrule ")[1:] if "--device" in s}
    assert asking == using & {rule for rule, _ in jobs}
    profile = (ROOT / "profiles/slurm/config.yaml").read_text()
    assert [rule for rule in using if f"  {rule}: " not in profile] == []
