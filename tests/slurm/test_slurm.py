"""The workflow on a real SLURM of two nodes on this machine: same numbers, and jobs that die."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
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
ONCE = (*ON_SLURM, "--retries", "0")
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
def in_background():
    """Start a run that is expected to fail, or may; the future holds its result."""
    with ThreadPoolExecutor() as pool:
        yield lambda workflow, *arguments: pool.submit(workflow.run, *arguments, check=False)


@pytest.fixture(scope="module")
def failing(cluster, in_background, tmp_path_factory) -> dict[str, tuple[Workflow, Future]]:
    """Runs of jobs.smk that mostly wait: they start before, and run beside, the other tests."""
    runs = {}
    for name, arguments in {
        "time": ("quick.txt", "slow.txt", *ONCE),
        "memory": ("large.txt", *ON_SLURM),
        "gpu": ("gpu.txt", *ON_SLURM, "--set-resources", "gpu:gpu_model=none"),
    }.items():
        workflow = Workflow(tmp_path_factory.mktemp(name))
        shutil.copy(HERE / "jobs.smk", workflow.folder / "Snakefile")
        device = ("--config", "device=cuda") if name == "gpu" else ()
        runs[name] = workflow, in_background(workflow, *arguments, *device)
    return runs


@pytest.fixture
def long_training(workflow_copy) -> Workflow:
    """A finished run in which a training is to be redone, for long enough to be interrupted."""
    short = "training: {epochs: 12, checkpoint_every: 4}"
    long = "training: {epochs: 6000, checkpoint_every: 50}"
    workflow_copy.edit("workflow/presets/smoke.yaml", short, long)
    return workflow_copy


def wait_for(condition: Callable, seconds: float = 90):
    """The first value of ``condition()`` that is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.05)
    return value


def job_of(workflow: Workflow) -> tuple[str, str]:
    """Id and node of the workflow's running job, once it has written a checkpoint."""
    wait_for((workflow.folder / CHECKPOINT).exists)
    squeue = ["squeue", "--noheader", "--states=running", "--format=%i %N %Z"]
    jobs = subprocess.run(squeue, capture_output=True, text=True, check=True).stdout
    return re.search(rf"(\d+) (\w+) {workflow.folder}$", jobs, re.MULTILINE).groups()


def kill_node(cluster: Path, node: str, job: str) -> None:
    """End a node's daemon and all processes of its job at once, as a power failure does."""
    psutil.Process(int((cluster / f"{node}.pid").read_text())).kill()
    for process in psutil.process_iter(["cmdline"]):
        if " ".join(process.info["cmdline"] or []).startswith(f"slurmstepd: [{job}."):
            for victim in (process, *process.children(recursive=True)):
                victim.kill()


def test_the_smoke_preset_gives_the_same_bits_through_sbatch(finished, fresh_workflow, failing):
    result = fresh_workflow.run(*ON_SLURM)
    summary = "results/smoke/summary"
    tables = sorted(p.name for p in (finished.folder / summary).glob("*.csv"))
    assert "claims.csv" in tables
    for name in tables:
        here, there = (w.folder / summary / name for w in (fresh_workflow, finished))
        assert here.read_bytes() == there.read_bytes(), name
    assert (fresh_workflow.folder / "reports/smoke/report.html").exists()

    submitted = set(re.findall(r"SLURM jobid.*/(?:rule|group)_(\w+)/", result.stderr))
    rules = set(job_counts(result.stdout + result.stderr))
    local = {"all", "prepare_dataset", "build_report"}
    assert "summary" in submitted, "the small jobs at the end are one job"
    assert submitted - {"summary"} <= rules - local
    heavy = {r for r in rules if re.match("simulate|sweep|train|measure|evaluate", r)}
    assert heavy <= submitted


def test_a_job_over_its_memory_is_submitted_again_with_more(failing):
    workflow, run = failing["memory"]
    result = run.result()
    assert result.returncode == 0, result.stderr
    assert len(re.findall("SLURM status is", result.stderr)) == 1
    assert "memory" in result.stderr, "the reason is shown"
    assert (workflow.folder / "large.txt").exists()


def test_a_job_that_asks_for_a_gpu_gets_it(failing):
    workflow, run = failing["gpu"]
    result = run.result()
    assert result.returncode == 0, result.stderr
    assert (workflow.folder / "gpu.txt").read_text().split() == ["n2", "0"]


def test_a_job_over_its_time_is_named_and_the_rerun_does_it_alone(failing):
    workflow, run = failing["time"]
    result = run.result()
    assert result.returncode != 0
    assert "TIMEOUT" in result.stderr
    done = (workflow.folder / "quick.txt").read_text()
    assert not (workflow.folder / "slow.txt").exists()

    workflow.run("quick.txt", "slow.txt", *ONCE)
    assert (workflow.folder / "slow.txt").exists()
    assert (workflow.folder / "quick.txt").read_text() == done


def test_a_cancelled_training_is_named_and_the_rerun_goes_on_from_its_checkpoint(
    cluster, in_background, long_training
):
    run = in_background(long_training, MODEL, *ONCE)
    job, _ = job_of(long_training)
    subprocess.run(["scancel", job], check=True)
    result = run.result()
    assert result.returncode != 0
    assert "CANCELLED" in result.stderr
    assert not (long_training.folder / MODEL).exists()

    result = long_training.run(MODEL, *ONCE)
    assert job_counts(result.stdout + result.stderr) == {"train_recovery": 1}
    assert "resuming" in (long_training.folder / TRAINING_LOG).read_text()
    assert (long_training.folder / MODEL).exists()


def test_a_training_goes_on_from_its_checkpoint_on_another_node_when_its_own_dies(
    cluster, in_background, long_training
):
    run = in_background(long_training, MODEL, *ONCE)
    job, node = job_of(long_training)
    kill_node(cluster, node, job)
    try:
        result = run.result()
    finally:
        subprocess.run([HERE / "start.sh", cluster], check=True)
    assert result.returncode == 0, result.stderr
    assert "resuming" in (long_training.folder / TRAINING_LOG).read_text()
    assert (long_training.folder / MODEL).exists()
