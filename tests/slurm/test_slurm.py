"""The workflow on a real SLURM on this machine: the same numbers, and recovery of failed jobs."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from conftest import FULL, Workflow, job_counts

HERE = Path(__file__).parent
SYSTEM = f"{os.environ['PATH']}:/usr/sbin:/sbin"
MISSING = [p for p in ("munged", "slurmctld", "slurmd") if not shutil.which(p, path=SYSTEM)]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"no {', '.join(MISSING)}: apt-get install slurm-wlm munge"
)

ON_SLURM = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "1")
DATA = "results/smoke/recovery/snr5/data.safetensors"
MODEL = "results/smoke/recovery/snr5/near/fixed/sparse/model.safetensors"
CHECKPOINT = "results/smoke/checkpoints/snr5-near-fixed-sparse.safetensors"
# Experiments. A job costs six seconds of a core: snakemake starts twice on the node. The training
# above is of another experiment.
SUBMITTED = ("clustering", "theory") if FULL else ("theory",)
ROUNDS = 3 if FULL else 1  # of ways to stop a training
TRAINING_LOG = "logs/smoke/recovery_train/snr5-near-fixed-sparse.log"


@pytest.fixture(scope="module")
def cluster():
    """The folder of a running SLURM, which the environment names."""
    # Not pytest's: sockets want a short path that everybody may enter.
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLURM_CONF", f"{folder}/slurm.conf")
        environment.setenv("PATH", f"{folder}/bin:{os.environ['PATH']}")
        try:
            subprocess.run([HERE / "start.sh", folder], check=True)
            yield folder
        finally:
            subprocess.run([HERE / "stop.sh", folder], check=False)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def runs(cluster, tmp_path_factory) -> Iterator[dict[str, tuple[Workflow, Future]]]:
    """Runs of the workflow, some of whose jobs die. They mostly wait: all start at once."""
    with ThreadPoolExecutor() as pool:

        def start(name: str, *arguments: str):
            workflow = Workflow(tmp_path_factory.mktemp(name))
            if name == "training":
                # Long enough to be interrupted.
                short = "training: {epochs: 12, checkpoint_every: 4}"
                long = "training: {epochs: 10000, checkpoint_every: 50}"
                workflow.edit("workflow/presets/smoke.yaml", short, long)
                workflow.run(DATA)
            elif name != "smoke":
                shutil.copy(HERE / "jobs.smk", workflow.folder / "Snakefile")
            return workflow, pool.submit(workflow.run, *arguments, *ON_SLURM, check=False)

        fragile = "recovery_train:slurm_partition=fragile"
        # A step of a requeued job has the id of its former one, whose srun may yet cancel it.
        again = ("--retries", str(3 * ROUNDS))
        fake = "gpu:gpu_model=none"
        runs = {
            "smoke": start("smoke", "--config", f"experiments=[{','.join(SUBMITTED)}]"),
            "training": start("training", MODEL, "--set-resources", fragile, *again),
            "time": start("time", "quick.txt", "slow.txt", "--retries", "0"),
            "memory": start("memory", "large.txt"),
            "gpu": start("gpu", "gpu.txt", "--set-resources", fake, "--config", "device=cuda"),
        }
        workflow, _ = runs["training"]
        runs["interruptions"] = workflow, pool.submit(interrupt, workflow, cluster)
        yield runs


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.05)


def interrupt(workflow: Workflow, cluster: Path) -> list[tuple[str, str]]:
    """Stop a training in every way, on whichever node it resumes: how, and on which node."""
    stopped, log = [], workflow.folder / TRAINING_LOG
    wait_for((workflow.folder / CHECKPOINT).exists)
    for stop in (cancel, kill_node, preempt) * ROUNDS:
        job, node = job_of(workflow)
        log.unlink()  # nobody sees what it still writes there
        stop(cluster, node, job)
        wait_for(lambda: log.exists() and "resuming" in log.read_text())
        stopped.append((stop.__name__, node))
        if stop is kill_node:
            subprocess.run(["slurmd", "-N", node], check=True, env={**os.environ, "PATH": SYSTEM})
    return stopped


def job_of(workflow: Workflow) -> tuple[str, str]:
    """Id and node of the workflow's running job."""
    squeue = ["squeue", "--noheader", "--states=running", "--format=%i %N %Z"]
    jobs = subprocess.run(squeue, capture_output=True, text=True, check=True).stdout
    return re.search(rf"(\d+) (\w+) {workflow.folder}$", jobs, re.MULTILINE).groups()


