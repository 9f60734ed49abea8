# Experiment 1: data, training (one job for each method and condition, its replicates at once),
# metrics, figures.
from recovery.check import has_sweep

RECOVERY = config["recovery"]


def recovery_folders(snr):
    """Folders of all trainings at one noise level."""
    return [
        f"<results>/recovery/snr{snr}/{name}/{sampling}/{method}"
        for name, init in RECOVERY["inits"].items()
        if float(snr) in init.get("snr_db", RECOVERY["snr_db"])
        for sampling in init.get("sampling", RECOVERY["sampling"])
        if sampling == "fresh" or float(snr) in RECOVERY["fixed_snr_db"]
        for method in init.get("methods", RECOVERY["methods"])
    ]


def recovery_method(name):
    """A method's entry; a lambda that is matched to another method gets that method's number."""
    spec = RECOVERY["methods"][name]
    if isinstance(spec.get("lambda"), dict):
        other = RECOVERY["methods"][spec["lambda"]["matched_to"]]
        return {**spec, "lambda": {"matched_to": other["lambda"]}}
    return spec


RECOVERY_LEVELS = [snr for snr in RECOVERY["snr_db"] if recovery_folders(snr)]
RECOVERY_TRAININGS = [f for snr in RECOVERY_LEVELS for f in recovery_folders(snr)]

deliver(
    "recovery",
    parts={
        "recovery": expand(
            "<results>/recovery/snr{snr}/metrics.csv", snr=RECOVERY_LEVELS
        ),
        "recovery_history": [f"{f}/history.csv" for f in RECOVERY_TRAININGS],
        "recovery_sweep": (
            ["<results>/recovery/sweep.csv"] if has_sweep(RECOVERY) else []
        ),
    },
    figures=["fig3a", "fig3b", "fig3c", "fig3d", "inits"]
    + ["lambda_sweep"] * has_sweep(RECOVERY),
    artefacts=[
        *expand("<results>/recovery/snr{snr}/data.safetensors", snr=RECOVERY_LEVELS),
        *(f"{f}/model.safetensors" for f in RECOVERY_TRAININGS),
    ],
)


wildcard_constraints:
    snr=r"[-+.0-9e]+",
    sampling="fixed|fresh",


rule recovery_simulate:
    input:
        code=code("recovery/simulate.py"),
    output:
        "<results>/recovery/snr{snr}/data.safetensors",
    log:
        "<logs>/recovery_simulate/snr{snr}.log",
    benchmark:
        "<benchmarks>/recovery_simulate/snr{snr}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(20),
    params:
        model=as_json(RECOVERY["model"]),
        inits=as_json(
            {
                name: {key: init[key] for key in ("correlation", "normalized")}
                for name, init in RECOVERY["inits"].items()
            }
        ),
        replicates=RECOVERY["replicates"],
        seed=config["seed"],
    shell:
        "python -m recovery.simulate --model {params.model:q} --inits {params.inits:q} "
        "--snr={wildcards.snr} --replicates {params.replicates} --seed {params.seed} "
        "--output {output} > {log} 2>&1"


rule recovery_train:
    input:
        code=code("recovery/train.py"),
        data=rules.recovery_simulate.output,
    output:
        model="<results>/recovery/snr{snr}/{init}/{sampling}/{method}/model.safetensors",
        history="<results>/recovery/snr{snr}/{init}/{sampling}/{method}/history.csv",
        checksum="<results>/recovery/snr{snr}/{init}/{sampling}/{method}/history.csv.sha256",
    log:
        "<logs>/recovery_train/snr{snr}-{init}-{sampling}-{method}.log",
    benchmark:
        "<benchmarks>/recovery_train/snr{snr}-{init}-{sampling}-{method}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
        gpu=GPUS,
    params:
        spec=lambda w: as_json(recovery_method(w.method)),
        training=lambda w: as_json(
            {
                **RECOVERY["training"],
                "epochs": RECOVERY["inits"][w.init].get(
                    "epochs", RECOVERY["training"]["epochs"]
                ),
            }
        ),
        device=config["device"],
        precision=config["precision"],
        # Not an output: it must survive an interrupted job.
        checkpoint=lambda w: f"{RESULTS}/checkpoints/snr{w.snr}-{w.init}-{w.sampling}-{w.method}.safetensors",
    shell:
        "python -m recovery.train --data {input.data} --init {wildcards.init} "
        "--sampling {wildcards.sampling} --method {wildcards.method} --spec {params.spec:q} "
        "--training {params.training:q} --device {params.device} --precision {params.precision} "
        "--threads {threads} --checkpoint {params.checkpoint} "
        "--output {output.model} --history {output.history} > {log} 2>&1"


# One job: starting Python takes longer than scoring a model.
rule recovery_evaluate:
    input:
        code=code("recovery/evaluate.py"),
        data=rules.recovery_simulate.output,
        models=lambda w: [f"{f}/model.safetensors" for f in recovery_folders(w.snr)],
    output:
        table="<results>/recovery/snr{snr}/metrics.csv",
        checksum="<results>/recovery/snr{snr}/metrics.csv.sha256",
    log:
        "<logs>/recovery_evaluate/snr{snr}.log",
    benchmark:
        "<benchmarks>/recovery_evaluate/snr{snr}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    shell:
        "python -m recovery.evaluate --data {input.data} --models {input.models} "
        "--threads {threads} --output {output.table} > {log} 2>&1"


# Small problems over a grid of lambda, all in one job.
rule recovery_sweep:
    input:
        code=code("recovery/sweep.py"),
    output:
        table="<results>/recovery/sweep.csv",
        checksum="<results>/recovery/sweep.csv.sha256",
    log:
        "<logs>/recovery_sweep.log",
    benchmark:
        "<benchmarks>/recovery_sweep.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
        gpu=GPUS,
    params:
        sweep=as_json(RECOVERY["sweep"]),
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
    shell:
        "python -m recovery.sweep --sweep {params.sweep:q} --seed {params.seed} "
        "--device {params.device} --precision {params.precision} "
        "--threads {threads} --output {output.table} > {log} 2>&1"


rule recovery_figures:
    input:
        code=code("recovery/figures.py"),
        history=summary("recovery_history"),
        recovery=summary("recovery"),
        sweep=summary("recovery_sweep"),
        checksums=sums(DELIVERED["recovery"].tables),
    output:
        drawn("recovery", DELIVERED["recovery"].figures, "Experiment 1: recovery"),
    log:
        "<logs>/recovery_figures.log",
    benchmark:
        "<benchmarks>/recovery_figures.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        shown=as_json(RECOVERY["shown"]),
    shell:
        "python -m recovery.figures --history {input.history} --recovery {input.recovery} "
        "--sweep {input.sweep} --shown {params.shown:q} --output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all recovery`.
rule recovery:
    input:
        delivered("recovery"),
