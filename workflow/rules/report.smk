# Figures and tables, and the page that holds them. The figures of a job share its start: it takes
# longer than drawing.
RECOVERY_FIGURES = ["fig3a", "fig3b", "fig3c", "fig3d", "inits"]
RECOVERY_FIGURES += ["lambda_sweep"] if "lambda_sweep" in TABLES else []
CLUSTERING_FIGURES = ["fig4", "fig5"]
CLUSTERING_FIGURES += ["silhouettes"] if config["report"]["silhouettes"] else []
SCORES_FIGURES = ["table1"] + (["convergence"] if "convergence" in TABLES else [])


rule plot_recovery:
    input:
        code=code("plot_recovery.py"),
        history="<results>/summary/recovery_history.csv",
        recovery="<results>/summary/recovery.csv",
        sweep=table("lambda_sweep"),
    output:
        drawn(
            RECOVERY_FIGURES,
            caption="recovery",
            category="Experiment 1: recovery",
        ),
    log:
        "<logs>/plot_recovery.log",
    benchmark:
        "<benchmarks>/plot_recovery.tsv"
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
    shell:
        "python {input.code[0]:q} --history {input.history} --recovery {input.recovery} "
        "--sweep {input.sweep} --choices {params.choices:q} --output {output} > {log} 2>&1"


rule plot_clustering:
    input:
        code=code("plot_clustering.py"),
        data=rules.prepare_dataset.output,
        models=lambda w: shown(w.dataset, "model"),
        codes=lambda w: shown(w.dataset, "codes"),
    output:
        drawn(
            CLUSTERING_FIGURES,
            caption="clustering",
            category="Experiment 2: clustering",
            dataset="{dataset}",
        ),
    log:
        "<logs>/plot_clustering/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_clustering/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        choices=as_json(config["report"]),
    shell:
        "python {input.code[0]:q} --data {input.data} --models {input.models} "
        "--codes {input.codes} --choices {params.choices:q} --output {output} > {log} 2>&1"


rule plot_scores:
    input:
        code=code("plot_scores.py"),
        clustering="<results>/summary/clustering.csv",
        convergence=table("convergence"),
    output:
        drawn(
            SCORES_FIGURES,
            caption="clustering",
            category="Experiment 2: clustering",
            dataset="{dataset}",
        ),
    log:
        "<logs>/plot_scores/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_scores/{dataset}.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        epochs=lambda w: CLUSTERING["settings"][w.dataset]["training"]["epochs"],
    shell:
        "python {input.code[0]:q} --clustering {input.clustering} "
        "--convergence {input.convergence} --dataset {wildcards.dataset} "
        "--epochs {params.epochs} --output {output} > {log} 2>&1"


rule make_table1:
    input:
        code=code("make_table1.py"),
        clustering="<results>/summary/clustering.csv",
    output:
        report(
            "<reports>/tables/table1.csv",
            caption="../../reports/captions/table1.rst",
            category="Experiment 2: clustering",
            labels={"figure": "Table 1", "data set": "all", "format": "csv"},
        ),
    log:
        "<logs>/make_table1.log",
    benchmark:
        "<benchmarks>/make_table1.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python {input.code[0]:q} --clustering {input.clustering} --output {output} > {log} 2>&1"


rule build_report:
    input:
        code=code("build_report.py"),
        template=source("reports/template.html"),
        claims=rules.make_claims.output,
        recovery=table("recovery"),
        history=table("recovery_history"),
        clustering=table("clustering"),
        table1=rules.make_table1.output if CLUSTERING else [],
        figures=[
            *expand(
                "<reports>/figures/{figure}.png",
                figure=RECOVERY_FIGURES if SIMULATION else [],
            ),
            *expand(
                "<reports>/figures/{figure}-{dataset}.png",
                figure=CLUSTERING_FIGURES + SCORES_FIGURES,
                dataset=DATASETS,
            ),
        ],
        theory=table("theory"),
        theory_figures=expand(
            "<reports>/figures/theory_{figure}.png", figure=THEORY_FIGURES
        ),
    output:
        report(
            "<reports>/report.html",
            caption="../../reports/captions/page.rst",
            category="Page and claims",
            labels={"file": "the page: claims, figures and tables", "format": "html"},
        ),
    log:
        "<logs>/build_report.log",
    benchmark:
        "<benchmarks>/build_report.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        config=as_json(SELECTED),
    shell:
        "python {input.code[0]:q} --template {input.template:q} --claims {input.claims} "
        "--recovery {input.recovery} --history {input.history} --clustering {input.clustering} "
        "--table1 {input.table1} --figures {input.figures} "
        "--theory {input.theory} --theory-figures {input.theory_figures} "
        "--config {params.config:q} --output {output} > {log} 2>&1"


# The small results of a run, committed with the repository: `make publish` after `make full`.
# No output, which snakemake would delete first: what is refused leaves the folder as it is.
rule publish:
    input:
        code=code("publish_results.py"),
        page=source("reports/results.md.j2"),
        section=source("reports/section.md.j2"),
        report=rules.build_report.output,
        recovery="<results>/summary/recovery.csv",
        history="<results>/summary/recovery_history.csv",
        tables=[
            "<results>/summary/clustering.csv",
            *rules.make_claims.output,
            *rules.make_table1.output,
            "<results>/summary/theory.csv",
            "<results>/summary/theory_sweep.csv",
            "<results>/summary/lambda_sweep.csv",
            "<results>/summary/convergence.csv",
        ],
        figures=[
            *rules.build_report.input.figures,
            *rules.build_report.input.theory_figures,
        ],
        artefacts=[
            *expand("<results>/simulation/snr{snr}/data.safetensors", snr=RECOVERY),
            *expand(rules.prepare_dataset.output, dataset=config["datasets"]),
            *(f"{f}/model.safetensors" for f in RECOVERY_FOLDERS + CLUSTERING_FOLDERS),
            *(f"{f}/codes.safetensors" for f in CLUSTERING_FOLDERS),
        ],
    log:
        "<logs>/publish.log",
    benchmark:
        "<benchmarks>/publish.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        config=as_json(config),
        benchmarks=BENCHMARKS,
        folder="reports/published",
    shell:
        "python {input.code[0]:q} --report {input.report} --recovery {input.recovery} "
        "--history {input.history} --tables {input.tables} --figures {input.figures} "
        "--artefacts {input.artefacts} --benchmarks {params.benchmarks} "
        "--page {input.page:q} --section {input.section:q} "
        "--config {params.config:q} --output {params.folder} "
        "> {log} 2>&1"
