# Training: one job per method and condition, its replicates side by side; on real data its inits
# as well, because starting Python takes longer than a small training.
rule train_recovery:
    input:
        code=code("train_recovery.py"),
        data=rules.simulate.output,
    output:
        model="<results>/simulation/snr{snr}/{init}/{sampling}/{method}/model.safetensors",
        history="<results>/simulation/snr{snr}/{init}/{sampling}/{method}/history.csv",
    log:
        "<logs>/train_recovery/snr{snr}-{init}-{sampling}-{method}.log",
    benchmark:
        "<benchmarks>/train_recovery/snr{snr}-{init}-{sampling}-{method}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
        gpu=GPUS,
    params:
        spec=lambda w: as_json(simulation_method(w.method)),
        training=lambda w: as_json(
            {
                **SIMULATION["training"],
                "epochs": SIMULATION["inits"][w.init].get(
                    "epochs", SIMULATION["training"]["epochs"]
                ),
            }
        ),
        device=config["device"],
        precision=config["precision"],
        # Not an output: it must survive an interrupted job.
        checkpoint=lambda w: f"{RESULTS}/checkpoints/snr{w.snr}-{w.init}-{w.sampling}-{w.method}.safetensors",
    shell:
        "python {input.code[0]:q} --data {input.data} --init {wildcards.init} --sampling {wildcards.sampling} "
        "--method {wildcards.method} --spec {params.spec:q} --training {params.training:q} "
        "--device {params.device} --precision {params.precision} --threads {threads} --checkpoint {params.checkpoint} "
        "--output {output.model} --history {output.history} > {log} 2>&1"


rule train_clustering:
    input:
        code=code("train_clustering.py"),
        data=rules.prepare_dataset.output,
    output:
        model="<results>/clustering/{dataset}/{method}-{centering}/model.safetensors",
        history="<results>/clustering/{dataset}/{method}-{centering}/history.csv",
    log:
        "<logs>/train_clustering/{dataset}-{method}-{centering}.log",
    benchmark:
        "<benchmarks>/train_clustering/{dataset}-{method}-{centering}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(6000),
        runtime=scaled(480),
        gpu=GPUS,
    params:
        spec=lambda w: clustering_spec(w.method),
        inits=lambda w: clustering_inits(config, w.method),
        settings=lambda w: as_json(CLUSTERING["settings"][w.dataset]),
        replicates=lambda w: CLUSTERING["replicates"],
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
        center=lambda w: "--center" if w.centering == "centered" else "",
        checkpoint=lambda w: (
            f"{RESULTS}/checkpoints/{w.dataset}-{w.method}-{w.centering}.safetensors"
        ),
    shell:
        "python {input.code[0]:q} --data {input.data} --method {wildcards.method} "
        "--inits {params.inits} {params.center} --spec {params.spec:q} --settings {params.settings:q} "
        "--replicates {params.replicates} --seed {params.seed} --device {params.device} --precision {params.precision} "
        "--threads {threads} --checkpoint {params.checkpoint} "
        "--output {output.model} --history {output.history} > {log} 2>&1"


rule measure_convergence:
    input:
        code=code("measure_convergence.py"),
        data=rules.prepare_dataset.output,
    output:
        "<results>/clustering/{dataset}/convergence/{method}.csv",
    log:
        "<logs>/measure_convergence/{dataset}-{method}.log",
    benchmark:
        "<benchmarks>/measure_convergence/{dataset}-{method}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(6000),
        runtime=scaled(480),
        gpu=GPUS,
    params:
        spec=lambda w: clustering_spec(w.method),
        settings=lambda w: as_json(CLUSTERING["settings"][w.dataset]),
        long=lambda w: CLUSTERING["convergence"],
        init=config["report"]["init"],
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
    shell:
        "python {input.code[0]:q} --data {input.data} --method {wildcards.method} "
        "--init {params.init} --spec {params.spec:q} --settings {params.settings:q} "
        "--epochs {params.long[epochs]} --snapshots {params.long[snapshots]} "
        "--seed {params.seed} --device {params.device} --precision {params.precision} --threads {threads} "
        "--output {output} > {log} 2>&1"
