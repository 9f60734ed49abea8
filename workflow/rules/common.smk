# Validation, names and helpers shared by all rules.
import ast
import csv
import json
import sys
from collections import Counter
from contextlib import redirect_stderr, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from shlex import quote
from shutil import which

from snakemake.cli import parse_args
from snakemake.exceptions import WorkflowError

# The folder of this workflow. Results go below the working directory, which may be another.
ROOT = Path(str(workflow.current_basedir)).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
from raw_files import raw_state
from validate import (
    RESTRICTIONS,
    clustering_conditions,
    clustering_inits,
    config_errors,
    has_sweep,
    selected,
)

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


# Jobs on a node run snakemake too, as no main process.
if (
    workflow.is_main_process
    and wants_slurm()
    and not (which("sbatch") and which("sacct"))
):
    raise WorkflowError(
        "This machine has no SLURM: sbatch or sacct is not found. Leave out --profile profiles/slurm."
    )

# glibc keeps freed buffers of many MB and fragments: a long training grew to several times its
# need. With a fixed threshold they go back to the system; huge pages make it cheap to get them again.
PREFIX = (
    "export MALLOC_MMAP_THRESHOLD_=1000000 MALLOC_TRIM_THRESHOLD_=1000000 "
    "GLIBC_TUNABLES=glibc.malloc.hugetlb=1; "
)
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
# What is off stays empty, here and in every list of files below.
SELECTED = selected(config)
SIMULATION, CLUSTERING, THEORY = (
    SELECTED.get(name, {}) for name in ("simulation", "clustering", "theory")
)
DATASETS = config["datasets"] if CLUSTERING else []
# GPUs of a job that can use one. `auto` asks for none: it takes what it finds.
GPUS = int(config["device"] == "cuda")


wildcard_constraints:
    snr=r"[-+.0-9e]+",
    sampling="fixed|fresh",
    dataset="[a-z0-9_]+",
    method="[A-Za-z0-9_]+",
    init="[A-Za-z0-9_]+",
    centering="raw|centered",


def scaled(amount):
    """A resource that grows with every attempt (--retries), for needs that grow with the config."""
    return lambda wildcards, attempt: amount * attempt


def source(path):
    """A file of this workflow, by a name that stays the same where results are beside it."""
    return path if Path.cwd().samefile(ROOT) else str(ROOT / path)


@cache
def code(script):
    """A script, and after it every module of src/ and benchmarks/ that it imports in the end."""
    files, queue = {}, [f"src/{script}"]
    while queue:
        path = queue.pop()
        if path in files:
            continue
        files[path] = None
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module] + [f"{node.module}.{a.name}" for a in node.names]
            for name in names:
                for place in ("src", "benchmarks"):
                    imported = f"{place}/{name.replace('.', '/')}.py"
                    if (ROOT / imported).exists():
                        queue.append(imported)
    first, *others = files
    return [source(path) for path in [first, *sorted(others)]]


def simulation_method(name):
    """A method's entry; a lambda that is matched to another method gets that method's number."""
    spec = SIMULATION["methods"][name]
    if isinstance(spec.get("lambda"), dict):
        other = SIMULATION["methods"][spec["lambda"]["matched_to"]]
        return {**spec, "lambda": {"matched_to": other["lambda"]}}
    return spec


def drawn(figures, caption, category, dataset=None):
    """Figures of all data or of one data set, each with a place in Snakemake's own report."""
    of_data = {"data set": dataset} if dataset else {}
    files = []
    for figure in figures:
        for ending in ("png", "svg"):
            file = report(
                f"<reports>/figures/{'-'.join([figure, *of_data.values()])}.{ending}",
                caption=f"../../reports/captions/{caption}.rst",
                category=category,
                labels={"figure": figure, **of_data, "format": ending},
            )
            files.append(file)
    return files


