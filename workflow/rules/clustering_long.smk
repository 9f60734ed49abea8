# Experiment 2: longer trainings, with accuracy against the number of epochs, and a sweep over lambda.
import clustering.conditions


rule clustering_converge:
    input:
        code=lambda w: code("clustering/converge.py", w.method),
        data=rules.data_prepare.output,
    output:
        table="<results>/clustering/{dataset}/convergence/{method}.csv",
        checksum="<results>/clustering/{dataset}/convergence/{method}.csv.sha256",
    log:
        "<logs>/clustering_converge/{dataset}-{method}.log",
    benchmark:
        "<benchmarks>/clustering_converge/{dataset}-{method}.tsv"
    priority: 1  # the longest job of a full run starts first
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(480),
        gpu=GPUS,
    params:
        spec=lambda w: as_json(clustering.conditions.spec_of(config, w.method)),
        settings=lambda w: as_json(
            clustering.conditions.long_settings(config, w.dataset, w.method)
        ),
        epochs=CLUSTERING["convergence"]["epochs"],
        snapshots=CLUSTERING["convergence"]["snapshots"],
        algorithms=CLUSTERING["convergence"]["algorithms"],
        init=CLUSTERING["shown"]["init"],
        replicates=lambda w: min(
            CLUSTERING["convergence"]["replicates"],
            clustering.conditions.replicates_of(config, w.dataset, w.method),
        ),
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
        # Not an output: it must survive an interrupted job.
        checkpoint=lambda w: f"{RESULTS}/checkpoints/{w.dataset}-{w.method}-long.safetensors",
    shell:
        "python -m clustering.converge --data {input.data} --method {wildcards.method} "
        "--init {params.init} --spec {params.spec:q} --settings {params.settings:q} "
        "--epochs {params.epochs} --snapshots {params.snapshots} "
        "--algorithms {params.algorithms} --replicates {params.replicates} "
        "--seed {params.seed} --device {params.device} --precision {params.precision} "
        "--threads {threads} --checkpoint {params.checkpoint} --output {output.table} "
        "> {log} 2>&1"


rule clustering_sweep:
    input:
        code=lambda w: code("clustering/sweep.py", CLUSTERING["shown"]["method"]),
        data=rules.data_prepare.output,
    output:
        table="<results>/clustering/{dataset}/sweep.csv",
        checksum="<results>/clustering/{dataset}/sweep.csv.sha256",
    log:
        "<logs>/clustering_sweep/{dataset}.log",
    benchmark:
        "<benchmarks>/clustering_sweep/{dataset}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(480),
        gpu=GPUS,
    params:
        spec=as_json(
            clustering.conditions.spec_of(config, CLUSTERING["shown"]["method"])
        ),
        settings=lambda w: as_json(
            clustering.conditions.sweep_settings(config, w.dataset)
        ),
        init=CLUSTERING["shown"]["init"],
        lambdas=CLUSTERING["sweep"]["lambda"],
        normalize=as_json(CLUSTERING["sweep"]["normalize"]),
        replicates=CLUSTERING["sweep"]["replicates"],
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
    shell:
        "python -m clustering.sweep --data {input.data} --init {params.init} "
        "--spec {params.spec:q} --settings {params.settings:q} --lambdas {params.lambdas} "
        "--normalize {params.normalize:q} --replicates {params.replicates} "
        "--seed {params.seed} --device {params.device} --precision {params.precision} "
        "--threads {threads} --output {output.table} > {log} 2>&1"


rule clustering_long_figure:
    input:
        code=code("clustering/curves.py"),
        table=summary("clustering_convergence"),
        checksums=sums(summary("clustering_convergence")),
    output:
        drawn("clustering", ["convergence"], "Experiment 2: clustering", "{dataset}"),
    log:
        "<logs>/clustering_long_figure/{dataset}.log",
    benchmark:
        "<benchmarks>/clustering_long_figure/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        epochs=lambda w: clustering.conditions.settings_of(
            config, w.dataset, CLUSTERING["shown"]["method"]
        )["training"]["epochs"],
    shell:
        "python -m clustering.curves --convergence {input.table} --dataset {wildcards.dataset} "
        "--epochs {params.epochs} --output {output} > {log} 2>&1"


rule clustering_sweep_figure:
    input:
        code=code("clustering/curves.py"),
        table=summary("clustering_sweep"),
        checksums=sums(summary("clustering_sweep")),
    output:
        drawn("clustering", ["sweep"], "Experiment 2: clustering", "{dataset}"),
    log:
        "<logs>/clustering_sweep_figure/{dataset}.log",
    benchmark:
        "<benchmarks>/clustering_sweep_figure/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m clustering.curves --sweep {input.table} --dataset {wildcards.dataset} "
        "--output {output} > {log} 2>&1"
