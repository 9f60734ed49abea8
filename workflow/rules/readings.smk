# Which reading of the paper reproduces it: one job for each reading, a curve of Fig. 3 or a row of
# Table 1.
import readings.conditions

READINGS = config["readings"]
READINGS_CURVES = readings.conditions.readings(READINGS["curves"])
READINGS_TABLE1 = readings.conditions.readings(READINGS["table1"])

deliver(
    "readings",
    parts={
        "readings_curves": [
            "<results>/readings/curves/{}-{}.csv".format(*reading)
            for reading in READINGS_CURVES
        ],
        "readings_table1": [
            "<results>/readings/table1/{}-{}.csv".format(*reading)
            for reading in READINGS_TABLE1
        ],
    },
    figures=["readings_curves"] if READINGS_CURVES else [],
    artefacts=[
        *(
            "<results>/readings/curves/{}-{}.safetensors".format(*r)
            for r in READINGS_CURVES
        ),
        *(
            "<results>/readings/table1/{}-{}.safetensors".format(*r)
            for r in READINGS_TABLE1
        ),
    ],
    paper=[source("data/paper/fig3.csv"), source("data/paper/table1.csv")],
)


wildcard_constraints:
    network="[A-Za-z0-9_]+",
    reading="[A-Za-z0-9_]+",


rule readings_curve:
    input:
        code=code("readings/curve.py"),
    output:
        table="<results>/readings/curves/{network}-{reading}.csv",
        checksum="<results>/readings/curves/{network}-{reading}.csv.sha256",
        dictionary="<results>/readings/curves/{network}-{reading}.safetensors",
    log:
        "<logs>/readings_curve/{network}-{reading}.log",
    benchmark:
        "<benchmarks>/readings_curve/{network}-{reading}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(240),
        gpu=GPUS,
    params:
        settings=lambda w: as_json(READINGS_CURVES[w.network, w.reading]),
        part=as_json({k: v for k, v in READINGS["curves"].items() if k != "networks"}),
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
    shell:
        "python -m readings.curve --network {wildcards.network} --reading {wildcards.reading} "
        "--settings {params.settings:q} --part {params.part:q} --seed {params.seed} "
        "--device {params.device} --precision {params.precision} --threads {threads} "
        "--dictionary {output.dictionary} --output {output.table} > {log} 2>&1"


rule readings_score:
    input:
        code=code("readings/score.py"),
        data="<results>/data/" + READINGS["table1"]["dataset"] + ".safetensors",
    output:
        table="<results>/readings/table1/{network}-{reading}.csv",
        checksum="<results>/readings/table1/{network}-{reading}.csv.sha256",
        dictionary="<results>/readings/table1/{network}-{reading}.safetensors",
    log:
        "<logs>/readings_score/{network}-{reading}.log",
    benchmark:
        "<benchmarks>/readings_score/{network}-{reading}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(240),
        gpu=GPUS,
    params:
        settings=lambda w: as_json(READINGS_TABLE1[w.network, w.reading]),
        part=as_json({k: v for k, v in READINGS["table1"].items() if k != "networks"}),
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
    shell:
        "python -m readings.score --data {input.data} --network {wildcards.network} "
        "--reading {wildcards.reading} --settings {params.settings:q} --part {params.part:q} "
        "--seed {params.seed} --device {params.device} --precision {params.precision} "
        "--threads {threads} --dictionary {output.dictionary} --output {output.table} "
        "> {log} 2>&1"


rule readings_figures:
    input:
        code=code("readings/figures.py"),
        curves=summary("readings_curves"),
        checksums=sums(summary("readings_curves")),
        paper=DELIVERED["readings"].paper,
    output:
        drawn("readings", DELIVERED["readings"].figures, "Readings of the paper"),
    log:
        "<logs>/readings_figures.log",
    benchmark:
        "<benchmarks>/readings_figures.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m readings.figures --curves {input.curves} --output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all readings`.
rule readings:
    input:
        delivered("readings"),
