# Jobs that fail in the ways that a cluster knows, with the helpers of the real rules. Tests copy
# this file next to the real Snakefile.
configfile: "config.yaml"


include: "workflow/rules/common.smk"


rule quick:
    output:
        "quick.txt",
    resources:
        mem_mb=scaled(500),
        runtime=5,
    shell:
        "date > {output}"


# Too long for its minute, once.
rule slow:
    output:
        "slow.txt",
    resources:
        mem_mb=scaled(500),
        runtime=scaled(1),
    shell:
        "if mkdir tried; then sleep 300; fi; date > {output}"


# Too large for its memory, once: snakemake itself takes a part.
rule large:
    output:
        "large.txt",
    resources:
        mem_mb=scaled(500),
        runtime=5,
    shell:
        """
        python -c 'import time; x = b"x" * 550_000_000; time.sleep(4)' && date >{output}
        """


rule gpu:
    output:
        "gpu.txt",
    resources:
        mem_mb=scaled(500),
        runtime=5,
        gpu=GPUS,
    shell:
        "echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES > {output}"
