# Data set, training, prediction.

# What the training of the network depends on, so not how it predicts.
TRAINING = {
    key: value for key, value in config["training"].items() if key not in ("average", "bayesian")
}


rule dataset:
    input:
        "results/{name}/ensemble.h5",
    output:
        "results/{name}/dataset.h5",
    log:
        "results/{name}/logs/dataset.log",
    benchmark:
        "results/{name}/benchmarks/dataset.tsv"
    conda:
        "../envs/gpu-nodes.yaml"
    resources:
        mem_mb=growing(MEMORY["dataset"]),
        runtime=growing(MINUTES["dataset"]),
    params:
        settings=json.dumps({"seed": config["seed"]} | config["dataset"]),
    message:
        "make the data set"
    shell:
        "python -m porefail dataset --ensemble {input:q} --output {output:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule train:
    input:
        "results/{name}/dataset.h5",
    output:
        model="results/{name}/training/model.keras",
        history="results/{name}/training/history.csv",
    log:
        "results/{name}/logs/train.log",
    benchmark:
        "results/{name}/benchmarks/train.tsv"
    conda:
        "../envs/gpu-nodes.yaml"
    threads: 64  # all that there are; in a Slurm job cpus_per_task, see profiles/slurm
    resources:
        mem_mb=growing(MEMORY["train"]),
        runtime=growing(MINUTES["train"]),
    params:
        settings=json.dumps({"seed": config["seed"]} | TRAINING),
        # Not an output: Snakemake would delete what a killed training resumes from.
        checkpoint=lambda wildcards, output: f"{os.path.dirname(output.model)}/checkpoint.npz",
    message:
        "train the network"
    shell:
        "OMP_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-{threads}}} python -m porefail train --dataset {input:q}"
        " --model {output.model:q} --history {output.history:q}"
        " --checkpoint {params.checkpoint:q} --settings {params.settings:q} 2>&1 | tee {log:q}"


rule predict:
    input:
        model="results/{name}/training/model.keras",
        dataset="results/{name}/dataset.h5",
    output:
        "results/{name}/prediction.h5",
    log:
        "results/{name}/logs/predict.log",
    benchmark:
        "results/{name}/benchmarks/predict.tsv"
    conda:
        "../envs/gpu-nodes.yaml"
    threads: 64
    resources:
        mem_mb=growing(MEMORY["predict"]),
        runtime=growing(MINUTES["predict"]),
    params:
        settings=json.dumps(
            {
                "site_threshold": config["evaluation"]["site_threshold"],
                "average": config["training"]["average"],
            }
        ),
    message:
        "predict the held-out specimens"
    shell:
        "OMP_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-{threads}}} python -m porefail predict --model {input.model:q}"
        " --dataset {input.dataset:q} --output {output:q} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"
