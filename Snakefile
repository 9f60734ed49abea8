# Entry point: `snakemake --cores all` makes the report of the run named in config.yaml.
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")

# Every path of the workflow is relative to its folder.
if not Path(workflow.basedir).samefile("."):
    raise WorkflowError(
        f"Run snakemake in {workflow.basedir}, or add --directory there."
    )


configfile: "config.yaml"


# On a cluster: what needs the internet or takes a second stays where snakemake runs.
localrules:
    all,
    summarise,
    prepare_dataset,
    build_report,
    publish,


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/theory.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/bench.smk"


rule all:
    default_target: True
    input:
        f"{REPORTS}/report.html",
        rules.summarise.input,
