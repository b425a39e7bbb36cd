# Perturbed copies of held-out specimens (paper, section 2.5), beside the ranking. Their simulation
# is the rule `simulate`, in folders of their own. No part of `all`: `snakemake sensitivity`.


rule perturb:
    input:
        ensemble="results/{name}/ensemble.h5",
        dataset="results/{name}/dataset.h5",
    output:
        output="results/{name}/perturbed/{specimen}/porosity/{first}-{last}.h5",
    log:
        "results/{name}/logs/perturb/{specimen}/{first}-{last}.log",
    benchmark:
        "results/{name}/benchmarks/perturb/{specimen}/{first}-{last}.tsv"
    wildcard_constraints:
        specimen=r"\d+",
    conda:
        "../../envs/fe-nodes.yaml"
    resources:
        **needs("perturb"),
    params:
        options=files,
        settings=json.dumps(SETTINGS["perturb"]),
    message:
        "perturb specimen {wildcards.specimen}, {wildcards.first} to {wildcards.last}"
    shell:
        command(
            "perturb --specimen {wildcards.specimen}"
            " --first {wildcards.first} --last {wildcards.last}"
        )


rule sensitivity:
    input:
        shards=[
            f"{RESULTS}/perturbed/{specimen}/simulation/{first:05d}-{last:05d}.h5"
            for specimen, first, last in configuration.perturbed(config)
        ],
        ensemble=f"{RESULTS}/ensemble.h5",
        dataset=f"{RESULTS}/dataset.h5",
        prediction=f"{RESULTS}/prediction.h5",
        ranking=f"{RESULTS}/ranking/prediction.h5",
        sites=f"{RESULTS}/ranking/sites.csv",
    output:
        f"{RESULTS}/sensitivity/failures.csv",
        f"{RESULTS}/sensitivity/summary.txt",
        in_report(f"{RESULTS}/sensitivity/table.csv", "10. Sensitivity", "sensitivity_table"),
        in_report(f"{RESULTS}/sensitivity/failure_locus.png", "10. Sensitivity", "sensitivity"),
        in_report(f"{RESULTS}/sensitivity/predicted_sites.png", "10. Sensitivity", "sensitivity"),
        in_report(f"{RESULTS}/sensitivity/ranked_sites.png", "10. Sensitivity", "sensitivity"),
    log:
        f"{RESULTS}/logs/sensitivity.log",
    benchmark:
        f"{RESULTS}/benchmarks/sensitivity.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    resources:
        **needs("sensitivity"),
    params:
        options=files_and_folder,
        settings=json.dumps(SETTINGS["sensitivity"]),
    message:
        "compare where perturbed specimens fail with the ranking"
    shell:
        command("sensitivity")
