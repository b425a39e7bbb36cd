# The Bayesian twin of the trained network, and its ranking of likely failure sites (paper, sections
# 5 and 6). No part of `all`: `snakemake rank`.

RANKING = f"results/{config['name']}/ranking"
# What its training depends on, so not how often it is drawn from.
BAYESIAN = TRAINING | {
    "bayesian": {
        key: value
        for key, value in config["training"]["bayesian"].items()
        if key not in ("draws", "members", "dropout")
    }
}


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
        "../envs/gpu-nodes.yaml"
    threads: 64
    resources:
        mem_mb=growing(MEMORY["train"]),
        runtime=growing(MINUTES["train"]),
    params:
        settings=json.dumps({"seed": config["seed"]} | BAYESIAN),
        # Not an output: Snakemake would delete what a killed training resumes from.
        checkpoint=lambda wildcards, output: f"{os.path.dirname(output.model)}/checkpoint.npz",
    message:
        "train the Bayesian network"
    shell:
        "OMP_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-{threads}}} python -m porefail train-bayesian"
        " --dataset {input.dataset:q} --trained {input.trained:q} --model {output.model:q}"
        " --history {output.history:q} --checkpoint {params.checkpoint:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule rank:
    input:
        model=expand(rules.train_bayesian.output.model, name=config["name"]),
        dataset=expand(rules.dataset.output, name=config["name"]),
        ensemble=expand(rules.gather.output.ensemble, name=config["name"]),
    output:
        prediction=f"{RANKING}/prediction.h5",
        sites=report(
            f"{RANKING}/sites.csv", caption="report/ranking_table.rst", category="9. Ranking"
        ),
        summary=f"{RANKING}/summary.txt",
        figures=report(
            expand(
                f"{RANKING}/{{figure}}.png",
                figure=["damage_variance", "cluster_distributions", "weight_variation"],
            ),
            caption="report/ranking.rst",
            category="9. Ranking",
        ),
    log:
        f"results/{config['name']}/logs/rank.log",
    benchmark:
        f"results/{config['name']}/benchmarks/rank.tsv"
    conda:
        "../envs/gpu-nodes.yaml"
    threads: 64
    resources:
        mem_mb=growing(MEMORY["predict"]),
        runtime=growing(MINUTES["predict"]),
    params:
        settings=json.dumps(
            config["ranking"]
            | {
                "seed": config["seed"],
                "draws": config["training"]["bayesian"]["draws"],
                "near_voxels": config["evaluation"]["near_voxels"],
                "specimens": config["report"]["specimens"],
            }
        ),
        folder=lambda wildcards, output: os.path.dirname(output.summary),
    message:
        "rank the likely failure sites of the held-out specimens"
    shell:
        "OMP_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-{threads}}} python -m porefail rank"
        " --model {input.model:q} --dataset {input.dataset:q} --ensemble {input.ensemble:q}"
        " --output {params.folder:q} --settings {params.settings:q} 2>&1 | tee {log:q}"
