# Metrics of every method and control, in long form, and their collection into summary tables.
def recovery_folders(snr):
    """Folders of all trainings at one noise level."""
    return [
        f"{RESULTS}/simulation/snr{snr}/{name}/{sampling}/{method}"
        for name, init in SIMULATION["inits"].items()
        if float(snr) in init.get("snr_db", SIMULATION["snr_db"])
        for sampling in init.get("sampling", SIMULATION["sampling"])
        if sampling == "fresh" or float(snr) in SIMULATION["fixed_snr_db"]
        for method in init.get("methods", SIMULATION["methods"])
    ]


# One job: starting Python takes longer than scoring a model.
rule evaluate_recovery:
    input:
        code=code("evaluate_recovery.py"),
        data=rules.simulate.output,
        models=lambda w: [f"{f}/model.safetensors" for f in recovery_folders(w.snr)],
    output:
        f"{RESULTS}/simulation/snr{{snr}}/metrics.csv",
    log:
        f"{LOGS}/evaluate_recovery/snr{{snr}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate_recovery/snr{{snr}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    shell:
        "python src/evaluate_recovery.py --data {input.data} --models {input.models} "
        "--threads {threads} --output {output} > {log} 2>&1"


rule evaluate_clustering:
    input:
        code=code("evaluate_clustering.py"),
        data=rules.prepare_dataset.output,
        model=rules.train_clustering.output.model,
    output:
        metrics=f"{RESULTS}/clustering/{{dataset}}/{{method}}-{{centering}}/metrics.csv",
        codes=f"{RESULTS}/clustering/{{dataset}}/{{method}}-{{centering}}/codes.safetensors",
    log:
        f"{LOGS}/evaluate_clustering/{{dataset}}-{{method}}-{{centering}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate_clustering/{{dataset}}-{{method}}-{{centering}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(240),
    params:
        neighbors=lambda w: CLUSTERING["settings"][w.dataset]["neighbors"],
        replicates=lambda w: CLUSTERING["replicates"],
        seed=config["seed"],
    shell:
        "python src/evaluate_clustering.py --data {input.data} --model {input.model} "
        "--neighbors {params.neighbors} --replicates {params.replicates} --seed {params.seed} "
        "--threads {threads} --output {output.metrics} --codes {output.codes} > {log} 2>&1"


rule evaluate_clustering_control:
    input:
        code=code("evaluate_clustering.py"),
        data=rules.prepare_dataset.output,
    output:
        f"{RESULTS}/clustering/{{dataset}}/controls/metrics.csv",
    log:
        f"{LOGS}/evaluate_clustering_control/{{dataset}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate_clustering_control/{{dataset}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(120),
    params:
        neighbors=lambda w: CLUSTERING["settings"][w.dataset]["neighbors"],
        replicates=lambda w: CLUSTERING["replicates"],
        seed=config["seed"],
    shell:
        "python src/evaluate_clustering.py --data {input.data} "
        "--neighbors {params.neighbors} --replicates {params.replicates} --seed {params.seed} "
        "--threads {threads} --output {output} > {log} 2>&1"


RECOVERY = {
    snr: folders
    for snr in SIMULATION.get("snr_db", ())
    if (folders := recovery_folders(snr))
}
RECOVERY_FOLDERS = [folder for folders in RECOVERY.values() for folder in folders]
CLUSTERING_FOLDERS = [
    f"{RESULTS}/clustering/{dataset}/{method}-{'centered' if centered else 'raw'}"
    for dataset, method, centered in clustering_conditions(SELECTED)
]
CLUSTERING_CONTROLS = [
    f"{RESULTS}/clustering/{dataset}/controls" for dataset in DATASETS
]
REGIMES = THEORY.get("regimes", [])
CONVERGENCE = CLUSTERING.get("convergence", {}).get("methods", [])
PARTS = {
    "recovery": [f"{RESULTS}/simulation/snr{snr}/metrics.csv" for snr in RECOVERY],
    "recovery_history": [f"{f}/history.csv" for f in RECOVERY_FOLDERS],
    "clustering": [
        f"{f}/metrics.csv" for f in CLUSTERING_CONTROLS + CLUSTERING_FOLDERS
    ],
    "clustering_history": [f"{f}/history.csv" for f in CLUSTERING_FOLDERS],
    "theory": [f"{RESULTS}/theory/{regime}.csv" for regime in REGIMES],
    "theory_sweep": [f"{RESULTS}/theory/sweep.csv"] if has_sweep(THEORY) else [],
    "lambda_sweep": (
        [f"{RESULTS}/simulation/lambda_sweep.csv"] if has_sweep(SIMULATION) else []
    ),
    "convergence": [
        f"{RESULTS}/clustering/{dataset}/convergence/{method}.csv"
        for dataset in DATASETS
        for method in CONVERGENCE
    ],
}
TABLES = {name: parts for name, parts in PARTS.items() if parts}


def table(name):
    """A summary table, as a list that is empty where the run has none."""
    return [f"{RESULTS}/summary/{name}.csv"] if name in TABLES else []


rule collect:
    input:
        code=code("collect_tables.py"),
        tables=lambda w: TABLES[w.table],
    output:
        f"{RESULTS}/summary/{{table}}.csv",
    log:
        f"{LOGS}/collect/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/collect/{{table}}.tsv"
    wildcard_constraints:
        table="|".join(TABLES),
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python src/collect_tables.py {input.tables} --output {output} > {log} 2>&1"


rule make_claims:
    input:
        code=code("make_claims.py"),
        recovery=table("recovery"),
        history=table("recovery_history"),
        clustering=table("clustering"),
        theory=table("theory"),
        sweep=table("theory_sweep"),
    output:
        f"{RESULTS}/summary/claims.csv",
    log:
        f"{LOGS}/make_claims.log",
    benchmark:
        f"{BENCHMARKS}/make_claims.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        choices=as_json(config["report"]),
        model=as_json(SIMULATION.get("model")),
    shell:
        "python src/make_claims.py --recovery {input.recovery} --history {input.history} "
        "--clustering {input.clustering} --theory {input.theory} --sweep {input.sweep} "
        "--choices {params.choices:q} --model {params.model:q} --output {output} > {log} 2>&1"


# Every number of the run, without figures: a stage to ask for with --until or by name.
rule summarise:
    input:
        expand(f"{RESULTS}/summary/{{table}}.csv", table=[*TABLES, "claims"]),
