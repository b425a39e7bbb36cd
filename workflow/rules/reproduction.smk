# The paper beside ours, from an ensemble and what was made of it. No part of `all`: `snakemake
# reproduction`, with config/paper.yaml and config/reproduction.yaml.


rule reproduction:
    input:
        ensemble=f"{RESULTS}/ensemble.h5",
        phenomenology=f"{RESULTS}/phenomenology/table.csv",
        study=f"{RESULTS}/study/table.csv",
        curves=f"{RESULTS}/study/curves.csv",
        ranking=f"{RESULTS}/ranking/scores.csv",
        sensitivity=f"{RESULTS}/sensitivity/table.csv",
        collapse=[
            f"results/{name}/phenomenology/table.csv"
            for name in [config["reproduction"]["collapse"]]
            if name
        ],
    output:
        f"{RESULTS}/reproduction/reproduction.md",
        in_report(f"{RESULTS}/reproduction/table.csv", "11. Reproduction", "reproduction"),
    log:
        f"{RESULTS}/logs/reproduction.log",
    benchmark:
        f"{RESULTS}/benchmarks/reproduction.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    resources:
        **needs("reproduction"),
    params:
        options=files_and_folder,
        settings=json.dumps(SETTINGS["reproduction"]),
    message:
        "compare the run with the paper, number by number"
    shell:
        command("reproduction")
