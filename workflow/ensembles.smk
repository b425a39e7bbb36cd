# Porosity realizations in batches, and the ensemble of their simulations.


rule porosity:
    output:
        "results/{name}/porosity/{first}-{last}.h5",
    log:
        "results/{name}/logs/porosity/{first}-{last}.log",
    benchmark:
        "results/{name}/benchmarks/porosity/{first}-{last}.tsv"
    conda:
        "../envs/fe-nodes.yaml"
    resources:
        mem_mb=growing(MEMORY["porosity"]),
        runtime=growing(MINUTES["porosity"]),
    params:
        settings=json.dumps(CAMPAIGN.made_with["porosity"]),
    message:
        "pores of realizations {wildcards.first} to {wildcards.last}"
    shell:
        "python -m porefail porosity --output {output:q}"
        " --first {wildcards.first} --last {wildcards.last} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"


rule gather:
    input:
        [
            f"results/{{name}}/simulation/{first:05d}-{last:05d}.h5"
            for first, last in CAMPAIGN.batches
        ],
    output:
        ensemble="results/{name}/ensemble.h5",
        account="results/{name}/account.csv",
    log:
        "results/{name}/logs/gather.log",
    benchmark:
        "results/{name}/benchmarks/gather.tsv"
    conda:
        "../envs/fe-nodes.yaml"
    resources:
        mem_mb=growing(MEMORY["gather"]),
        runtime=growing(MINUTES["gather"]),
    params:
        settings=json.dumps(
            {
                **CAMPAIGN.made_with,
                "model_version": MODEL_VERSION,
                "realizations": config["porosity"]["realizations"],
            }
        ),
    message:
        "gather the simulations"
    shell:
        "python -m porefail gather --shards {input:q} --output {output.ensemble:q}"
        " --account {output.account:q} --settings {params.settings:q} 2>&1 | tee {log:q}"
