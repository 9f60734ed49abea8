# Experiment 2: training (one job for each method, its inits and replicates at once), clustering of
# the test codes, controls, longer trainings, Table 1, figures.
import clustering.conditions

CLUSTERING = config["clustering"]
CLUSTERING_OWN = clustering.conditions.own(config)
CLUSTERING_LABELLED = clustering.conditions.labelled(config, DATASETS)
CLUSTERING_LONG = clustering.conditions.long_runs(config)
CLUSTERING_SWEEPS = clustering.conditions.sweeps(config)
CLUSTERING_TRAININGS = [
    f"<results>/clustering/{dataset}/{method}-{'centered' if centered else 'raw'}"
    for dataset, method, centered in clustering.conditions.trainings(config)
]
# Drawn from models, and from scores.
CLUSTERING_FIGURES = ["fig4", "fig5"]
CLUSTERING_FIGURES += ["silhouettes"] if CLUSTERING["shown"]["silhouettes"] else []

deliver(
    "clustering",
    parts={
        "clustering": [
            *expand(
                "<results>/clustering/{dataset}/controls/metrics.csv", dataset=DATASETS
            ),
            *(f"{f}/metrics.csv" for f in CLUSTERING_TRAININGS),
        ],
        "clustering_history": [f"{f}/history.csv" for f in CLUSTERING_TRAININGS],
        "clustering_convergence": [
            f"<results>/clustering/{dataset}/convergence/{method}.csv"
            for dataset, method in CLUSTERING_LONG
        ],
        "clustering_sweep": expand(
            "<results>/clustering/{dataset}/sweep.csv", dataset=CLUSTERING_SWEEPS
        ),
    },
    tables=["<reports>/tables/table1.csv"] if CLUSTERING_LABELLED else [],
    paper=[source("data/paper/table1.csv")],
    figures=[
        *expand("table1-{dataset}", dataset=CLUSTERING_LABELLED),
        *(f"convergence-{d}" for d in DATASETS if d in dict(CLUSTERING_LONG)),
        *expand("sweep-{dataset}", dataset=CLUSTERING_SWEEPS),
        *expand(
            "{figure}-{dataset}", figure=CLUSTERING_FIGURES, dataset=CLUSTERING_LABELLED
        ),
        *expand("members-{dataset}", dataset=CLUSTERING_OWN),
    ],
    artefacts=[
        *expand("<results>/data/{dataset}.safetensors", dataset=DATASETS),
        *(
            f"{f}/{name}.safetensors"
            for f in CLUSTERING_TRAININGS
            for name in ("model", "codes")
        ),
    ],
)


wildcard_constraints:
    centering="raw|centered",


rule clustering_train:
    input:
        code=lambda w: code("clustering/train.py", w.method),
        data=rules.data_prepare.output,
    output:
        model="<results>/clustering/{dataset}/{method}-{centering}/model.safetensors",
        history="<results>/clustering/{dataset}/{method}-{centering}/history.csv",
        checksum="<results>/clustering/{dataset}/{method}-{centering}/history.csv.sha256",
    log:
        "<logs>/clustering_train/{dataset}-{method}-{centering}.log",
    benchmark:
        "<benchmarks>/clustering_train/{dataset}-{method}-{centering}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(480),
        gpu=GPUS,
    params:
        spec=lambda w: as_json(clustering.conditions.spec_of(config, w.method)),
        inits=lambda w: clustering.conditions.inits_of(config, w.method, w.dataset),
        settings=lambda w: as_json(
            clustering.conditions.train_settings(config, w.dataset, w.method)
        ),
        scored=lambda w: clustering.conditions.scored_epochs(
            config, w.dataset, w.method
        ),
        replicates=lambda w: clustering.conditions.replicates_of(
            config, w.dataset, w.method
        ),
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
        center=lambda w: "--center" if w.centering == "centered" else "",
        # Not an output: it must survive an interrupted job.
        checkpoint=lambda w: (
            f"{RESULTS}/checkpoints/{w.dataset}-{w.method}-{w.centering}.safetensors"
        ),
    shell:
        "python -m clustering.train --data {input.data} --method {wildcards.method} "
        "--inits {params.inits} {params.center} --spec {params.spec:q} "
        "--settings {params.settings:q} --scored {params.scored} "
        "--replicates {params.replicates} --seed {params.seed} "
        "--device {params.device} --precision {params.precision} --threads {threads} "
        "--checkpoint {params.checkpoint} --output {output.model} --history {output.history} "
        "> {log} 2>&1"


