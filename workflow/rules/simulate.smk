# Synthetic data of Experiment 1, one file per noise level; and its small problems, all in one job.
rule simulate:
    input:
        code=code("simulate_data.py"),
    output:
        "<results>/simulation/snr{snr}/data.safetensors",
    log:
        "<logs>/simulate/snr{snr}.log",
    benchmark:
        "<benchmarks>/simulate/snr{snr}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(20),
    params:
        model=lambda w: as_json(SIMULATION["model"]),
        inits=lambda w: as_json(
            {
                name: {key: init[key] for key in ("correlation", "normalized")}
                for name, init in SIMULATION["inits"].items()
            }
        ),
        replicates=lambda w: SIMULATION["replicates"],
        seed=config["seed"],
    shell:
        "python {input.code[0]:q} --model {params.model:q} --inits {params.inits:q} --snr={wildcards.snr} "
        "--replicates {params.replicates} --seed {params.seed} --output {output} > {log} 2>&1"


rule sweep_lambda:
    input:
        code=code("sweep_lambda.py"),
    output:
        "<results>/simulation/lambda_sweep.csv",
    log:
        "<logs>/sweep_lambda.log",
    benchmark:
        "<benchmarks>/sweep_lambda.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
        gpu=GPUS,
    params:
        sweep=lambda w: as_json(SIMULATION["sweep"]),
        seed=config["seed"],
        device=config["device"],
        precision=config["precision"],
    shell:
        "python {input.code[0]:q} --sweep {params.sweep:q} --seed {params.seed} "
        "--device {params.device} --precision {params.precision} "
        "--threads {threads} --output {output} > {log} 2>&1"
