# Porosity realizations in batches, and the ensemble of their simulations.


rule porosity:
    output:
        output="results/{name}/porosity/{first}-{last}.h5",
    log:
        "results/{name}/logs/porosity/{first}-{last}.log",
    benchmark:
        "results/{name}/benchmarks/porosity/{first}-{last}.tsv"
    conda:
        "../../envs/fe-nodes.yaml"
    resources:
        **needs("porosity"),
    params:
        options=files,
        settings=json.dumps(SETTINGS["porosity"]),
    message:
        "pores of realizations {wildcards.first} to {wildcards.last}"
    shell:
        command("porosity --first {wildcards.first} --last {wildcards.last}")


CAMPAIGN = configuration.campaign_of(config)


rule gather:
    input:
        shards=[
            *([CAMPAIGN.known] if CAMPAIGN.known else []),
            *(
                f"results/{{name}}/simulation/{first:05d}-{last:05d}.h5"
                for first, last in CAMPAIGN.batches
            ),
        ],
        presolve=[
            f"results/{{name}}/presolve/{first:05d}-{last:05d}.h5"
            for first, last in configuration.batches_of(config)
            if config["presolve"]["strain"] > 0
        ],
    output:
        output="results/{name}/ensemble.h5",
        account="results/{name}/account.csv",
    log:
        "results/{name}/logs/gather.log",
    benchmark:
        "results/{name}/benchmarks/gather.tsv"
    conda:
        "../../envs/fe-nodes.yaml"
    resources:
        **needs("gather"),
    params:
        options=files,
        settings=json.dumps(SETTINGS["gather"]),
    message:
        "gather the simulations"
    shell:
        command("gather")
