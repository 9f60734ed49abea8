# Sparse autoencoders on data with known features of several dimensions: a job per method.
import featurizers.conditions

FEATURIZERS = config["featurizers"]
FEATURIZERS_METHODS = featurizers.conditions.methods(FEATURIZERS)

deliver(
    "featurizers",
    parts={
        "featurizers": expand(
            "<results>/featurizers/methods/{method}.csv", method=FEATURIZERS_METHODS
        ),
        "featurizers_concepts": expand(
            "<results>/featurizers/methods/{method}.concepts.csv",
            method=FEATURIZERS_METHODS,
        ),
    },
    figures=["featurizers_rates"],
    artefacts=expand(
        "<results>/featurizers/methods/{method}.safetensors", method=FEATURIZERS_METHODS
    ),
)


rule featurizers_measure:
    input:
        code=code("featurizers/measure.py"),
    output:
        table="<results>/featurizers/methods/{method}.csv",
        checksum="<results>/featurizers/methods/{method}.csv.sha256",
        concepts="<results>/featurizers/methods/{method}.concepts.csv",
        concepts_checksum="<results>/featurizers/methods/{method}.concepts.csv.sha256",
        model="<results>/featurizers/methods/{method}.safetensors",
    log:
        "<logs>/featurizers_measure/{method}.log",
    benchmark:
        "<benchmarks>/featurizers_measure/{method}.tsv"
    priority: 1  # the longest jobs of the experiment start first
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        section=lambda w: as_json(featurizers.conditions.told(FEATURIZERS, w.method)),
        seed=config["seed"],
    shell:
        "python -m featurizers.measure --section {params.section:q} --method {wildcards.method} "
        "--seed {params.seed} --threads {threads} --model {output.model} "
        "--concepts {output.concepts} --output {output.table} > {log} 2>&1"


rule featurizers_figures:
    input:
        code=code("featurizers/figures.py"),
        table=summary("featurizers_concepts"),
        checksums=sums(summary("featurizers_concepts")),
    output:
        drawn(
            "featurizers",
            DELIVERED["featurizers"].figures,
            "Features of several dimensions",
        ),
    log:
        "<logs>/featurizers_figures.log",
    benchmark:
        "<benchmarks>/featurizers_figures.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        section=as_json(FEATURIZERS),
    shell:
        "python -m featurizers.figures --table {input.table} --section {params.section:q} "
        "--output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all featurizers`.
rule featurizers:
    input:
        delivered("featurizers"),
