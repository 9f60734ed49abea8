# Entry point: `snakemake --cores all` makes the report of the run named in config.yaml.
# From another folder, `snakemake -s <this file>` leaves its results there.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.21")
OWN_CONFIG = Path(str(workflow.current_basedir)) / "config.yaml"


configfile: "config.yaml" if Path("config.yaml").exists() else str(OWN_CONFIG)


report: "src/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"


# A room for every experiment: a rules file, a folder of src/, a section of the config, a schema.
for experiment in EXPERIMENTS:

    include: f"workflow/rules/{experiment}.smk"


include: "workflow/rules/report.smk"
include: "workflow/rules/bench.smk"


rule all:
    default_target: True
    input:
        rules.build_report.output,
        rules.summarise.input,


onsuccess:
    if text := outcome():
        print(text, file=sys.stderr)


onerror:
    print(
        f"The same command goes on where this run stopped; {source('workflow/README.md')} says "
        "what to do, under “When things go wrong”.",
        file=sys.stderr,
    )
