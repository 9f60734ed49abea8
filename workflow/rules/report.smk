# What experiments deliver, put together: summary tables, claims, the page, the published folder.
rule collect:
    input:
        code=code("evidence/collect.py"),
        tables=lambda w: PARTS[w.table],
        checksums=lambda w: sums(PARTS[w.table]),
    output:
        table="<results>/summary/{table}.csv",
        checksum="<results>/summary/{table}.csv.sha256",
    log:
        "<logs>/collect/{table}.log",
    benchmark:
        "<benchmarks>/collect/{table}.tsv"
    wildcard_constraints:
        table=any_of(PARTS),
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python -m evidence.collect {input.tables} --output {output.table} > {log} 2>&1"


# The claims of an experiment and its section of the page.
rule deliver:
    input:
        code=lambda w: code(f"{w.experiment}/report.py"),
        paper=lambda w: DELIVERED[w.experiment].paper,
        tables=lambda w: DELIVERED[w.experiment].tables,
        checksums=lambda w: sums(DELIVERED[w.experiment].tables),
    output:
        claims="<results>/{experiment}/claims.csv",
        section="<results>/{experiment}/section.json",
        checksums=[
            "<results>/{experiment}/claims.csv.sha256",
            "<results>/{experiment}/section.json.sha256",
        ],
    log:
        "<logs>/deliver/{experiment}.log",
    benchmark:
        "<benchmarks>/deliver/{experiment}.tsv"
    wildcard_constraints:
        experiment=any_of(DELIVERED),
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        figures=lambda w: DELIVERED[w.experiment].figures,
        config=lambda w: as_json(SELECTED[w.experiment]),
    shell:
        "python -m {wildcards.experiment}.report --tables {input.tables} "
        "--figures {params.figures} --config {params.config:q} --claims {output.claims} "
        "--section {output.section} > {log} 2>&1"


rule build_report:
    input:
        code=code("report/build.py"),
        template=[
            source(f"src/report/{file}")
            for file in ["template.html", "style.css", "page.js"]
        ],
        terms=source("docs/judging.md"),
        sections=expand("<results>/{experiment}/section.json", experiment=DELIVERED),
        claims=expand("<results>/{experiment}/claims.csv", experiment=DELIVERED),
        checksums=expand(
            "<results>/{experiment}/{file}.sha256",
            experiment=DELIVERED,
            file=["claims.csv", "section.json"],
        ),
        figures=[f for d in DELIVERED.values() for f in figure_files(d.figures)],
    output:
        page=report(
            "<reports>/report.html",
            caption="../../src/report/page.rst",
            category="Page and claims",
            labels={"file": "the page: claims, figures and tables"},
        ),
        claims=report(
            "<results>/summary/claims.csv",
            caption="../../src/report/claims.rst",
            category="Page and claims",
            labels={"file": "the claims and their verdicts"},
        ),
        checksum="<results>/summary/claims.csv.sha256",
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
        "python -m report.build --sections {input.sections} --claims {input.claims} "
        "--figures {input.figures} --config {params.config:q} "
        "--output {output.page} --table {output.claims} > {log} 2>&1"


# Every number of the run, without figures: a stage to ask for with --until or by name.
rule summarise:
    input:
        expand("<results>/summary/{table}.csv", table=PARTS),
        expand("<results>/{experiment}/claims.csv", experiment=DELIVERED),


# The small results of a run, committed with the repository: `make publish-full` after `make full`.
# No output, which snakemake would delete first: what is refused leaves the folder as it is.
rule publish:
    input:
        code=code("report/publish.py"),
        findings=source(f"reports/{config['published']}.md"),
        report=rules.build_report.output.page,
        sections=rules.build_report.input.sections,
        tables=[
            rules.build_report.output.claims,
            *(table for d in DELIVERED.values() for table in d.tables),
        ],
        checksums=[
            *rules.build_report.input.checksums,
            rules.build_report.output.checksum,
            *(file for d in DELIVERED.values() for file in sums(d.tables)),
        ],
        figures=rules.build_report.input.figures,
        artefacts=[file for d in DELIVERED.values() for file in d.artefacts],
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
        folder=lambda w: f"reports/{config['published']}",
    shell:
        "python -m report.publish --report {input.report} --sections {input.sections} "
        "--tables {input.tables} --figures {input.figures} --artefacts {input.artefacts} "
        "--benchmarks {params.benchmarks} --findings {input.findings:q} "
        "--config {params.config:q} --output {params.folder} > {log} 2>&1"
