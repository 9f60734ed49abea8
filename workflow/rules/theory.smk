# The paper's theory against measurement: one job for each regime, one for the sweep, their figures.

THEORY = config["theory"]

deliver(
    "theory",
    parts={
        "theory": expand("<results>/theory/{regime}.csv", regime=THEORY["regimes"]),
        "theory_sweep": ["<results>/theory/sweep.csv"] if has_sweep(THEORY) else [],
    },
    figures=[
        *(["theory_constants", "theory_gradients"] if THEORY["regimes"] else []),
        *(["theory_support"] if has_sweep(THEORY) else []),
    ],
    artefacts=[
        *expand("<results>/theory/{regime}.safetensors", regime=THEORY["regimes"]),
        *(["<results>/theory/sweep.safetensors"] if has_sweep(THEORY) else []),
    ],
)


rule theory_measure:
    input:
        code=code("theory/measure.py"),
    output:
        table="<results>/theory/{regime}.csv",
        checksum="<results>/theory/{regime}.csv.sha256",
        dictionaries="<results>/theory/{regime}.safetensors",
    log:
        "<logs>/theory_measure/{regime}.log",
    benchmark:
        "<benchmarks>/theory_measure/{regime}.tsv"
    wildcard_constraints:
        regime=any_of(THEORY["settings"]),
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(240),
        gpu=GPUS,
    params:
        spec=lambda w: as_json(THEORY["settings"][w.regime]),
        samples=THEORY["samples"],
        replicates=THEORY["replicates"],
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
    shell:
        "python -m theory.measure --regime {wildcards.regime} --spec {params.spec:q} "
        "--samples {params.samples} --replicates {params.replicates} --seed {params.seed} "
        "--device {params.device} --precision {params.precision} --threads {threads} "
        "--dictionaries {output.dictionaries} --output {output.table} > {log} 2>&1"


rule theory_sweep:
    input:
        code=code("theory/sweep.py"),
    output:
        table="<results>/theory/sweep.csv",
        checksum="<results>/theory/sweep.csv.sha256",
        dictionaries="<results>/theory/sweep.safetensors",
    log:
        "<logs>/theory_sweep.log",
    benchmark:
        "<benchmarks>/theory_sweep.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(60),
    params:
        sweep=as_json(THEORY["sweep"]),
        replicates=THEORY["replicates"],
        seed=config["seed"],
    shell:
        "python -m theory.sweep --sweep {params.sweep:q} --replicates {params.replicates} "
        "--seed {params.seed} --threads {threads} --dictionaries {output.dictionaries} "
        "--output {output.table} > {log} 2>&1"


# One job: starting Python takes longer than drawing.
rule theory_figures:
    input:
        code=code("theory/figures.py"),
        theory=summary("theory"),
        sweep=summary("theory_sweep"),
        checksums=sums(DELIVERED["theory"].tables),
    output:
        drawn("theory", DELIVERED["theory"].figures, "Theory"),
    log:
        "<logs>/theory_figures.log",
    benchmark:
        "<benchmarks>/theory_figures.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m theory.figures --theory {input.theory} --sweep {input.sweep} "
        "--output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all theory`.
rule theory:
    input:
        delivered("theory"),