def kill_node(cluster: Path, node: str, job: str) -> None:
    """End a node's daemon and all processes of its job at once, as a power failure does."""
    psutil.Process(int((cluster / f"{node}.pid").read_text())).kill()
    for process in psutil.process_iter(["cmdline"]):
        if " ".join(process.info["cmdline"] or []).startswith(f"slurmstepd: [{job}."):
            for victim in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    victim.kill()


def preempt(cluster: Path, node: str, job: str) -> None:
    """A job of a partition that goes first takes a node."""
    urgent = ["--partition=urgent", f"--nodelist={node}", "--exclusive", "--output=/dev/null"]
    subprocess.run(["sbatch", *urgent, "--wrap=sleep 2"], check=True, cwd=cluster)


def cancel(cluster: Path, node: str, job: str) -> None:
    subprocess.run(["scancel", job], check=True)


@pytest.mark.fault("SLURM: a job over its memory", "submitted again with more, and finished")
def test_a_job_over_its_memory_is_submitted_again_with_more(runs):
    workflow, run = runs["memory"]
    result = run.result()
    assert result.returncode == 0, result.stderr
    assert len(re.findall("SLURM status is", result.stderr)) == 1
    assert "Exceeded job memory limit" in result.stderr, "the reason is shown"
    assert (workflow.folder / "large.txt").exists()


def test_a_job_that_asks_for_a_gpu_gets_it(runs):
    workflow, run = runs["gpu"]
    result = run.result()
    assert result.returncode == 0, result.stderr
    assert (workflow.folder / "gpu.txt").read_text().split() == ["n2", "0"]


@pytest.mark.fault(
    "SLURM: scancel, a node that dies, a preemption, in turn, under a training",
    "it resumes from its checkpoint each time, and ends with the bits of a training by hand",
)
def test_a_training_goes_on_when_it_is_cancelled_or_preempted_and_when_its_node_dies(
    runs, tmp_path, record_property
):
    workflow, run = runs["training"]
    _, interruptions = runs["interruptions"]
    stopped = interruptions.result()
    record_property("trials", len(stopped))
    assert [how for how, _ in stopped] == ["cancel", "kill_node", "preempt"] * ROUNDS
    result = run.result()
    assert result.returncode == 0, result.stderr
    assert re.findall("SLURM status is: '(.*?)'", result.stderr).count("CANCELLED") == ROUNDS
    assert workflow.planned(MODEL) == {}

    undisturbed = Workflow(tmp_path)
    shutil.copytree(workflow.folder / "workflow", tmp_path / "workflow", dirs_exist_ok=True)
    undisturbed.run(MODEL)
    assert (tmp_path / MODEL).read_bytes() == (workflow.folder / MODEL).read_bytes()


@pytest.mark.fault(
    "SLURM: a job over its time, not submitted again",
    "an error that says TIMEOUT; the rerun does that job alone",
)
def test_a_job_over_its_time_is_named_and_the_rerun_does_it_alone(runs):
    workflow, run = runs["time"]
    result = run.result()
    assert result.returncode != 0
    assert re.findall("SLURM status is: '(.*?)'", result.stderr) == ["TIMEOUT"]
    done = (workflow.folder / "quick.txt").read_text()
    assert not (workflow.folder / "slow.txt").exists()

    workflow.run("quick.txt", "slow.txt", *ON_SLURM)
    assert (workflow.folder / "slow.txt").exists()
    assert (workflow.folder / "quick.txt").read_text() == done


@pytest.mark.fault(
    "SLURM: experiments of the smoke preset through sbatch",
    "every table of their summary has the bits of a local run",
)
def test_experiments_give_the_same_bits_through_sbatch(finished, runs):
    workflow, run = runs["smoke"]
    result = run.result()
    assert result.returncode == 0, result.stderr
    summary = "results/smoke/summary"
    tables = {p.name for p in (workflow.folder / summary).glob("*.csv")}
    assert {f"{name}.csv" for name in (*SUBMITTED, "claims")} <= tables
    for name in tables - {"claims.csv"}:  # of all experiments
        here, there = (w.folder / summary / name for w in (workflow, finished))
        assert here.read_bytes() == there.read_bytes(), name
    assert (workflow.folder / "reports/smoke/report.html").exists()

    alone = set(re.findall(r"slurm_logs/rule_(\w+)/", result.stderr))
    rules = set(job_counts(result.stdout + result.stderr))
    computing = r"\w+_(simulate|sweep|train|measure|evaluate|controls|converge)"
    assert {rule for rule in rules if re.fullmatch(computing, rule)} <= alone
    assert not alone & {"data_prepare", "build_report", "collect", "deliver"}
    assert re.search(r"slurm_logs/group_summary_\w*deliver", result.stderr)
