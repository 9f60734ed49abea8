# Experiment 1: data, training (one job for each method and condition, its replicates at once),
# metrics, figures.
import recovery.conditions

RECOVERY = config["recovery"]
RECOVERY_TRAININGS = {
    snr: [
        "<results>/recovery/snr{}/{}/{}/{}".format(snr, *training) for training in found
    ]
    for snr in RECOVERY["snr_db"]
    if (found := recovery.conditions.trainings(RECOVERY, snr))
}
RECOVERY_FOLDERS = [f for folders in RECOVERY_TRAININGS.values() for f in folders]

deliver(
    "recovery",
    parts={
        "recovery": expand(
            "<results>/recovery/snr{snr}/metrics.csv", snr=RECOVERY_TRAININGS
        ),
        "recovery_history": [f"{f}/history.csv" for f in RECOVERY_FOLDERS],
        "recovery_sweep": (
            ["<results>/recovery/sweep.csv"] if has_sweep(RECOVERY) else []
        ),
    },
    figures=[
        *("fig3a", "fig3b", "fig3c", "fig3d", "inits"),
        *(["lambda_sweep"] if has_sweep(RECOVERY) else []),
    ],
    paper=[source("data/paper/fig3.csv")],
    artefacts=[
        *expand("<results>/recovery/snr{snr}/data.safetensors", snr=RECOVERY_TRAININGS),
        *(f"{f}/model.safetensors" for f in RECOVERY_FOLDERS),
    ],
)


wildcard_constraints:
    snr=r"[-+.0-9e]+",
    sampling="fixed|fresh|fresh_noise",


rule recovery_simulate:
    input:
        code=code("recovery/simulate.py"),
    output:
        "<results>/recovery/snr{snr}/data.safetensors",
    log:
        "<logs>/recovery_simulate/snr{snr}.log",
    benchmark:
        "<benchmarks>/recovery_simulate/snr{snr}.tsv"
    priority: 1  # the longest trainings of the default run wait for it
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
        code=lambda w: code("recovery/train.py", w.method),
        data=rules.recovery_simulate.output,
    output:
        model="<results>/recovery/snr{snr}/{init}/{sampling}/{method}/model.safetensors",
        history="<results>/recovery/snr{snr}/{init}/{sampling}/{method}/history.csv",
        checksum="<results>/recovery/snr{snr}/{init}/{sampling}/{method}/history.csv.sha256",
    log:
        "<logs>/recovery_train/snr{snr}-{init}-{sampling}-{method}.log",
    benchmark:
        "<benchmarks>/recovery_train/snr{snr}-{init}-{sampling}-{method}.tsv"
    priority: 1  # the longest jobs of the default run start first
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
        gpu=GPUS,
    params:
        spec=lambda w: as_json(recovery.conditions.spec_of(RECOVERY, w.method)),
        training=lambda w: as_json(recovery.conditions.training_of(RECOVERY, w.init)),
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
        models=lambda w: expand(
            "<results>/recovery/snr{snr}/{training}/model.safetensors",
            snr=w.snr,
            training=[
                "/".join(t) for t in recovery.conditions.trainings(RECOVERY, w.snr)
            ],
        ),
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
        paper=DELIVERED["recovery"].paper,
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
        model=as_json(RECOVERY["model"]),
    shell:
        "python -m recovery.figures --history {input.history} --recovery {input.recovery} "
        "--sweep {input.sweep} --shown {params.shown:q} --model {params.model:q} "
        "--output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all recovery`.
rule recovery:
    input:
        delivered("recovery"),
