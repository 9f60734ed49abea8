# The paper's theory against measurement: one job per regime, one for the sweep, their figures.
THEORY_FIGURES = ["constants", "gradients"] if "theory" in TABLES else []
THEORY_FIGURES += ["support"] if "theory_sweep" in TABLES else []


rule measure_theory:
    input:
        code=code("measure_theory.py"),
    output:
        "<results>/theory/{regime}.csv",
    log:
        "<logs>/measure_theory/{regime}.log",
    benchmark:
        "<benchmarks>/measure_theory/{regime}.tsv"
    wildcard_constraints:
        regime="|".join(THEORY.get("settings", [])),
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(6000),
        runtime=scaled(240),
        gpu=GPUS,
    params:
        spec=lambda w: as_json(THEORY["settings"][w.regime]),
        samples=lambda w: THEORY["samples"],
        replicates=lambda w: THEORY["replicates"],
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
    shell:
        "python {input.code[0]:q} --regime {wildcards.regime} --spec {params.spec:q} "
        "--samples {params.samples} --replicates {params.replicates} --seed {params.seed} "
        "--device {params.device} --precision {params.precision} --threads {threads} --output {output} > {log} 2>&1"


rule sweep_theory:
    input:
        code=code("sweep_theory.py"),
    output:
        "<results>/theory/sweep.csv",
    log:
        "<logs>/sweep_theory.log",
    benchmark:
        "<benchmarks>/sweep_theory.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(60),
    params:
        sweep=lambda w: as_json(THEORY["sweep"]),
        replicates=lambda w: THEORY["replicates"],
        seed=config["seed"],
    shell:
        "python {input.code[0]:q} --sweep {params.sweep:q} --replicates {params.replicates} "
        "--seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule plot_theory:
    input:
        code=code("plot_theory.py"),
        theory=table("theory"),
        sweep=table("theory_sweep"),
    output:
        # One job: starting Python takes longer than drawing.
        drawn(
            [f"theory_{figure}" for figure in THEORY_FIGURES],
            caption="theory",
            category="Theory",
        ),
    log:
        "<logs>/plot_theory.log",
    benchmark:
        "<benchmarks>/plot_theory.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python {input.code[0]:q} --theory {input.theory} --sweep {input.sweep} "
        "--output {output} > {log} 2>&1"
