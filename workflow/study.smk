# Sections 3 and 4 of the paper, and what goes beyond: labels and models of config/variants.yaml are
# cross-validated and compared. No part of `all`: `snakemake study`, best with config/study.yaml.

STUDY = f"results/{config['name']}/study"
# Label and model of each variant, and the number of its folds: as many as are asked for, and as test
# parts make up the whole; one if none do.
FOLDS = {}
MOST_FOLDS, REST = divmod(sum(config["dataset"]["split"]), config["dataset"]["split"][2])
MOST_FOLDS = 1 if REST else MOST_FOLDS
for comparison in config["study"]["comparisons"].values():
    for variant in itertools.product(comparison["labels"], comparison["models"]):
        folds = comparison.get("folds", config["study"]["folds"])
        FOLDS[variant] = max(min(folds, MOST_FOLDS), FOLDS.get(variant, 0))
# The other ensembles that it is tested on.
TARGETS = {
    (label, model): sorted(
        target
        for target, names in config["study"]["transfer"].items()
        if any(
            label in config["study"]["comparisons"][other]["labels"]
            and model in config["study"]["comparisons"][other]["models"]
            for other in names
        )
    )
    for label, model in FOLDS
}


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
        "../envs/gpu-nodes.yaml"
    threads: config["study"]["threads"]
    resources:
        mem_mb=growing(MEMORY["crossvalidate"]),
        runtime=growing(MINUTES["crossvalidate"]),
    params:
        settings=lambda wildcards: json.dumps(
            variant_settings(config, wildcards.label, wildcards.model, int(wildcards.fold))
        ),
        transfer=lambda wildcards, input: (
            "--transfer " + " ".join(map(shlex.quote, input.transfer)) if input.transfer else ""
        ),
        # Not an output: Snakemake would delete what a killed training resumes from.
        checkpoint=lambda wildcards, output: f"{os.path.dirname(output.scores)}/checkpoint.npz",
    message:
        "cross-validate {wildcards.model} on {wildcards.label}, fold {wildcards.fold}"
    shell:
        "OMP_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-{threads}}} python -m porefail crossvalidate"
        " --ensemble {input.ensemble:q} {params.transfer} --scores {output.scores:q}"
        " --curves {output.curves:q} --distribution {output.distribution:q}"
        " --specimens {output.specimens:q} --history {output.history:q}"
        " --checkpoint {params.checkpoint:q} --settings {params.settings:q} 2>&1 | tee {log:q}"


# What each comparison of the study is drawn as; steps/study.py draws the same.
STUDY_FIGURES = [
    figure
    for comparison, figures in {
        "paper": ["label_transforms", "cross_validation", "damage_frequency"],
        "weightings": ["loss_distribution", "loss_weightings"],
        "parameters": ["label_parameters"],
        "ablation": ["variant_skill", "operating_curves"],
        "uncertainty": ["bayesian_overlap", "coverage_by_damage"],
    }.items()
    for figure in figures
    if any(
        name == comparison and variants["labels"] and variants["models"]
        for name, variants in config["study"]["comparisons"].items()
    )
] + (["transfer_skill"] if any(TARGETS.values()) else [])


rule study:
    input:
        ensemble=expand(rules.gather.output.ensemble, name=config["name"]),
        scores=[
            f"{STUDY}/{label}/{model}/fold-{fold}/scores.csv"
            for (label, model), folds in FOLDS.items()
            for fold in range(folds)
        ],
    output:
        table=report(f"{STUDY}/table.csv", caption="report/study_table.rst", category="8. Study"),
        curves=f"{STUDY}/curves.csv",
        summary=f"{STUDY}/summary.txt",
        figures=report(
            expand(f"{STUDY}/{{figure}}.png", figure=STUDY_FIGURES),
            caption="report/study.rst",
            category="8. Study",
        ),
    log:
        f"results/{config['name']}/logs/study.log",
    benchmark:
        f"results/{config['name']}/benchmarks/study.tsv"
    conda:
        "../envs/gpu-nodes.yaml"
    resources:
        mem_mb=growing(MEMORY["study"]),
        runtime=growing(MINUTES["study"]),
    params:
        settings=json.dumps(
            {
                "folds": [[*variant, folds] for variant, folds in FOLDS.items()],
                "dataset": config["dataset"],
                "evaluation": study_evaluation(config),
                "labels": {label: study_label(config, label) for label, _ in FOLDS},
                "weightings": {
                    model: study_model(config, model)[1]["weighting"] for _, model in FOLDS
                },
                "kinds": {model: study_model(config, model)[0] for _, model in FOLDS},
                "comparisons": config["study"]["comparisons"],
                "transfer": config["study"]["transfer"],
            }
        ),
        folder=lambda wildcards, output: os.path.dirname(output.table),
    message:
        "compare the variants of the study"
    shell:
        "python -m porefail study --ensemble {input.ensemble:q} --variants {params.folder:q}"
        " --output {params.folder:q} --settings {params.settings:q} 2>&1 | tee {log:q}"
