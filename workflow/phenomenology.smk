# Section 2.4 of the paper from an ensemble. No part of `all`: `snakemake phenomenology`, best with
# config/phenomenology.yaml. A rule without a wildcard can be asked for by its name.

PHENOMENOLOGY = f"results/{config['name']}/phenomenology"


rule phenomenology:
    input:
        ensemble=expand(rules.gather.output.ensemble, name=config["name"]),
        account=expand(rules.gather.output.account, name=config["name"]),
    output:
        text=f"{PHENOMENOLOGY}/summary.txt",
        table=report(
            f"{PHENOMENOLOGY}/table.csv",
            caption="report/phenomenology_table.rst",
            category="7. Phenomenology",
        ),
        damage_sequence=report(
            f"{PHENOMENOLOGY}/damage_sequence.png",
            caption="report/damage_sequence.rst",
            category="7. Phenomenology",
        ),
        damage_histograms=report(
            f"{PHENOMENOLOGY}/damage_histograms.png",
            caption="report/damage_histograms.rst",
            category="7. Phenomenology",
        ),
        ensemble_curves=report(
            f"{PHENOMENOLOGY}/ensemble_curves.png",
            caption="report/ensemble_curves.rst",
            category="7. Phenomenology",
        ),
        damage_stages=report(
            f"{PHENOMENOLOGY}/damage_stages.png",
            caption="report/damage_stages.rst",
            category="7. Phenomenology",
        ),
        failure_spread=report(
            f"{PHENOMENOLOGY}/failure_spread.png",
            caption="report/failure_spread.rst",
            category="7. Phenomenology",
        ),
    log:
        f"results/{config['name']}/logs/phenomenology.log",
    benchmark:
        f"results/{config['name']}/benchmarks/phenomenology.tsv"
    conda:
        "../envs/gpu-nodes.yaml"
    resources:
        mem_mb=growing(MEMORY["phenomenology"]),
        runtime=growing(MINUTES["phenomenology"]),
    params:
        settings=json.dumps(config["phenomenology"]),
        folder=lambda wildcards, output: os.path.dirname(output.text),
    message:
        "compare the ensemble with section 2.4 of the paper"
    shell:
        "python -m porefail phenomenology --ensemble {input.ensemble:q}"
        " --account {input.account:q} --output {params.folder:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"
