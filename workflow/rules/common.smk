# Validation, names and helpers shared by all rules.
import json
import sys
from contextlib import redirect_stderr, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from shlex import quote
from shutil import which
from subprocess import TimeoutExpired, run
from typing import NamedTuple

from snakemake.cli import parse_args
from snakemake.exceptions import WorkflowError

# The folder of this workflow. Results go below the working directory, which may be another.
ROOT = Path(str(workflow.current_basedir)).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "workflow")]
from evidence.checks import has_sweep
from groupsparse.plugins import module_file
from data.entries import entries, inputs
from imports import needed
from raw_files import raw_state
from validate import config_errors, meant, selected, typed

config.update(meant(typed(config, workflow.config_settings.config)))
if errors := config_errors(config):
    raise WorkflowError(
        "The config cannot be run:\n" + "\n".join(f"  {e}" for e in errors)
    )


def wants_slurm():
    """Whether the command line or a profile names SLURM, which snakemake tells no Snakefile."""
    # Parsing would name the profiles a second time. It exits where the command line is not that of
    # snakemake, or where --directory has led away from a profile.
    with redirect_stderr(StringIO()), suppress(SystemExit):
        return parse_args(sys.argv[1:])[1].executor == "slurm"


def slurm_lacks():
    """Why nothing can be submitted here, or nothing."""
    for tool in ("sbatch", "sacct", "scontrol"):
        if not which(tool):
            return f"This machine has no SLURM: {tool} is not found"
    with suppress(TimeoutExpired):
        ping = run(["scontrol", "ping"], capture_output=True, text=True, timeout=10)
        if " is UP" in ping.stdout:
            return ""
    return "SLURM is installed, but its controller does not answer `scontrol ping`"


# Jobs on a node run snakemake too, as no main process.
if workflow.is_main_process and wants_slurm() and (reason := slurm_lacks()):
    raise WorkflowError(
        f"{reason}. Run this on a login node, or leave out --profile profiles/slurm."
    )

# glibc keeps freed buffers of many MB and fragments: a long training grew to several times its
# need. With a fixed threshold they go back to the system; huge pages make it cheap to get them again.
# Smaller buffers are kept: where they are most of the work, a third of the time was spent on pages.
PREFIX = (
    "export MALLOC_MMAP_THRESHOLD_=4000000 MALLOC_TRIM_THRESHOLD_=64000000 "
    "GLIBC_TUNABLES=glibc.malloc.hugetlb=1; "
)
# Scripts are modules of src/, whatever is in the working directory.
PREFIX += f"export PYTHONSAFEPATH=1 PYTHONPATH={quote(str(ROOT / 'src'))}; "
# Rules call the Python that runs snakemake, unless conda or a container brings its own.
if not workflow.deployment_settings.deployment_method:
    PREFIX += f"export PATH={quote(str(Path(sys.executable).parent))}:$PATH; "
shell.prefix(PREFIX)


pathvars:
    results=f"results/{config['run']}",
    reports=f"reports/{config['run']}",
    logs=f"logs/{config['run']}",
    benchmarks=f"benchmarks/{config['run']}",


# What they mean, for parameters: a workflow that imports this one may give others.
RESULTS, REPORTS, BENCHMARKS = map(
    workflow.pathvars.apply, ("<results>", "<reports>", "<benchmarks>")
)
# The config without what is off, and the experiments that are on, in the order of the page.
SELECTED = selected(config)
EXPERIMENTS = [name for name in config["experiments"] if name in SELECTED]
DATASETS = entries(config)
# GPUs of a job that can use one. `auto` asks for none: it takes what it finds.
GPUS = int(config["device"] == "cuda")


wildcard_constraints:
    dataset="[a-z0-9_]+",
    method="[A-Za-z0-9_]+",
    init="[A-Za-z0-9_]+",


def scaled(amount):
    """A resource that grows with every attempt (--retries), for needs that grow with the config."""
    return lambda wildcards, attempt: amount * attempt


def source(path):
    """A file of this workflow, by a name that stays the same where results are beside it.

    Local: where results are in remote storage, this is not.
    """
    return local(path if Path.cwd().samefile(ROOT) else str(ROOT / path))


def given(path):
    """A file that the config names, if any: in the working directory, or else of this workflow."""
    if not path:
        return []
    ours = (ROOT / path).exists() and not Path(path).exists()
    return source(path) if ours else path


