# A small experiment: one job of measurement, one of drawing.
TOY = config["toy"]

deliver(
    "toy", parts={"toy": ["<results>/toy/heads.csv"]}, figures=["toy_heads"]
)


rule toy_toss:
    input:
        code=code("toy/toss.py"),
    output:
        table="<results>/toy/heads.csv",
        checksum="<results>/toy/heads.csv.sha256",
    log:
        "<logs>/toy_toss.log",
    benchmark:
        "<benchmarks>/toy_toss.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        tosses=TOY["tosses"],
        replicates=TOY["replicates"],
        seed=config["seed"],
    shell:
        "python -m toy.toss --tosses {params.tosses} --replicates {params.replicates} "
        "--seed {params.seed} --output {output.table} > {log} 2>&1"


rule toy_figures:
    input:
        code=code("toy/figures.py"),
        table=summary("toy"),
        checksums=sums(summary("toy")),
    output:
        drawn("toy", DELIVERED["toy"].figures, "A toy experiment"),
    log:
        "<logs>/toy_figures.log",
    benchmark:
        "<benchmarks>/toy_figures.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m toy.figures --table {input.table} --output {output} > {log} 2>&1"
