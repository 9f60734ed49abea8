# Clustering by mixtures: features of every data set, a job for every kind of start, and one for
# every method and start, in which all replicates are trained.
import mixtures.conditions

MIXTURES = config["mixtures"]
MIXTURES_JOBS = mixtures.conditions.jobs(MIXTURES)

deliver(
    "mixtures",
    parts={
        "mixtures": [
            f"<results>/mixtures/{job.dataset}-{job.protocol}/{job.method}-{job.start}.csv"
            for job in MIXTURES_JOBS
        ]
        + expand(
            "<results>/mixtures/{dataset}-joined/combined.csv",
            dataset=MIXTURES["datasets"],
        ),
        "mixtures_missing": [
            f"<results>/mixtures/{dataset}/missing-{share}.csv"
            for dataset, share in mixtures.conditions.of_missing(MIXTURES)
        ],
        "mixtures_counts": expand(
            "<results>/mixtures/{dataset}/counts.csv",
            dataset=MIXTURES["counts"]["datasets"],
        ),
    },
    paper=[source("data/paper/mixmate.csv")],
    figures=[
        *expand("mixtures-{dataset}", dataset=MIXTURES["datasets"]),
        *expand("mixtures_missing-{dataset}", dataset=MIXTURES["missing"]["datasets"]),
        *expand("mixtures_counts-{dataset}", dataset=MIXTURES["counts"]["datasets"]),
    ],
    artefacts=[
        *(
            f"<results>/mixtures/{dataset}/features.safetensors"
            for dataset in mixtures.conditions.datasets(MIXTURES)
        ),
        *(
            f"<results>/mixtures/{dataset}-{protocol}/start-{start}.safetensors"
            for dataset, protocol, start in mixtures.conditions.starts(MIXTURES)
        ),
        *(
            f"<results>/mixtures/{job.dataset}-{job.protocol}/{job.method}-{job.start}.safetensors"
            for job in MIXTURES_JOBS
        ),
    ],
)


wildcard_constraints:
    protocol="joined|held_out",
    start="[a-z]+",


rule mixtures_features:
    input:
        code=code("mixtures/features.py"),
        data=rules.data_prepare.output,
    output:
        "<results>/mixtures/{dataset}/features.safetensors",
    log:
        "<logs>/mixtures_features/{dataset}.log",
    benchmark:
        "<benchmarks>/mixtures_features/{dataset}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(6000),
        runtime=scaled(60),
    params:
        settings=lambda w: as_json(mixtures.conditions.of_features(MIXTURES, w.dataset)),
    shell:
        "python -m mixtures.features --data {input.data} --settings {params.settings:q} "
        "--threads {threads} --output {output} > {log} 2>&1"


rule mixtures_start:
    input:
        code=code("mixtures/start.py"),
        data=rules.data_prepare.output,
        features=rules.mixtures_features.output,
    output:
        "<results>/mixtures/{dataset}-{protocol}/start-{start}.safetensors",
    log:
        "<logs>/mixtures_start/{dataset}-{protocol}-{start}.log",
    benchmark:
        "<benchmarks>/mixtures_start/{dataset}-{protocol}-{start}.tsv"
    wildcard_constraints:
        start=f"(?!{mixtures.conditions.SUBSPACES})[a-z]+",
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(6000),
        runtime=scaled(60),
    params:
        settings=lambda w: as_json(mixtures.conditions.of_start(MIXTURES, w.dataset)),
        replicates=lambda w: MIXTURES["settings"][w.dataset]["replicates"],
        clusters=lambda w, input: (
            f"--clusters {input.clusters}" if "clusters" in input.keys() else ""
        ),
        seed=config["seed"],
    shell:
        "python -m mixtures.start --data {input.data} --features {input.features} "
        "{params.clusters} --start {wildcards.start} --protocol {wildcards.protocol} "
        "--settings {params.settings:q} --replicates {params.replicates} --seed {params.seed} "
        "--threads {threads} --output {output} > {log} 2>&1"


