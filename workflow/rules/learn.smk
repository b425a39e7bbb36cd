# Data set, training, prediction.


rule dataset:
    input:
        ensemble="results/{name}/ensemble.h5",
    output:
        output="results/{name}/dataset.h5",
    log:
        "results/{name}/logs/dataset.log",
    benchmark:
        "results/{name}/benchmarks/dataset.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    resources:
        **needs("dataset"),
    params:
        options=files,
        settings=json.dumps(SETTINGS["dataset"]),
    message:
        "make the data set"
    shell:
        command("dataset")


rule train:
    input:
        dataset="results/{name}/dataset.h5",
    output:
        model="results/{name}/training/model.keras",
        history="results/{name}/training/history.csv",
    log:
        "results/{name}/logs/train.log",
    benchmark:
        "results/{name}/benchmarks/train.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    threads: 64  # all that there are; in a Slurm job cpus_per_task, see profiles/slurm
    resources:
        **needs("train"),
    params:
        options=files_and_checkpoint,
        settings=json.dumps(SETTINGS["train"]),
    message:
        "train the network"
    shell:
        on_all_cores(command("train"))


rule predict:
    input:
        model="results/{name}/training/model.keras",
        dataset="results/{name}/dataset.h5",
    output:
        output="results/{name}/prediction.h5",
    log:
        "results/{name}/logs/predict.log",
    benchmark:
        "results/{name}/benchmarks/predict.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    threads: 64
    resources:
        **needs("predict"),
    params:
        options=files,
        settings=json.dumps(SETTINGS["predict"]),
    message:
        "predict the held-out specimens"
    shell:
        on_all_cores(command("predict"))
