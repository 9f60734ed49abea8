# Recordings, drawn or read, as one kind of artefact.
from deconvolution.conditions import KERNELS

DECONVOLUTION = config["deconvolution"]


rule deconvolution_simulate:
    input:
        code=code("deconvolution/simulate.py"),
        kernels=lambda w: given(
            KERNELS[DECONVOLUTION["simulations"][w.name]["kernels"]].file
        ),
    output:
        "<results>/deconvolution/data/{name}-{replicate}.safetensors",
    log:
        "<logs>/deconvolution_simulate/{name}-{replicate}.log",
    benchmark:
        "<benchmarks>/deconvolution_simulate/{name}-{replicate}.tsv"
    wildcard_constraints:
        name="|".join(DECONVOLUTION["simulations"] or ["none"]),
        replicate="[0-9]+",
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    params:
        entry=lambda w: as_json(DECONVOLUTION["simulations"][w.name]),
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
        name="|".join(DECONVOLUTION["recordings"] or ["none"]),
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
