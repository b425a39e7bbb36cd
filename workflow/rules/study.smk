# Sections 3 and 4 of the paper, and what goes beyond: labels and models of config/variants.yaml are
# cross-validated and compared. No part of `all`: `snakemake study`, best with config/study.yaml.

TARGETS = configuration.study_targets(config)


rule crossvalidate:
    input:
        ensemble="results/{name}/ensemble.h5",
        transfer=lambda wildcards: [
            f"results/{target}/ensemble.h5"
            for target in TARGETS.get((wildcards.label, wildcards.model), [])
        ],
    output:
        scores="results/{name}/study/{label}/{model}/fold-{fold}/scores.csv",
        curves="results/{name}/study/{label}/{model}/fold-{fold}/curves.csv",
        distribution="results/{name}/study/{label}/{model}/fold-{fold}/distribution.csv",
        specimens="results/{name}/study/{label}/{model}/fold-{fold}/specimens.csv",
        history="results/{name}/study/{label}/{model}/fold-{fold}/history.csv",
    log:
        "results/{name}/logs/crossvalidate/{label}-{model}-{fold}.log",
    benchmark:
        "results/{name}/benchmarks/crossvalidate/{label}-{model}-{fold}.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    threads: config["study"]["threads"]
    resources:
        **needs("crossvalidate"),
    params:
        options=files_and_checkpoint,
        settings=lambda wildcards: json.dumps(
            configuration.variant_settings(
                config, wildcards.label, wildcards.model, int(wildcards.fold)
            )
        ),
    message:
        "cross-validate {wildcards.model} on {wildcards.label}, fold {wildcards.fold}"
    shell:
        on_all_cores(command("crossvalidate"))


rule study:
    input:
        [
            f"{RESULTS}/study/{label}/{model}/fold-{fold}/scores.csv"
            for (label, model), folds in configuration.study_folds(config).items()
            for fold in range(folds)
        ],
        ensemble=f"{RESULTS}/ensemble.h5",
    output:
        f"{RESULTS}/study/curves.csv",
        f"{RESULTS}/study/winners.csv",
        f"{RESULTS}/study/summary.txt",
        in_report(f"{RESULTS}/study/table.csv", "8. Study", "study_table"),
        [
            in_report(f"{RESULTS}/study/frontier.csv", "8. Study", "frontier_table")
            for figure in configuration.study_figures(config)
            if figure == "frontier"
        ],
        [
            in_report(f"{RESULTS}/study/{figure}.png", "8. Study", "study")
            for figure in configuration.study_figures(config)
        ],
    log:
        f"{RESULTS}/logs/study.log",
    benchmark:
        f"{RESULTS}/benchmarks/study.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    resources:
        **needs("study"),
    params:
        options=files_and_folder,
        settings=json.dumps(SETTINGS["study"]),
    message:
        "compare the variants of the study"
    shell:
        command(f"study --variants {RESULTS}/study")
