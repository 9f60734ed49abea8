# Speed: never part of a run of `all`. Each benchmark takes all cores, so nothing runs beside it.
BENCH = config["bench"]["settings"]
SPEED_FIGURES = {
    "speed": ["shallow", "unfolded", "replicates"],
    "speed_floor": ["floor"],
    "speed_scale": ["scale"],
    "speed_stream": ["stream"],
    "speed_peers": ["peers"],
}


rule bench_measure:
    input:
        code=lambda w: code(f"bench/{w.what}.py"),
        # Some benchmarks need images.
        data=lambda w: expand(
            "<results>/data/{dataset}.safetensors",
            dataset=BENCH[w.what].get("dataset", []),
        ),
    output:
        table="<results>/bench/{what}.csv",
        checksum="<results>/bench/{what}.csv.sha256",
        machine="<results>/bench/{what}.json",
    log:
        "<logs>/bench_measure/{what}.log",
    benchmark:
        "<benchmarks>/bench_measure/{what}.tsv"
    wildcard_constraints:
        what="|".join(BENCH),
    conda:
        "../../envs/environment.yaml"
    threads: lambda w: workflow.cores
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        settings=lambda w: as_json(BENCH[w.what]),
        threads=config["bench"]["threads"],
        packages=lambda w: (
            installed("dictlearn", "spams", "spams-bin") if w.what == "peers" else ""
        ),
        data=lambda w, input: f"--data {input.data}" if input.data else "",
        seed=config["seed"],
    shell:
        "python -m bench.{wildcards.what} --settings {params.settings:q} "
        "--threads {params.threads} {params.data} --seed {params.seed} --output {output.table} "
        "> {log} 2>&1"


rule bench_figures:
    input:
        code=code("bench/figures.py"),
        tables=lambda w: expand(
            "<results>/bench/{what}.csv", what=SPEED_FIGURES[w.figure]
        ),
        checksums=lambda w: expand(
            "<results>/bench/{what}.csv.sha256", what=SPEED_FIGURES[w.figure]
        ),
    output:
        multiext("<reports>/figures/{figure}", ".png", ".svg"),
    log:
        "<logs>/bench_figures/{figure}.log",
    benchmark:
        "<benchmarks>/bench_figures/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(SPEED_FIGURES),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m bench.figures --figure {wildcards.figure} "
        "--tables {input.tables} --output {output} > {log} 2>&1"


# Every table and figure of speed.
rule bench:
    input:
        expand("<results>/bench/{what}.csv", what=BENCH),
        expand("<reports>/figures/{figure}.png", figure=SPEED_FIGURES),


# The tables and figures, committed with the repository, and a page that is rendered from them.
# No output, which snakemake would delete first: what fails leaves the folder as it is.
rule bench_publish:
    input:
        code=code("bench/publish.py"),
        template=source("src/bench/README.md.j2"),
        tables=expand("<results>/bench/{what}.csv", what=BENCH),
        checksums=expand("<results>/bench/{what}.csv.sha256", what=BENCH),
        machines=expand("<results>/bench/{what}.json", what=BENCH),
        figures=expand("<reports>/figures/{figure}.png", figure=SPEED_FIGURES),
    log:
        "<logs>/bench_publish.log",
    benchmark:
        "<benchmarks>/bench_publish.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        config=as_json(config["bench"]),
        folder="benchmarks/published",
    shell:
        "python -m bench.publish --tables {input.tables} "
        "--machines {input.machines} --figures {input.figures} --template {input.template:q} "
        "--config {params.config:q} --output {params.folder} > {log} 2>&1"
