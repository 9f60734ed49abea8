# Speed: never part of a run of `all`. Each benchmark takes all cores, so nothing runs beside it.
BENCH = config["bench"]["settings"]
SPEED_FIGURES = {
    "speed": ["shallow", "unfolded", "replicates"],
    "speed_floor": ["floor"],
    "speed_scale": ["scale"],
    "speed_peers": ["peers"],
}


rule bench_measure:
    input:
        code=lambda w: code(f"bench_{w.what}.py"),
        data=images_of,
    output:
        table=f"{RESULTS}/bench/{{what}}.csv",
        machine=f"{RESULTS}/bench/{{what}}.json",
    log:
        f"{LOGS}/bench_measure/{{what}}.log",
    benchmark:
        f"{BENCHMARKS}/bench_measure/{{what}}.tsv"
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
        data=lambda w, input: f"--data {input.data}" if input.data else "",
        seed=config["seed"],
    shell:
        "PYTHONPATH=benchmarks python src/bench_{wildcards.what}.py --settings {params.settings:q} "
        "--threads {params.threads} {params.data} --seed {params.seed} --output {output.table} "
        "> {log} 2>&1"


rule bench_plot:
    input:
        code=code("bench_plot.py"),
        tables=lambda w: expand(
            f"{RESULTS}/bench/{{what}}.csv", what=SPEED_FIGURES[w.figure]
        ),
    output:
        multiext(f"{FIGURES}/{{figure}}", ".png", ".svg"),
    log:
        f"{LOGS}/bench_plot/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/bench_plot/{{figure}}.tsv"
    wildcard_constraints:
        figure="|".join(SPEED_FIGURES),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "PYTHONPATH=benchmarks python src/bench_plot.py --figure {wildcards.figure} "
        "--tables {input.tables} --output {output} > {log} 2>&1"


# Every table and figure of speed.
rule bench:
    input:
        expand(f"{RESULTS}/bench/{{what}}.csv", what=BENCH),
        expand(f"{FIGURES}/{{figure}}.png", figure=SPEED_FIGURES),


# The tables and figures, committed with the repository, and a page that is rendered from them.
rule publish_bench:
    input:
        code=code("publish_bench.py"),
        template="benchmarks/README.md.j2",
        tables=expand(rules.bench_measure.output.table, what=BENCH),
        machines=expand(rules.bench_measure.output.machine, what=BENCH),
        figures=expand(f"{FIGURES}/{{figure}}.png", figure=SPEED_FIGURES),
    output:
        directory("benchmarks/published"),
    log:
        f"{LOGS}/publish_bench.log",
    benchmark:
        f"{BENCHMARKS}/publish_bench.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        config=as_json(config["bench"]),
    shell:
        "PYTHONPATH=benchmarks python src/publish_bench.py --tables {input.tables} "
        "--machines {input.machines} --figures {input.figures} --template {input.template} "
        "--config {params.config:q} --output {output} > {log} 2>&1"
