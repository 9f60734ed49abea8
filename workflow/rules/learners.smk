# Dictionary learners side by side: a job for each problem, alone on the machine.
LEARNERS = config["learners"]

deliver(
    "learners",
    parts={
        "learners": expand(
            "<results>/learners/cases/{case}.csv", case=LEARNERS["cases"]
        )
    },
    figures=[],
    artefacts=expand(
        "<results>/learners/cases/{case}.safetensors", case=LEARNERS["cases"]
    ),
)


# It takes all cores, so that no other job runs at the same time; a fit has one thread.
rule learners_measure:
    input:
        code=code("learners/measure.py"),
    output:
        table="<results>/learners/cases/{case}.csv",
        checksum="<results>/learners/cases/{case}.csv.sha256",
        dictionaries="<results>/learners/cases/{case}.safetensors",
    log:
        "<logs>/learners_measure/{case}.log",
    benchmark:
        "<benchmarks>/learners_measure/{case}.tsv"
    wildcard_constraints:
        case=any_of(LEARNERS["cases"]),
    conda:
        "../../envs/environment.yaml"
    threads: lambda w: workflow.cores
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        settings=lambda w: as_json(LEARNERS["cases"][w.case]),
        packages=installed("dictlearn", "spams", "spams-bin"),
        seed=config["seed"],
    shell:
        "python -m learners.measure --case {wildcards.case} --settings {params.settings:q} "
        "--seed {params.seed} --dictionaries {output.dictionaries} "
        "--output {output.table} > {log} 2>&1"


# The experiment alone: `snakemake --cores all learners`.
rule learners:
    input:
        delivered("learners"),
