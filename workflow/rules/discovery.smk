# Recovery from no start: a job for each study, and one alone on the machine for the large problem.
import discovery.conditions

DISCOVERY = config["discovery"]
DISCOVERY_STUDIES = discovery.conditions.studies(DISCOVERY)
DISCOVERY_ALONE = ["whole"] if DISCOVERY["whole"]["snr_db"] else []

deliver(
    "discovery",
    parts={
        "discovery": expand(
            "<results>/discovery/{study}.csv", study=DISCOVERY_STUDIES + DISCOVERY_ALONE
        )
    },
    figures=["discovery_success"] if DISCOVERY["success"]["axes"] else [],
    artefacts=expand(
        "<results>/discovery/{study}.safetensors",
        study=DISCOVERY_STUDIES + DISCOVERY_ALONE,
    ),
)


rule discovery_measure:
    input:
        code=code("discovery/measure.py"),
    output:
        table="<results>/discovery/{study}.csv",
        checksum="<results>/discovery/{study}.csv.sha256",
        dictionaries="<results>/discovery/{study}.safetensors",
    log:
        "<logs>/discovery_measure/{study}.log",
    benchmark:
        "<benchmarks>/discovery_measure/{study}.tsv"
    wildcard_constraints:
        study=any_of(DISCOVERY_STUDIES),
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        section=lambda w: as_json(discovery.conditions.told(DISCOVERY, w.study)),
        seed=config["seed"],
    shell:
        "python -m discovery.measure --section {params.section:q} --study {wildcards.study} "
        "--seed {params.seed} --threads {threads} --dictionaries {output.dictionaries} "
        "--output {output.table} > {log} 2>&1"


# It takes all cores, so that no other job runs at the same time.
rule discovery_whole:
    input:
        code=code("discovery/measure.py"),
    output:
        table="<results>/discovery/whole.csv",
        checksum="<results>/discovery/whole.csv.sha256",
        dictionaries="<results>/discovery/whole.safetensors",
    log:
        "<logs>/discovery_whole.log",
    benchmark:
        "<benchmarks>/discovery_whole.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: lambda w: workflow.cores
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        section=as_json(discovery.conditions.told(DISCOVERY, "whole")),
        threads=DISCOVERY["whole"]["threads"],
        seed=config["seed"],
    shell:
        "python -m discovery.measure --section {params.section:q} --study whole "
        "--seed {params.seed} --threads {params.threads} "
        "--dictionaries {output.dictionaries} --output {output.table} > {log} 2>&1"


rule discovery_figures:
    input:
        code=code("discovery/figures.py"),
        table=summary("discovery"),
        checksums=sums(summary("discovery")),
    output:
        drawn("discovery", DELIVERED["discovery"].figures, "From no start"),
    log:
        "<logs>/discovery_figures.log",
    benchmark:
        "<benchmarks>/discovery_figures.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        section=as_json(DISCOVERY),
    shell:
        "python -m discovery.figures --table {input.table} --section {params.section:q} "
        "--output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all discovery`.
rule discovery:
    input:
        delivered("discovery"),
