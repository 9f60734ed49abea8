# Deconvolution: recordings, drawn or read, as one kind of artefact; a job for every method on one.
import deconvolution.conditions

DECONVOLUTION = config["deconvolution"]
DECONVOLUTION_JOBS = deconvolution.conditions.jobs(DECONVOLUTION)
DECONVOLUTION_SIMULATIONS = deconvolution.conditions.simulations(DECONVOLUTION)
DECONVOLUTION_METHODS = deconvolution.conditions.methods(DECONVOLUTION)

deliver(
    "deconvolution",
    parts={
        "deconvolution": [
            f"<results>/deconvolution/{job.data}/{job.method}.csv"
            for job in DECONVOLUTION_JOBS
        ]
    },
    figures=[f"deconvolution-{data}" for data in DECONVOLUTION["shown"]]
    + (["deconvolution_sweeps"] if DECONVOLUTION["sweeps"] else []),
    artefacts=[
        f"<results>/deconvolution/{job.data}/{job.method}.safetensors"
        for job in DECONVOLUTION_JOBS
    ]
    + [
        f"<results>/deconvolution/data/{file}.safetensors"
        for data in dict.fromkeys(job.data for job in DECONVOLUTION_JOBS)
        for file in deconvolution.conditions.artefacts(DECONVOLUTION, data)
    ],
)


rule deconvolution_simulate:
    input:
        code=code("deconvolution/simulate.py"),
        kernels=lambda w: given(
            deconvolution.conditions.KERNELS[
                DECONVOLUTION_SIMULATIONS[w.name]["kernels"]
            ].file
        ),
    output:
        "<results>/deconvolution/data/{name}-{replicate}.safetensors",
    log:
        "<logs>/deconvolution_simulate/{name}-{replicate}.log",
    benchmark:
        "<benchmarks>/deconvolution_simulate/{name}-{replicate}.tsv"
    wildcard_constraints:
        name=any_of(DECONVOLUTION_SIMULATIONS),
        replicate="[0-9]+",
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    params:
        entry=lambda w: as_json(DECONVOLUTION_SIMULATIONS[w.name]),
        kernels=lambda w, input: f"--kernels={input.kernels}" if input.kernels else [],
        seed=config["seed"],
    shell:
        "python -m deconvolution.simulate --name {wildcards.name} --entry {params.entry:q} "
        "{params.kernels:q} --replicate {wildcards.replicate} --seed {params.seed} "
        "--threads {threads} --output {output} > {log} 2>&1"


rule deconvolution_prepare:
    input:
        code=code("deconvolution/prepare.py"),
        file=lambda w: given(DECONVOLUTION["recordings"][w.name].get("file")),
        kernels=lambda w: given(DECONVOLUTION["recordings"][w.name].get("kernels")),
    output:
        "<results>/deconvolution/data/{name}.safetensors",
    log:
        "<logs>/deconvolution_prepare/{name}.log",
    benchmark:
        "<benchmarks>/deconvolution_prepare/{name}.tsv"
    wildcard_constraints:
        name=any_of(DECONVOLUTION["recordings"]),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(30),
    params:
        entry=lambda w: as_json(DECONVOLUTION["recordings"][w.name]),
        file=lambda w, input: f"--file={input.file}" if input.file else [],
        kernels=lambda w, input: f"--kernels={input.kernels}" if input.kernels else [],
    shell:
        "python -m deconvolution.prepare --name {wildcards.name} --entry {params.entry:q} "
        "{params.file:q} {params.kernels:q} --output {output} > {log} 2>&1"


rule deconvolution_measure:
    input:
        code=code("deconvolution/measure.py"),
        data=lambda w: expand(
            "<results>/deconvolution/data/{file}.safetensors",
            file=deconvolution.conditions.artefacts(DECONVOLUTION, w.data),
        ),
    output:
        table="<results>/deconvolution/{data}/{method}.csv",
        checksum="<results>/deconvolution/{data}/{method}.csv.sha256",
        learnt="<results>/deconvolution/{data}/{method}.safetensors",
    log:
        "<logs>/deconvolution_measure/{data}-{method}.log",
    benchmark:
        "<benchmarks>/deconvolution_measure/{data}-{method}.tsv"
    wildcard_constraints:
        data=any_of({job.data for job in DECONVOLUTION_JOBS}),
    conda:
        "../../envs/environment.yaml"
    threads:
        lambda w: deconvolution.conditions.entry_of(DECONVOLUTION, w.data).get(
            "threads", config["threads"]
        )
    resources:
        mem_mb=scaled(5000),
        runtime=scaled(240),
    params:
        spec=lambda w: as_json(DECONVOLUTION_METHODS[w.method]),
        search=as_json(DECONVOLUTION["search"]),
        # What was left out runs once its package is there.
        packages=lambda w: installed(
            *deconvolution.conditions.packages(DECONVOLUTION_METHODS[w.method])
        ),
        told=lambda w: as_json(deconvolution.conditions.told(DECONVOLUTION, w.data)),
        tolerances=DECONVOLUTION["tolerances"],
        replicates=lambda w: deconvolution.conditions.replicates(DECONVOLUTION, w.data),
        seed=config["seed"],
    shell:
        "python -m deconvolution.measure --data {input.data} --name {wildcards.data} "
        "--method {wildcards.method} --spec {params.spec:q} --search {params.search:q} "
        "--told {params.told:q} --tolerances {params.tolerances} "
        "--replicates {params.replicates} --seed {params.seed} --threads {threads} "
        "--learnt {output.learnt} --output {output.table} > {log} 2>&1"


rule deconvolution_figures:
    input:
        code=code("deconvolution/figures.py"),
        table=summary("deconvolution"),
        checksums=sums(summary("deconvolution")),
        data=lambda w: "<results>/deconvolution/data/{}.safetensors".format(
            deconvolution.conditions.artefacts(DECONVOLUTION, w.data)[0]
        ),
        learnt=lambda w: "<results>/deconvolution/{}/{}.safetensors".format(
            w.data, DECONVOLUTION["shown"][w.data]
        ),
    output:
        drawn("deconvolution", ["deconvolution"], "Deconvolution", "{data}"),
    log:
        "<logs>/deconvolution_figures/{data}.log",
    benchmark:
        "<benchmarks>/deconvolution_figures/{data}.tsv"
    wildcard_constraints:
        data=any_of(DECONVOLUTION["shown"]),
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=scaled(1000),
        runtime=10,
    params:
        section=as_json(DECONVOLUTION),
    shell:
        "python -m deconvolution.figures --table {input.table} --section {params.section:q} "
        "--name {wildcards.data} --data {input.data} --learnt {input.learnt} "
        "--output {output} > {log} 2>&1"


rule deconvolution_sweeps:
    input:
        code=code("deconvolution/curves.py"),
        table=summary("deconvolution"),
        checksums=sums(summary("deconvolution")),
    output:
        drawn("deconvolution", ["deconvolution_sweeps"], "Deconvolution"),
    log:
        "<logs>/deconvolution_sweeps.log",
    benchmark:
        "<benchmarks>/deconvolution_sweeps.tsv"
    group:
        "summary"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        section=as_json(DECONVOLUTION),
    shell:
        "python -m deconvolution.curves --table {input.table} --section {params.section:q} "
        "--output {output} > {log} 2>&1"


# The experiment alone: `snakemake --cores all deconvolution`.
rule deconvolution:
    input:
        delivered("deconvolution"),
