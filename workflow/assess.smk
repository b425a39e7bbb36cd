# Metrics, baselines, figures and the summary.


rule evaluate:
    input:
        prediction="results/{name}/prediction.h5",
        dataset="results/{name}/dataset.h5",
        ensemble="results/{name}/ensemble.h5",
    output:
        curves="results/{name}/evaluation/curves.csv",
        sites=report(
            "results/{name}/evaluation/sites.csv",
            caption="report/site_table.rst",
            category="3. Hit rates",
        ),
        specimens=report(
            "results/{name}/evaluation/specimens.csv",
            caption="report/specimen_table.rst",
            category="3. Hit rates",
        ),
    log:
        "results/{name}/logs/evaluate.log",
    benchmark:
        "results/{name}/benchmarks/evaluate.tsv"
    conda:
        "../envs/gpu-nodes.yaml"
    resources:
        mem_mb=growing(MEMORY["evaluate"]),
        runtime=growing(MINUTES["evaluate"]),
    params:
        settings=json.dumps(config["evaluation"]),
    message:
        "evaluate the predictions"
    shell:
        "python -m porefail evaluate --prediction {input.prediction:q}"
        " --dataset {input.dataset:q} --ensemble {input.ensemble:q}"
        " --curves {output.curves:q} --sites {output.sites:q} --specimens {output.specimens:q}"
        " --settings {params.settings:q} 2>&1 | tee {log:q}"


rule report:
    input:
        ensemble="results/{name}/ensemble.h5",
        dataset="results/{name}/dataset.h5",
        prediction="results/{name}/prediction.h5",
        history="results/{name}/training/history.csv",
        curves="results/{name}/evaluation/curves.csv",
        sites="results/{name}/evaluation/sites.csv",
        specimens="results/{name}/evaluation/specimens.csv",
    output:
        text="results/{name}/report/summary.txt",
        # Reports show HTML and pictures in place, and offer text for download.
        summary=report(
            "results/{name}/report/summary.html",
            caption="report/summary.rst",
            category="1. Summary",
        ),
        specimens=report(
            "results/{name}/report/specimens.png",
            caption="report/specimens.rst",
            category="2. Held-out specimens",
        ),
        site_hits=report(
            "results/{name}/report/site_hits.png",
            caption="report/site_hits.rst",
            category="3. Hit rates",
        ),
        metric_curves=report(
            "results/{name}/report/metric_curves.png",
            caption="report/metric_curves.rst",
            category="4. Metrics",
        ),
        learning_curves=report(
            "results/{name}/report/learning_curves.png",
            caption="report/learning_curves.rst",
            category="5. Training",
        ),
        damage_history=report(
            "results/{name}/report/damage_history.png",
            caption="report/damage_history.rst",
            category="6. Simulations",
        ),
    log:
        "results/{name}/logs/report.log",
    benchmark:
        "results/{name}/benchmarks/report.tsv"
    conda:
        "../envs/gpu-nodes.yaml"
    resources:
        mem_mb=growing(MEMORY["report"]),
        runtime=growing(MINUTES["report"]),
    params:
        settings=json.dumps(
            config["report"]
            | {
                key: config["evaluation"][key]
                for key in ("site_threshold", "near_voxels", "near_z")
            }
            | {"loss": config["training"]["loss"]}
        ),
        folder=lambda wildcards, output: os.path.dirname(output.summary),
    message:
        "draw the figures, sum up the result"
    shell:
        "python -m porefail report --ensemble {input.ensemble:q} --dataset {input.dataset:q}"
        " --prediction {input.prediction:q} --history {input.history:q}"
        " --curves {input.curves:q} --sites {input.sites:q} --specimens {input.specimens:q}"
        " --output {params.folder:q} --settings {params.settings:q} 2>&1 | tee {log:q}"
