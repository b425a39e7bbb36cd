# Porosity realizations in batches, and the ensemble of their simulations.


# First and last realization of each batch.
BATCHES = [
    (first, min(first + config["porosity"]["batch_size"], config["porosity"]["realizations"]) - 1)
    for first in range(0, config["porosity"]["realizations"], config["porosity"]["batch_size"])
]

# What the pores are made from. How many there are, and in which batches, changes no realization.
POROSITY = {"seed": config["seed"]} | {
    key: value
    for key, value in config["porosity"].items()
    if key not in ("realizations", "batch_size")
}


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
        settings=json.dumps(POROSITY),
    message:
        "pores of realizations {wildcards.first} to {wildcards.last}"
    shell:
        "python -m porefail porosity --output {output:q}"
        " --first {wildcards.first} --last {wildcards.last} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"


rule gather:
    input:
        [f"results/{{name}}/simulation/{first:05d}-{last:05d}.h5" for first, last in BATCHES],
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
                "porosity": POROSITY,
                "simulation": SIMULATION,
                "model_version": MODEL_VERSION,
                "realizations": config["porosity"]["realizations"],
            }
        ),
    message:
        "gather the simulations"
    shell:
        "python -m porefail gather --shards {input:q} --output {output.ensemble:q}"
        " --account {output.account:q} --settings {params.settings:q} 2>&1 | tee {log:q}"
