# Recovery at the oracle's limit: a job for each method and sampling, and one alone on the machine for
# the methods whose seconds are compared.
import limits.conditions

LIMITS = config["limits"]
LIMITS_JOBS = [
    "-".join(job) for job in limits.conditions.jobs(LIMITS)
]  # sampling-method
if limits.conditions.races(LIMITS):
    LIMITS_JOBS.append("race")

deliver(
    "limits",
    parts={
        "limits": expand("<results>/limits/{job}.csv", job=LIMITS_JOBS)
        + ["<results>/limits/bounds.csv"]
    },
    figures=["limits_race"] if limits.conditions.races(LIMITS) else [],
    artefacts=expand("<results>/limits/{job}.safetensors", job=LIMITS_JOBS),
)


rule limits_measure:
    input:
        code=lambda w: code("limits/measure.py", w.method),
    output:
        table="<results>/limits/{sampling}-{method}.csv",
        checksum="<results>/limits/{sampling}-{method}.csv.sha256",
        dictionaries="<results>/limits/{sampling}-{method}.safetensors",
    log:
        "<logs>/limits_measure/{sampling}-{method}.log",
    benchmark:
        "<benchmarks>/limits_measure/{sampling}-{method}.tsv"
    wildcard_constraints:
        sampling="fixed|fresh",
    priority: 1  # the longest jobs beside those alone on the machine start first
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(240),
    params:
        section=lambda w: as_json(
            limits.conditions.told(LIMITS, w.sampling, [w.method])
        ),
        seed=config["seed"],
    shell:
        "python -m limits.measure --section {params.section:q} --sampling {wildcards.sampling} "
        "--methods {wildcards.method} --seed {params.seed} --threads {threads} "
        "--dictionaries {output.dictionaries} --output {output.table} > {log} 2>&1"


# It takes all cores, so that no other job runs at the same time.
rule limits_race:
    input:
        code=code("limits/measure.py"),
    output:
        table="<results>/limits/race.csv",
        checksum="<results>/limits/race.csv.sha256",
        dictionaries="<results>/limits/race.safetensors",
    log:
        "<logs>/limits_race.log",
    benchmark:
        "<benchmarks>/limits_race.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: lambda w: workflow.cores
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(240),
    params:
        section=as_json(
            limits.conditions.told(LIMITS, "fixed", LIMITS["race"]["methods"])
        ),
        methods=LIMITS["race"]["methods"],
        threads=LIMITS["race"]["threads"],
        seed=config["seed"],
    shell:
        "python -m limits.measure --section {params.section:q} --sampling fixed "
        "--methods {params.methods} --seed {params.seed} --threads {params.threads} "
        "--dictionaries {output.dictionaries} --output {output.table} > {log} 2>&1"


rule limits_bounds:
    input:
        code=code("limits/bounds.py"),
    output:
        table="<results>/limits/bounds.csv",
        checksum="<results>/limits/bounds.csv.sha256",
    log:
        "<logs>/limits_bounds.log",
    benchmark:
        "<benchmarks>/limits_bounds.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(60),
    params:
        section=as_json(limits.conditions.told_bounds(LIMITS)),
        seed=config["seed"],
    shell:
        "python -m limits.bounds --section {params.section:q} --seed {params.seed} "
        "--threads {threads} --output {output.table} > {log} 2>&1"


rule limits_figures:
    input:
        code=code("limits/figures.py"),
        table=summary("limits"),
        checksums=sums(summary("limits")),
    output:
        drawn("limits", DELIVERED["limits"].figures, "Recovery at the oracle's limit"),
    log:
        "<logs>/limits_figures.log",
    benchmark:
        "<benchmarks>/limits_figures.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        section=as_json(LIMITS),
    shell:
        "python -m limits.figures --table {input.table} --section {params.section:q} "
        "--output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all limits`.
rule limits:
    input:
        delivered("limits"),
