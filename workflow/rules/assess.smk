# Metrics, baselines, figures and the summary.


rule evaluate:
    input:
        prediction="results/{name}/prediction.h5",
        dataset="results/{name}/dataset.h5",
        ensemble="results/{name}/ensemble.h5",
    output:
        curves="results/{name}/evaluation/curves.csv",
        sites=in_report("results/{name}/evaluation/sites.csv", "3. Hit rates", "site_table"),
        specimens=in_report(
            "results/{name}/evaluation/specimens.csv", "3. Hit rates", "specimen_table"
        ),
    log:
        "results/{name}/logs/evaluate.log",
    benchmark:
        "results/{name}/benchmarks/evaluate.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    resources:
        **needs("evaluate"),
    params:
        options=files,
        settings=json.dumps(SETTINGS["evaluate"]),
    message:
        "evaluate the predictions"
    shell:
        command("evaluate")


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
        "results/{name}/report/summary.txt",
        # Reports show HTML and pictures in place, and offer text for download.
        in_report("results/{name}/report/summary.html", "1. Summary"),
        in_report("results/{name}/report/specimens.png", "2. Held-out specimens"),
        in_report("results/{name}/report/site_hits.png", "3. Hit rates"),
        in_report("results/{name}/report/metric_curves.png", "4. Metrics"),
        in_report("results/{name}/report/learning_curves.png", "5. Training"),
        in_report("results/{name}/report/damage_history.png", "6. Simulations"),
    log:
        "results/{name}/logs/report.log",
    benchmark:
        "results/{name}/benchmarks/report.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    resources:
        **needs("report"),
    params:
        options=files_and_folder,
        settings=json.dumps(SETTINGS["report"]),
    message:
        "draw the figures, sum up the result"
    shell:
        command("report")
