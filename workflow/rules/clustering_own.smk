# Experiment 2 on data sets of the user's own: what the groups stand for, with labels or without.
import clustering.conditions


rule clustering_members:
    input:
        code=code("clustering/members.py"),
        data=rules.data_prepare.output,
        model=lambda w: expand(
            rules.clustering_train.output.model,
            dataset=w.dataset,
            method=CLUSTERING["shown"]["method"],
            centering="raw",
        ),
        codes=lambda w: expand(
            rules.clustering_evaluate.output.codes,
            dataset=w.dataset,
            method=CLUSTERING["shown"]["method"],
            centering="raw",
        ),
    output:
        drawn("clustering", ["members"], "Experiment 2: clustering", "{dataset}"),
    log:
        "<logs>/clustering_members/{dataset}.log",
    benchmark:
        "<benchmarks>/clustering_members/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=scaled(2000),
        runtime=10,
    params:
        init=CLUSTERING["shown"]["init"],
    shell:
        "python -m clustering.members --data {input.data} --model {input.model} "
        "--codes {input.codes} --init {params.init} --output {output} > {log} 2>&1"
