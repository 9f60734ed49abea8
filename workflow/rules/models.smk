# A variety of generative models: a job for each model, in which all methods learn from the same data.
MODELS = config["models"]

deliver(
    "models",
    parts={
        "models": expand("<results>/models/learnt/{model}.csv", model=MODELS["run"])
    },
    figures=["models_ratios"],
    artefacts=expand(
        "<results>/models/learnt/{model}.safetensors", model=MODELS["run"]
    ),
)


rule models_measure:
    input:
        code=code("models/measure.py"),
    output:
        table="<results>/models/learnt/{model}.csv",
        checksum="<results>/models/learnt/{model}.csv.sha256",
        dictionaries="<results>/models/learnt/{model}.safetensors",
    log:
        "<logs>/models_measure/{model}.log",
    benchmark:
        "<benchmarks>/models_measure/{model}.tsv"
    wildcard_constraints:
        model="[A-Za-z0-9_]+",
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(60),
    params:
        # Other models are no concern of this one.
        section=lambda w: as_json(
            {
                **MODELS,
                "models": {w.model: MODELS["models"][w.model]},
                "run": [w.model],
                "shown": None,
            }
        ),
        seed=config["seed"],
    shell:
        "python -m models.measure --section {params.section:q} --model {wildcards.model} "
        "--seed {params.seed} --threads {threads} --dictionaries {output.dictionaries} "
        "--output {output.table} > {log} 2>&1"


rule models_figures:
    input:
        code=code("models/figures.py"),
        table=summary("models"),
        checksums=sums(summary("models")),
    output:
        drawn("models", DELIVERED["models"].figures, "A variety of generative models"),
    log:
        "<logs>/models_figures.log",
    benchmark:
        "<benchmarks>/models_figures.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        section=as_json(MODELS),
    shell:
        "python -m models.figures --table {input.table} --section {params.section:q} "
        "--output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all models`.
rule models:
    input:
        delivered("models"),