rule clustering_evaluate:
    input:
        code=lambda w: code("clustering/evaluate.py", w.method),
        data=rules.data_prepare.output,
        model=rules.clustering_train.output.model,
    output:
        metrics="<results>/clustering/{dataset}/{method}-{centering}/metrics.csv",
        checksum="<results>/clustering/{dataset}/{method}-{centering}/metrics.csv.sha256",
        codes="<results>/clustering/{dataset}/{method}-{centering}/codes.safetensors",
        clusters="<results>/clustering/{dataset}/{method}-{centering}/clusters.csv",
        clusters_checksum="<results>/clustering/{dataset}/{method}-{centering}/clusters.csv.sha256",
    log:
        "<logs>/clustering_evaluate/{dataset}-{method}-{centering}.log",
    benchmark:
        "<benchmarks>/clustering_evaluate/{dataset}-{method}-{centering}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(240),
    params:
        settings=lambda w: as_json(clustering.conditions.scoring(config, w.dataset)),
        replicates=lambda w: clustering.conditions.replicates_of(
            config, w.dataset, w.method
        ),
        seed=config["seed"],
    shell:
        "python -m clustering.evaluate --data {input.data} --model {input.model} "
        "--settings {params.settings:q} --replicates {params.replicates} --seed {params.seed} "
        "--threads {threads} --output {output.metrics} --codes {output.codes} "
        "--clusters {output.clusters} > {log} 2>&1"


rule clustering_controls:
    input:
        code=code("clustering/evaluate.py"),
        data=rules.data_prepare.output,
    output:
        table="<results>/clustering/{dataset}/controls/metrics.csv",
        checksum="<results>/clustering/{dataset}/controls/metrics.csv.sha256",
    log:
        "<logs>/clustering_controls/{dataset}.log",
    benchmark:
        "<benchmarks>/clustering_controls/{dataset}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(120),
    params:
        settings=lambda w: as_json(
            clustering.conditions.control_settings(config, w.dataset)
        ),
        replicates=lambda w: clustering.conditions.replicates_of(config, w.dataset),
        seed=config["seed"],
    shell:
        "python -m clustering.evaluate --data {input.data} "
        "--settings {params.settings:q} --replicates {params.replicates} --seed {params.seed} "
        "--threads {threads} --output {output.table} > {log} 2>&1"


rule clustering_table1:
    input:
        code=code("clustering/table1.py"),
        clustering=summary("clustering"),
        checksums=sums(summary("clustering")),
    output:
        table=report(
            "<reports>/tables/table1.csv",
            caption="../../src/clustering/table1.rst",
            category="Experiment 2: clustering",
            labels={"figure": "Table 1", "data set": "all", "format": "csv"},
        ),
        checksum="<reports>/tables/table1.csv.sha256",
    log:
        "<logs>/clustering_table1.log",
    benchmark:
        "<benchmarks>/clustering_table1.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m clustering.table1 --clustering {input.clustering} --output {output.table} "
        "> {log} 2>&1"


rule clustering_figures:
    input:
        code=code("clustering/figures.py"),
        data=rules.data_prepare.output,
        models=lambda w: expand(
            "<results>/clustering/{dataset}/{method}-raw/model.safetensors",
            dataset=w.dataset,
            method=clustering.conditions.drawn_methods(config, w.dataset),
        ),
        codes=lambda w: expand(
            "<results>/clustering/{dataset}/{method}-raw/codes.safetensors",
            dataset=w.dataset,
            method=clustering.conditions.drawn_methods(config, w.dataset),
        ),
    output:
        drawn("clustering", CLUSTERING_FIGURES, "Experiment 2: clustering", "{dataset}"),
    log:
        "<logs>/clustering_figures/{dataset}.log",
    benchmark:
        "<benchmarks>/clustering_figures/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=scaled(2000),
        runtime=10,
    params:
        shown=as_json(CLUSTERING["shown"]),
        own=lambda w: "--own" if w.dataset in CLUSTERING_OWN else "",
    shell:
        "python -m clustering.figures --data {input.data} --models {input.models} "
        "--codes {input.codes} --shown {params.shown:q} {params.own} --output {output} "
        "> {log} 2>&1"


rule clustering_scores:
    input:
        code=code("clustering/scores.py"),
        paper=DELIVERED["clustering"].paper,
        clustering=summary("clustering"),
        checksums=sums(summary("clustering")),
    output:
        drawn("clustering", ["table1"], "Experiment 2: clustering", "{dataset}"),
    log:
        "<logs>/clustering_scores/{dataset}.log",
    benchmark:
        "<benchmarks>/clustering_scores/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        own=lambda w: "--own" if w.dataset in CLUSTERING_OWN else "",
    shell:
        "python -m clustering.scores --clustering {input.clustering} "
        "--dataset {wildcards.dataset} {params.own} --output {output} > {log} 2>&1"


# Longer trainings and the sweep over lambda.
include: "clustering_long.smk"
include: "clustering_own.smk"


# The experiment alone: `snakemake --cores all clustering`.
rule clustering:
    input:
        delivered("clustering"),
