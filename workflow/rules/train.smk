# Training: one job per method and condition, its replicates side by side.
rule train_recovery:
    input:
        code=code("train_recovery.py"),
        data=rules.simulate.output,
    output:
        model=f"{RESULTS}/simulation/snr{{snr}}/{{sampling}}/{{method}}/model.safetensors",
        history=f"{RESULTS}/simulation/snr{{snr}}/{{sampling}}/{{method}}/history.csv",
    log:
        f"{LOGS}/train_recovery/snr{{snr}}-{{sampling}}-{{method}}.log",
    benchmark:
        f"{BENCHMARKS}/train_recovery/snr{{snr}}-{{sampling}}-{{method}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        spec=lambda w: as_json(SIMULATION["methods"][w.method]),
        training=as_json(SIMULATION["training"]),
        device=config["device"],
        # Not an output: it must survive an interrupted job.
        checkpoint=lambda w: f"{RESULTS}/checkpoints/snr{w.snr}-{w.sampling}-{w.method}.safetensors",
    shell:
        "python src/train_recovery.py --data {input.data} --sampling {wildcards.sampling} "
        "--method {wildcards.method} --spec {params.spec:q} --training {params.training:q} "
        "--device {params.device} --threads {threads} --checkpoint {params.checkpoint} "
        "--output {output.model} --history {output.history} > {log} 2>&1"


rule train_clustering:
    input:
        code=code("train_clustering.py"),
        data=rules.prepare_dataset.output,
    output:
        model=f"{RESULTS}/clustering/{{dataset}}/{{method}}-{{init}}-{{centering}}/model.safetensors",
        history=f"{RESULTS}/clustering/{{dataset}}/{{method}}-{{init}}-{{centering}}/history.csv",
    log:
        f"{LOGS}/train_clustering/{{dataset}}-{{method}}-{{init}}-{{centering}}.log",
    benchmark:
        f"{BENCHMARKS}/train_clustering/{{dataset}}-{{method}}-{{init}}-{{centering}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=6000,
        runtime=480,
    params:
        spec=lambda w: clustering_spec(w.method),
        settings=lambda w: as_json(CLUSTERING["settings"][w.dataset]),
        replicates=CLUSTERING["replicates"],
        seed=config["seed"],
        device=config["device"],
        center=lambda w: "--center" if w.centering == "centered" else "",
        checkpoint=lambda w: (
            f"{RESULTS}/checkpoints/{w.dataset}-{w.method}-{w.init}-{w.centering}.safetensors"
        ),
    shell:
        "python src/train_clustering.py --data {input.data} --method {wildcards.method} "
        "--init {wildcards.init} {params.center} --spec {params.spec:q} --settings {params.settings:q} "
        "--replicates {params.replicates} --seed {params.seed} --device {params.device} "
        "--threads {threads} --checkpoint {params.checkpoint} "
        "--output {output.model} --history {output.history} > {log} 2>&1"


rule measure_convergence:
    input:
        code=code("measure_convergence.py"),
        data=rules.prepare_dataset.output,
    output:
        f"{RESULTS}/clustering/{{dataset}}/convergence/{{method}}.csv",
    log:
        f"{LOGS}/measure_convergence/{{dataset}}-{{method}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_convergence/{{dataset}}-{{method}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=6000,
        runtime=480,
    params:
        spec=lambda w: clustering_spec(w.method),
        settings=lambda w: as_json(CLUSTERING["settings"][w.dataset]),
        long=CLUSTERING["convergence"],
        init=config["report"]["init"],
        seed=config["seed"],
        device=config["device"],
    shell:
        "python src/measure_convergence.py --data {input.data} --method {wildcards.method} "
        "--init {params.init} --spec {params.spec:q} --settings {params.settings:q} "
        "--epochs {params.long[epochs]} --snapshots {params.long[snapshots]} "
        "--seed {params.seed} --device {params.device} --threads {threads} "
        "--output {output} > {log} 2>&1"
