# Clustering by mixtures: what is combined of the trainings, images with missing pixels, and the
# number of clusters.


rule mixtures_combine:
    input:
        code=code("mixtures/combine.py"),
        data=rules.data_prepare.output,
        voters=lambda w: [
            f"<results>/mixtures/{job.dataset}-{job.protocol}/{job.method}-{job.start}.safetensors"
            for job in mixtures.conditions.voters(MIXTURES, w.dataset)
        ],
        mixture=rules.mixtures_figures.input.learnt,
    output:
        table="<results>/mixtures/{dataset}-joined/combined.csv",
        checksum="<results>/mixtures/{dataset}-joined/combined.csv.sha256",
    log:
        "<logs>/mixtures_combine/{dataset}.log",
    benchmark:
        "<benchmarks>/mixtures_combine/{dataset}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(6000),
        runtime=scaled(60),
    params:
        seed=config["seed"],
    shell:
        "python -m mixtures.combine --data {input.data} --voters {input.voters} "
        "--mixture {input.mixture} --seed {params.seed} --threads {threads} "
        "--output {output.table} > {log} 2>&1"


rule mixtures_missing:
    input:
        code=code("mixtures/missing.py"),
        data=rules.data_prepare.output,
        features=rules.mixtures_features.output,
    output:
        table="<results>/mixtures/{dataset}/missing-{share}.csv",
        checksum="<results>/mixtures/{dataset}/missing-{share}.csv.sha256",
    log:
        "<logs>/mixtures_missing/{dataset}-{share}.log",
    benchmark:
        "<benchmarks>/mixtures_missing/{dataset}-{share}.tsv"
    wildcard_constraints:
        share="[0-9.e-]+",
    priority: 1  # the longest jobs of the experiment start first
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(960),
    params:
        hit=MIXTURES["missing"]["hit"],
        start=MIXTURES["missing"]["start"],
        spec=lambda w: as_json(
            mixtures.conditions.spec_of(MIXTURES, MIXTURES["missing"]["method"])
        ),
        settings=lambda w: as_json(
            mixtures.conditions.settings_of_missing(MIXTURES, w.dataset)
        ),
        replicates=MIXTURES["missing"]["replicates"],
        seed=config["seed"],
        # Not an output: it must survive an interrupted job.
        checkpoint=lambda w: (
            f"{RESULTS}/checkpoints/mixtures-{w.dataset}-missing-{w.share}"
        ),
    shell:
        "python -m mixtures.missing --data {input.data} --features {input.features} "
        "--share {wildcards.share} --hit {params.hit} --spec {params.spec:q} "
        "--start {params.start} --settings {params.settings:q} "
        "--replicates {params.replicates} --seed {params.seed} --threads {threads} "
        "--checkpoint {params.checkpoint} --output {output.table} > {log} 2>&1"


rule mixtures_counts:
    input:
        code=code("mixtures/counts.py"),
        data=rules.data_prepare.output,
        features=rules.mixtures_features.output,
    output:
        table="<results>/mixtures/{dataset}/counts.csv",
        checksum="<results>/mixtures/{dataset}/counts.csv.sha256",
    log:
        "<logs>/mixtures_counts/{dataset}.log",
    benchmark:
        "<benchmarks>/mixtures_counts/{dataset}.tsv"
    priority: 1
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(6000),
        runtime=scaled(480),
    params:
        clusters=MIXTURES["counts"]["clusters"],
        replicates=MIXTURES["counts"]["replicates"],
        settings=lambda w: as_json(mixtures.conditions.of_counts(MIXTURES, w.dataset)),
        seed=config["seed"],
    shell:
        "python -m mixtures.counts --data {input.data} --features {input.features} "
        "--clusters {params.clusters} --settings {params.settings:q} "
        "--replicates {params.replicates} --seed {params.seed} --threads {threads} "
        "--output {output.table} > {log} 2>&1"


rule mixtures_missing_figure:
    input:
        code=code("mixtures/curves.py"),
        table=summary("mixtures_missing"),
        checksums=sums(summary("mixtures_missing")),
    output:
        drawn("mixtures", ["mixtures_missing"], "Mixtures", "{dataset}"),
    log:
        "<logs>/mixtures_missing_figure/{dataset}.log",
    benchmark:
        "<benchmarks>/mixtures_missing_figure/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m mixtures.curves --missing {input.table} --dataset {wildcards.dataset} "
        "--output {output} > {log} 2>&1"


rule mixtures_counts_figure:
    input:
        code=code("mixtures/curves.py"),
        table=summary("mixtures_counts"),
        checksums=sums(summary("mixtures_counts")),
    output:
        drawn("mixtures", ["mixtures_counts"], "Mixtures", "{dataset}"),
    log:
        "<logs>/mixtures_counts_figure/{dataset}.log",
    benchmark:
        "<benchmarks>/mixtures_counts_figure/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m mixtures.curves --counts {input.table} --dataset {wildcards.dataset} "
        "--output {output} > {log} 2>&1"
