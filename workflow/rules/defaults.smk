# The estimator with its defaults: a job for the planted problems, and one for each data set.
import defaults.conditions

DEFAULTS = config["defaults"]
DEFAULTS_JOBS = defaults.conditions.jobs(DEFAULTS)

deliver(
    "defaults",
    parts={"defaults": expand("<results>/defaults/{job}.csv", job=DEFAULTS_JOBS)},
    figures=[],
    artefacts=expand("<results>/defaults/{job}.safetensors", job=DEFAULTS_JOBS),
)


rule defaults_measure:
    input:
        code=code("defaults/measure.py"),
        data=lambda w: (
            []
            if w.job == defaults.conditions.PLANTED
            else [f"<results>/data/{w.job}.safetensors"]
        ),
    output:
        table="<results>/defaults/{job}.csv",
        checksum="<results>/defaults/{job}.csv.sha256",
        dictionaries="<results>/defaults/{job}.safetensors",
    log:
        "<logs>/defaults_measure/{job}.log",
    benchmark:
        "<benchmarks>/defaults_measure/{job}.tsv"
    wildcard_constraints:
        job=any_of(DEFAULTS_JOBS),
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        section=lambda w: as_json(defaults.conditions.told(DEFAULTS, w.job)),
        seed=config["seed"],
        data=lambda w, input: f"--data={input.data}" if input.data else [],
    shell:
        "python -m defaults.measure --section {params.section:q} --job {wildcards.job} "
        "{params.data:q} --seed {params.seed} --threads {threads} "
        "--dictionaries {output.dictionaries} --output {output.table} > {log} 2>&1"


# The experiment alone: `snakemake --cores all defaults`.
rule defaults:
    input:
        delivered("defaults"),