# The clusters of the subspaces are the start of others.
use rule mixtures_start as mixtures_start_again with:
    input:
        code=code("mixtures/start.py"),
        data=rules.data_prepare.output,
        features=rules.mixtures_features.output,
        clusters=lambda w: "<results>/mixtures/{}-{}/{}-{}.safetensors".format(
            *mixtures.conditions.before(MIXTURES, w.dataset, w.protocol)
        ),
    log:
        "<logs>/mixtures_start_again/{dataset}-{protocol}-{start}.log",
    benchmark:
        "<benchmarks>/mixtures_start_again/{dataset}-{protocol}-{start}.tsv"
    wildcard_constraints:
        start=mixtures.conditions.SUBSPACES,


rule mixtures_train:
    input:
        code=lambda w: code("mixtures/train.py", w.method),
        data=rules.data_prepare.output,
        features=rules.mixtures_features.output,
        start="<results>/mixtures/{dataset}-{protocol}/start-{start}.safetensors",
    output:
        metrics="<results>/mixtures/{dataset}-{protocol}/{method}-{start}.csv",
        checksum="<results>/mixtures/{dataset}-{protocol}/{method}-{start}.csv.sha256",
        learnt="<results>/mixtures/{dataset}-{protocol}/{method}-{start}.safetensors",
    log:
        "<logs>/mixtures_train/{dataset}-{protocol}-{method}-{start}.log",
    benchmark:
        "<benchmarks>/mixtures_train/{dataset}-{protocol}-{method}-{start}.tsv"
    wildcard_constraints:
        method=any_of(mixtures.conditions.networks(MIXTURES)),
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(480),
    params:
        spec=lambda w: as_json(mixtures.conditions.spec_of(MIXTURES, w.method)),
        settings=lambda w: as_json(
            mixtures.conditions.of_training(MIXTURES, w.dataset, w.method)
        ),
        replicates=lambda w: mixtures.conditions.replicates(
            MIXTURES, w.dataset, w.method
        ),
        seed=config["seed"],
        # Not an output: it must survive an interrupted job.
        checkpoint=lambda w: (
            f"{RESULTS}/checkpoints/mixtures-{w.dataset}-{w.protocol}-{w.method}-{w.start}"
        ),
    shell:
        "python -m mixtures.train --data {input.data} --features {input.features} "
        "--start {input.start} --method {wildcards.method} --spec {params.spec:q} "
        "--settings {params.settings:q} --replicates {params.replicates} --seed {params.seed} "
        "--threads {threads} --checkpoint {params.checkpoint} --output {output.learnt} "
        "--metrics {output.metrics} > {log} 2>&1"


use rule mixtures_train as mixtures_subspaces with:
    log:
        "<logs>/mixtures_subspaces/{dataset}-{protocol}-{method}-{start}.log",
    benchmark:
        "<benchmarks>/mixtures_subspaces/{dataset}-{protocol}-{method}-{start}.tsv"
    wildcard_constraints:
        method=any_of(
            name
            for name in MIXTURES["methods"]
            if name not in mixtures.conditions.networks(MIXTURES)
        ),


rule mixtures_figures:
    input:
        code=code("mixtures/figures.py"),
        data=rules.data_prepare.output,
        learnt=lambda w: expand(
            "<results>/mixtures/{dataset}-joined/{method}-{start}.safetensors",
            dataset=w.dataset,
            **mixtures.conditions.drawn(MIXTURES),
        ),
    output:
        drawn("mixtures", ["mixtures"], "Mixtures", "{dataset}"),
    log:
        "<logs>/mixtures_figures/{dataset}.log",
    benchmark:
        "<benchmarks>/mixtures_figures/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=scaled(4000),
        runtime=20,
    params:
        settings=lambda w: as_json(mixtures.conditions.of_figure(MIXTURES, w.dataset)),
    shell:
        "python -m mixtures.figures --data {input.data} --learnt {input.learnt} "
        "--settings {params.settings:q} --output {output} > {log} 2>&1"


include: "mixtures_more.smk"


# The experiment alone: `snakemake --cores all mixtures`.
rule mixtures:
    input:
        delivered("mixtures"),