def clustering_spec(method):
    """A method's parameters as JSON, without where it runs: that changes no result."""
    spec = CLUSTERING["methods"][method]
    return as_json({k: v for k, v in spec.items() if k not in RESTRICTIONS})


def outcome():
    """Where the page of a finished run is, and what became of the claims."""
    page, claims = Path(REPORTS, "report.html"), Path(RESULTS, "summary", "claims.csv")
    if not (page.exists() and claims.exists()):  # a stage was asked for, or a benchmark
        return ""
    with open(claims, newline="", encoding="utf-8") as file:
        verdicts = Counter(row["verdict"] for row in csv.DictReader(file))
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    return f"The page of this run is {page}. Claims: {counts}."


def as_json(value):
    """Parameters as JSON, in a stable order: a rerun is triggered by content alone."""
    return json.dumps(value, sort_keys=True)


def shown(dataset, file):
    """A file of every training that the figures of a data set show."""
    choices = config["report"]
    wanted = [choices["baseline"], choices["method"], *choices["silhouettes"]]
    return [
        f"<results>/clustering/{dataset}/{method}-raw/{file}.safetensors"
        for method in dict.fromkeys(wanted)
        if (dataset, method, False) in clustering_conditions(SELECTED)
        and choices["init"] in clustering_inits(config, method)
    ]


def images_of(wildcards):
    """The images of a benchmark that needs some."""
    dataset = config["bench"]["settings"][wildcards.what].get("dataset")
    return expand(rules.prepare_dataset.output, dataset=dataset) if dataset else []


def recovery_folders(snr):
    """Folders of all trainings at one noise level."""
    return [
        f"<results>/simulation/snr{snr}/{name}/{sampling}/{method}"
        for name, init in SIMULATION["inits"].items()
        if float(snr) in init.get("snr_db", SIMULATION["snr_db"])
        for sampling in init.get("sampling", SIMULATION["sampling"])
        if sampling == "fresh" or float(snr) in SIMULATION["fixed_snr_db"]
        for method in init.get("methods", SIMULATION["methods"])
    ]


def table(name):
    """A summary table, as a list that is empty where the run has none."""
    return [f"<results>/summary/{name}.csv"] if name in TABLES else []


# What the run consists of.
RECOVERY = {
    snr: folders
    for snr in SIMULATION.get("snr_db", ())
    if (folders := recovery_folders(snr))
}
RECOVERY_FOLDERS = [folder for folders in RECOVERY.values() for folder in folders]
CLUSTERING_FOLDERS = [
    f"<results>/clustering/{dataset}/{method}-{'centered' if centered else 'raw'}"
    for dataset, method, centered in clustering_conditions(SELECTED)
]
CLUSTERING_CONTROLS = [
    f"<results>/clustering/{dataset}/controls" for dataset in DATASETS
]
REGIMES = THEORY.get("regimes", [])
CONVERGENCE = CLUSTERING.get("convergence", {}).get("methods", [])
PARTS = {
    "recovery": [f"<results>/simulation/snr{snr}/metrics.csv" for snr in RECOVERY],
    "recovery_history": [f"{f}/history.csv" for f in RECOVERY_FOLDERS],
    "clustering": [
        f"{f}/metrics.csv" for f in CLUSTERING_CONTROLS + CLUSTERING_FOLDERS
    ],
    "clustering_history": [f"{f}/history.csv" for f in CLUSTERING_FOLDERS],
    "theory": [f"<results>/theory/{regime}.csv" for regime in REGIMES],
    "theory_sweep": ["<results>/theory/sweep.csv"] if has_sweep(THEORY) else [],
    "lambda_sweep": (
        ["<results>/simulation/lambda_sweep.csv"] if has_sweep(SIMULATION) else []
    ),
    "convergence": [
        f"<results>/clustering/{dataset}/convergence/{method}.csv"
        for dataset in DATASETS
        for method in CONVERGENCE
    ],
}
TABLES = {name: parts for name, parts in PARTS.items() if parts}