def data_entry(dataset):
    """Where a data set is: its entry, or a file instead of a download."""
    file = config["download"]["files"].get(dataset)
    return DATASETS.get(dataset) or ({"file": file} if file else {})


def named(node, key):
    """All texts under a key, anywhere in a config."""
    if not isinstance(node, dict):
        return []
    here = [
        text
        for name, value in node.items()
        if name == key
        for text in (value if isinstance(value, list) else [value])
    ]
    return here + [text for part in node.values() for text in named(part, key)]


@cache
def plugins(room, method=None):
    """Modules in the working directory that a section, or one method of it, names for activations."""
    part = SELECTED.get(room, {})
    paths = named(part["methods"][method] if method else part, "prox")
    files = [module_file(path) for path in paths if ":" in path]
    return sorted({file for file in files if file})


@cache
def code(script, method=None):
    """A script, and after it every module of src/ that it imports in the end.

    What computes codes may call activations of the user's: of its section, or of one method.
    """
    files = needed(script)
    computes = "groupsparse/topk.py" in files
    mine = plugins(Path(script).parts[0], method) if computes else []
    return [source(f"src/{path}") for path in files] + mine


def any_of(names):
    """A constraint on a wildcard: one of these names, of which there may be none."""
    return "|".join(names) or "none"


def as_json(value):
    """Parameters as JSON, in a stable order: a rerun is triggered by content alone."""
    return json.dumps(value, sort_keys=True)


def installed(*packages):
    """Versions of those optional packages that are installed: what a job finds is in none of its files.

    With conda or a container they are those beside snakemake, not those of the job.
    """
    found = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return as_json(found)


class Delivery(NamedTuple):
    """What an experiment gives to the page of the run and to what is published."""

    tables: list  # what its report.py reads
    figures: list  # their names, in the order of the page
    artefacts: list  # what its numbers were computed from
    paper: list  # files of numbers of the paper


DELIVERED = {}  # experiment -> Delivery
PARTS = {}  # summary table -> the tables in long form that it is put together from


def deliver(experiment, parts, figures, tables=(), artefacts=(), paper=()):
    """Register what an experiment delivers. A summary table without parts is left out."""
    PARTS.update({name: files for name, files in parts.items() if files})
    summaries = [file for name in parts for file in summary(name)]
    DELIVERED[experiment] = Delivery(
        [*summaries, *tables], figures, [*artefacts], [*paper]
    )


def summary(name):
    """A summary table, as a list that is empty where the run has none."""
    return [f"<results>/summary/{name}.csv"] if name in PARTS else []


def sums(*tables):
    """The checksums beside tables, with which a reader compares what it finds."""
    return [f"{table}.sha256" for group in tables for table in group]


def delivered(experiment):
    """All that an experiment gives to the page of the run."""
    return [
        f"<results>/{experiment}/claims.csv",
        f"<results>/{experiment}/section.json",
        *figure_files(DELIVERED[experiment].figures),
    ]


def figure_files(names):
    return [f"<reports>/figures/{name}.png" for name in names]


def drawn(experiment, figures, category, dataset=None):
    """Figures of all data or of one data set, each with a place in Snakemake's own report."""
    of_data = {"data set": dataset} if dataset else {}
    files = []
    for figure in figures:
        for ending in ("png", "svg"):
            file = report(
                f"<reports>/figures/{'-'.join([figure, *of_data.values()])}.{ending}",
                caption=f"../../src/{experiment}/caption.rst",
                category=category,
                labels={"figure": figure, **of_data, "format": ending},
            )
            files.append(file)
    return files


def outcome():
    """Where the page of a finished run is, and what became of the claims."""
    page, claims = Path(REPORTS, "report.html"), Path(RESULTS, "summary", "claims.csv")
    if not (page.exists() and claims.exists()):  # a stage was asked for, or a benchmark
        return ""
    text = f"The page of this run is {page}."
    # pandas takes a while to import, and jobs may have it in an environment of their own.
    with suppress(ImportError):
        from evidence.tables import load_table
        from report.lead import counted

        verdicts, whose = counted(load_table(claims))
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
        # No claim is about data of the user's own.
        text += f" Verdicts on {whose}: {counts}." if counts else ""
    return text
