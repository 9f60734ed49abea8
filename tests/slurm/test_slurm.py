"""The workflow on a real SLURM on this machine: the same numbers, and what jobs die of."""

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
from conftest import Workflow, job_counts

HERE = Path(__file__).parent
SYSTEM = f"{os.environ['PATH']}:/usr/sbin:/sbin"
MISSING = [p for p in ("munged", "slurmctld", "slurmd") if not shutil.which(p, path=SYSTEM)]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"no {', '.join(MISSING)}: apt-get install slurm-wlm munge"
)

ON_SLURM = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "1")
MODEL = "results/smoke/simulation/snr5/near/fixed/sparse/model.safetensors"
CHECKPOINT = "results/smoke/checkpoints/snr5-near-fixed-sparse.safetensors"
TRAINING_LOG = "logs/smoke/train_recovery/snr5-near-fixed-sparse.log"


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
def dying(cluster, tmp_path_factory) -> Iterator[dict[str, tuple[Workflow, Future]]]:
    """Runs whose jobs die. They mostly wait: all start at once, and run beside the other tests."""
    with ThreadPoolExecutor() as pool:

        def start(name: str, *arguments: str):
            workflow = Workflow(tmp_path_factory.mktemp(name))
            if name == "training":
                # Long enough to be interrupted.
                short = "training: {epochs: 12, checkpoint_every: 4}"
                long = "training: {epochs: 10000, checkpoint_every: 50}"
                workflow.edit("workflow/presets/smoke.yaml", short, long)
            else:
                shutil.copy(HERE / "jobs.smk", workflow.folder / "Snakefile")
            return workflow, pool.submit(workflow.run, *arguments, *ON_SLURM, check=False)

        fragile = "train_recovery:slurm_partition=fragile"
        fake = "gpu:gpu_model=none"
        runs = {
            "training": start("training", MODEL, "--set-resources", fragile),
            "time": start("time", "quick.txt", "slow.txt", "--retries", "0"),
            "memory": start("memory", "large.txt"),
            "gpu": start("gpu", "gpu.txt", "--set-resources", fake, "--config", "device=cuda"),
        }
        workflow, _ = runs["training"]
        runs["interruptions"] = workflow, pool.submit(interrupt, workflow, cluster)
        yield runs


def wait_for(condition: Callable[[], bool], seconds: float = 200) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.05)


def interrupt(workflow: Workflow, cluster: Path) -> list[str]:
    """Kill the node of a training, and the training where it goes on; the nodes it was on."""
    wait_for((workflow.folder / CHECKPOINT).exists)
    job, first = job_of(workflow)
    kill_node(cluster, first, job)
    log = workflow.folder / TRAINING_LOG
    wait_for(lambda: log.exists() and "resuming" in log.read_text())
    job, second = job_of(workflow)
    subprocess.run(["scancel", job], check=True)
    return [first, second]


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


def test_a_job_over_its_memory_is_submitted_again_with_more(dying):
    workflow, run = dying["memory"]
    result = run.result()
    assert result.returncode == 0, result.stderr
    assert len(re.findall("SLURM status is", result.stderr)) == 1
    assert "Exceeded job memory limit" in result.stderr, "the reason is shown"
    assert (workflow.folder / "large.txt").exists()


def test_a_job_that_asks_for_a_gpu_gets_it(dying):
    workflow, run = dying["gpu"]
    result = run.result()
    assert result.returncode == 0, result.stderr
    assert (workflow.folder / "gpu.txt").read_text().split() == ["n2", "0"]


def test_the_smoke_preset_gives_the_same_bits_through_sbatch(finished, fresh_workflow, dying):
    result = fresh_workflow.run(*ON_SLURM)
    summary = "results/smoke/summary"
    tables = sorted(p.name for p in (finished.folder / summary).glob("*.csv"))
    assert "claims.csv" in tables
    for name in tables:
        here, there = (w.folder / summary / name for w in (fresh_workflow, finished))
        assert here.read_bytes() == there.read_bytes(), name
    assert (fresh_workflow.folder / "reports/smoke/report.html").exists()

    alone = set(re.findall(r"slurm_logs/rule_(\w+)/", result.stderr))
    rules = set(job_counts(result.stdout + result.stderr))
    assert {r for r in rules if re.match("simulate|sweep|train|measure|evaluate", r)} <= alone
    assert not alone & {"prepare_dataset", "build_report", "collect", "make_claims"}
    assert "slurm_logs/group_summary_collect_make_claims" in result.stderr


def test_a_training_goes_on_when_its_node_dies_and_when_it_is_cancelled(dying):
    workflow, run = dying["training"]
    _, interruptions = dying["interruptions"]
    assert interruptions.result() == ["n3", "n2"]
    result = run.result()
    assert result.returncode == 0, result.stderr
    assert re.findall("SLURM status is: '(.*?)'", result.stderr) == ["CANCELLED"]
    assert "resuming" in (workflow.folder / TRAINING_LOG).read_text()
    assert workflow.planned(MODEL) == {}


def test_a_job_over_its_time_is_named_and_the_rerun_does_it_alone(dying):
    workflow, run = dying["time"]
    result = run.result()
    assert result.returncode != 0
    assert re.findall("SLURM status is: '(.*?)'", result.stderr) == ["TIMEOUT"]
    done = (workflow.folder / "quick.txt").read_text()
    assert not (workflow.folder / "slow.txt").exists()

    workflow.run("quick.txt", "slow.txt", *ON_SLURM)
    assert (workflow.folder / "slow.txt").exists()
    assert (workflow.folder / "quick.txt").read_text() == done
