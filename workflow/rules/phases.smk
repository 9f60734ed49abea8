# Where recovery stops: one job for each plane, method and start.
import phases.conditions

PHASES = config["phases"]
PHASES_JOBS = [
    "-".join(job) for job in phases.conditions.jobs(PHASES)
]  # plane-method-start

deliver(
    "phases",
    parts={"phases": expand("<results>/phases/{job}.csv", job=PHASES_JOBS)},
    figures=[
        f"phases_{plane}"
        for plane in PHASES["planes"]
        if any(job.startswith(f"{plane}-") for job in PHASES_JOBS)
    ],
    artefacts=expand("<results>/phases/{job}.safetensors", job=PHASES_JOBS),
)


rule phases_measure:
    input:
        code=code("phases/measure.py"),
    output:
        table="<results>/phases/{plane}-{method}-{start}.csv",
        checksum="<results>/phases/{plane}-{method}-{start}.csv.sha256",
        dictionaries="<results>/phases/{plane}-{method}-{start}.safetensors",
    log:
        "<logs>/phases_measure/{plane}-{method}-{start}.log",
    benchmark:
        "<benchmarks>/phases_measure/{plane}-{method}-{start}.tsv"
    wildcard_constraints:
        plane=any_of(PHASES["planes"]),
        start="near|random|discover|truth",
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
        gpu=GPUS,
    params:
        axes=lambda w: as_json(PHASES["planes"][w.plane]),
        settings=lambda w: as_json(
            {k: v for k, v in PHASES["methods"][w.method].items() if k != "starts"}
        ),
        model=as_json(PHASES["model"]),
        correlation=PHASES["correlation"],
        replicates=PHASES["replicates"],
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
    shell:
        "python -m phases.measure --plane {wildcards.plane} --axes {params.axes:q} "
        "--model {params.model:q} --correlation {params.correlation} "
        "--method {wildcards.method} --settings {params.settings:q} --start {wildcards.start} "
        "--replicates {params.replicates} --seed {params.seed} --device {params.device} "
        "--precision {params.precision} --threads {threads} "
        "--dictionaries {output.dictionaries} --output {output.table} > {log} 2>&1"


# One job: starting Python takes longer than drawing.
rule phases_figures:
    input:
        code=code("phases/figures.py"),
        table=summary("phases"),
        checksums=sums(summary("phases")),
    output:
        drawn("phases", DELIVERED["phases"].figures, "Phase diagrams"),
    log:
        "<logs>/phases_figures.log",
    benchmark:
        "<benchmarks>/phases_figures.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        section=as_json(PHASES),
    shell:
        "python -m phases.figures --table {input.table} --section {params.section:q} "
        "--output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all phases`.
rule phases:
    input:
        delivered("phases"),
