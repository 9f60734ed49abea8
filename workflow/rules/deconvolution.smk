# Recordings, drawn or read, as one kind of artefact.
from deconvolution.conditions import KERNELS

DECONVOLUTION = config["deconvolution"]


def deconvolution_file(entry, key):
    """A file that a recording names: in the working directory, or else of this workflow."""
    path = entry.get(key)
    if not path:
        return []
    ours = (ROOT / path).exists() and not Path(path).exists()
    return source(path) if ours else path


def deconvolution_kernels(w):
    """The table of the kernels of a simulation, if they have one."""
    table = KERNELS[DECONVOLUTION["simulations"][w.name]["kernels"]].file
    return source(table) if table else []


rule deconvolution_simulate:
    input:
        code=code("deconvolution/simulate.py"),
        kernels=deconvolution_kernels,
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
        file=lambda w: deconvolution_file(DECONVOLUTION["recordings"][w.name], "file"),
        kernels=lambda w: deconvolution_file(
            DECONVOLUTION["recordings"][w.name], "kernels"
        ),
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
