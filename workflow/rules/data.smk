# Real data: bundled with scikit-learn, downloaded and verified, or the user's own.
rule data_prepare:
    input:
        code=code("data/prepare.py"),
        file=lambda w: inputs(data_entry(w.dataset)),
    output:
        "<results>/data/{dataset}.safetensors",
    log:
        "<logs>/data_prepare/{dataset}.log",
    benchmark:
        "<benchmarks>/data_prepare/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        raw_dir=config["download"]["raw_dir"],
        subset=config["download"]["subset"],
        # How to download changes no data: of what depends on threads, snakemake records nothing.
        retries=lambda w, threads: config["download"]["retries"],
        timeout=lambda w, threads: config["download"]["timeout"],
        mirrors=lambda w, threads: [
            f"--mirror={url}"
            for url in config["download"]["mirrors"].get(w.dataset, [])
        ],
        entry=lambda w: as_json(data_entry(w.dataset)),
        seed=config["seed"],
        # Not used by the command: a change of a raw file makes the data anew.
        raw=lambda w: raw_state(config["download"]["raw_dir"], w.dataset),
    shell:
        "python -m data.prepare --dataset {wildcards.dataset} "
        "--raw-dir {params.raw_dir:q} --retries {params.retries} --timeout {params.timeout} "
        "--subset {params.subset} {params.mirrors:q} --entry {params.entry:q} "
        "--seed {params.seed} --output {output} > {log} 2>&1"
