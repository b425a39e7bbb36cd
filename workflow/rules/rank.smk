# The Bayesian twin of the trained network, and its ranking of likely failure sites (paper, sections
# 5 and 6). No part of `all`: `snakemake rank`.


rule train_bayesian:
    input:
        dataset="results/{name}/dataset.h5",
        trained="results/{name}/training/model.keras",
    output:
        model="results/{name}/bayesian/model.keras",
        history="results/{name}/bayesian/history.csv",
    log:
        "results/{name}/logs/train_bayesian.log",
    benchmark:
        "results/{name}/benchmarks/train_bayesian.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    threads: 64
    resources:
        **needs("train_bayesian"),
    params:
        options=files_and_checkpoint,
        settings=json.dumps(SETTINGS["train_bayesian"]),
    message:
        "train the Bayesian network"
    shell:
        on_all_cores(command("train-bayesian"))


rule rank:
    input:
        model=f"{RESULTS}/bayesian/model.keras",
        dataset=f"{RESULTS}/dataset.h5",
        ensemble=f"{RESULTS}/ensemble.h5",
    output:
        f"{RESULTS}/ranking/prediction.h5",
        f"{RESULTS}/ranking/scores.csv",
        f"{RESULTS}/ranking/summary.txt",
        in_report(f"{RESULTS}/ranking/sites.csv", "9. Ranking", "ranking_table"),
        in_report(f"{RESULTS}/ranking/damage_variance.png", "9. Ranking", "ranking"),
        in_report(f"{RESULTS}/ranking/cluster_distributions.png", "9. Ranking", "ranking"),
        in_report(f"{RESULTS}/ranking/weight_variation.png", "9. Ranking", "ranking"),
    log:
        f"{RESULTS}/logs/rank.log",
    benchmark:
        f"{RESULTS}/benchmarks/rank.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    threads: 64
    resources:
        **needs("rank"),
    params:
        options=files_and_folder,
        settings=json.dumps(SETTINGS["rank"]),
    message:
        "rank the likely failure sites of the held-out specimens"
    shell:
        on_all_cores(command("rank"))
