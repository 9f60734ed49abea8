# Metrics of every method and control, in long form, and their collection into summary tables.
# One job: starting Python takes longer than scoring a model.
rule evaluate_recovery:
    input:
        code=code("evaluate_recovery.py"),
        data=rules.simulate.output,
        models=lambda w: [f"{f}/model.safetensors" for f in recovery_folders(w.snr)],
    output:
        "<results>/simulation/snr{snr}/metrics.csv",
    log:
        "<logs>/evaluate_recovery/snr{snr}.log",
    benchmark:
        "<benchmarks>/evaluate_recovery/snr{snr}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    shell:
        "python {input.code[0]:q} --data {input.data} --models {input.models} "
        "--threads {threads} --output {output} > {log} 2>&1"


rule evaluate_clustering:
    input:
        code=code("evaluate_clustering.py"),
        data=rules.prepare_dataset.output,
        model=rules.train_clustering.output.model,
    output:
        metrics="<results>/clustering/{dataset}/{method}-{centering}/metrics.csv",
        codes="<results>/clustering/{dataset}/{method}-{centering}/codes.safetensors",
    log:
        "<logs>/evaluate_clustering/{dataset}-{method}-{centering}.log",
    benchmark:
        "<benchmarks>/evaluate_clustering/{dataset}-{method}-{centering}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(240),
    params:
        neighbors=lambda w: CLUSTERING["settings"][w.dataset]["neighbors"],
        replicates=lambda w: CLUSTERING["replicates"],
        seed=config["seed"],
    shell:
        "python {input.code[0]:q} --data {input.data} --model {input.model} "
        "--neighbors {params.neighbors} --replicates {params.replicates} --seed {params.seed} "
        "--threads {threads} --output {output.metrics} --codes {output.codes} > {log} 2>&1"


rule evaluate_clustering_control:
    input:
        code=code("evaluate_clustering.py"),
        data=rules.prepare_dataset.output,
    output:
        "<results>/clustering/{dataset}/controls/metrics.csv",
    log:
        "<logs>/evaluate_clustering_control/{dataset}.log",
    benchmark:
        "<benchmarks>/evaluate_clustering_control/{dataset}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(120),
    params:
        neighbors=lambda w: CLUSTERING["settings"][w.dataset]["neighbors"],
        replicates=lambda w: CLUSTERING["replicates"],
        seed=config["seed"],
    shell:
        "python {input.code[0]:q} --data {input.data} "
        "--neighbors {params.neighbors} --replicates {params.replicates} --seed {params.seed} "
        "--threads {threads} --output {output} > {log} 2>&1"


rule collect:
    input:
        code=code("collect_tables.py"),
        tables=lambda w: TABLES[w.table],
    output:
        "<results>/summary/{table}.csv",
    log:
        "<logs>/collect/{table}.log",
    benchmark:
        "<benchmarks>/collect/{table}.tsv"
    wildcard_constraints:
        table="|".join(TABLES),
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python {input.code[0]:q} {input.tables} --output {output} > {log} 2>&1"


rule make_claims:
    input:
        code=code("make_claims.py"),
        recovery=table("recovery"),
        history=table("recovery_history"),
        clustering=table("clustering"),
        theory=table("theory"),
        sweep=table("theory_sweep"),
    output:
        report(
            "<results>/summary/claims.csv",
            caption="../../reports/captions/claims.rst",
            category="Page and claims",
            labels={"file": "the claims and their verdicts", "format": "csv"},
        ),
    log:
        "<logs>/make_claims.log",
    benchmark:
        "<benchmarks>/make_claims.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        choices=as_json(config["report"]),
        model=as_json(SIMULATION.get("model")),
    shell:
        "python {input.code[0]:q} --recovery {input.recovery} --history {input.history} "
        "--clustering {input.clustering} --theory {input.theory} --sweep {input.sweep} "
        "--choices {params.choices:q} --model {params.model:q} --output {output} > {log} 2>&1"


# Every number of the run, without figures: a stage to ask for with --until or by name.
rule summarise:
    input:
        expand("<results>/summary/{table}.csv", table=[*TABLES, "claims"]),
