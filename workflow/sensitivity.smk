# Perturbed copies of held-out specimens (paper, section 2.5), beside the ranking. Their simulation
# is the rule `simulate`, in folders of their own. No part of `all`: `snakemake sensitivity`.

SENSITIVITY = f"results/{config['name']}/sensitivity"
# First and last perturbation of each batch of each specimen.
PERTURBED = [
    (specimen, first, min(first + config["sensitivity"]["batch_size"], count) - 1)
    for specimen, count in enumerate(config["sensitivity"]["perturbations"])
    for first in range(0, count, config["sensitivity"]["batch_size"])
]


rule perturb:
    input:
        ensemble="results/{name}/ensemble.h5",
        dataset="results/{name}/dataset.h5",
    output:
        "results/{name}/perturbed/{specimen}/porosity/{first}-{last}.h5",
    log:
        "results/{name}/logs/perturb/{specimen}/{first}-{last}.log",
    benchmark:
        "results/{name}/benchmarks/perturb/{specimen}/{first}-{last}.tsv"
    wildcard_constraints:
        specimen=r"\d+",
    conda:
        "../envs/fe-nodes.yaml"
    resources:
        mem_mb=growing(MEMORY["perturb"]),
        runtime=growing(MINUTES["perturb"]),
    params:
        settings=json.dumps({"seed": config["seed"], "distance": config["sensitivity"]["distance"]}),
    message:
        "perturb specimen {wildcards.specimen}, {wildcards.first} to {wildcards.last}"
    shell:
        "python -m porefail perturb --ensemble {input.ensemble:q} --dataset {input.dataset:q}"
        " --output {output:q} --specimen {wildcards.specimen} --first {wildcards.first}"
        " --last {wildcards.last} --settings {params.settings:q} 2>&1 | tee {log:q}"


rule sensitivity:
    input:
        shards=[
            f"results/{config['name']}/perturbed/{specimen}/simulation/{first:05d}-{last:05d}.h5"
            for specimen, first, last in PERTURBED
        ],
        ensemble=expand(rules.gather.output.ensemble, name=config["name"]),
        dataset=expand(rules.dataset.output, name=config["name"]),
        prediction=expand(rules.predict.output, name=config["name"]),
        ranking=rules.rank.output.prediction,
        sites=rules.rank.output.sites,
    output:
        table=report(
            f"{SENSITIVITY}/table.csv",
            caption="report/sensitivity_table.rst",
            category="10. Sensitivity",
        ),
        failures=f"{SENSITIVITY}/failures.csv",
        summary=f"{SENSITIVITY}/summary.txt",
        figures=report(
            expand(
                f"{SENSITIVITY}/{{figure}}.png",
                figure=["failure_locus", "predicted_sites", "ranked_sites"],
            ),
            caption="report/sensitivity.rst",
            category="10. Sensitivity",
        ),
    log:
        f"results/{config['name']}/logs/sensitivity.log",
    benchmark:
        f"results/{config['name']}/benchmarks/sensitivity.tsv"
    conda:
        "../envs/gpu-nodes.yaml"
    resources:
        mem_mb=growing(MEMORY["evaluate"]),
        runtime=growing(MINUTES["evaluate"]),
    params:
        settings=json.dumps(
            {
                "simulation": CAMPAIGN.made_with["simulation"],
                "model_version": MODEL_VERSION,
                "site_threshold": config["ranking"]["site_threshold"],
                "true_threshold": config["evaluation"]["site_threshold"],
                "near_voxels": config["evaluation"]["near_voxels"],
            }
        ),
        folder=lambda wildcards, output: os.path.dirname(output.summary),
    message:
        "compare where perturbed specimens fail with the ranking"
    shell:
        "python -m porefail sensitivity --shards {input.shards:q} --ensemble {input.ensemble:q}"
        " --dataset {input.dataset:q} --prediction {input.prediction:q}"
        " --ranking {input.ranking:q} --sites {input.sites:q} --output {params.folder:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"
