# Section 2.4 of the paper from an ensemble. No part of `all`: `snakemake phenomenology`, best with
# config/phenomenology.yaml. A rule without a wildcard can be asked for by its name.


rule phenomenology:
    input:
        ensemble=f"{RESULTS}/ensemble.h5",
        account=f"{RESULTS}/account.csv",
    output:
        f"{RESULTS}/phenomenology/summary.txt",
        in_report(f"{RESULTS}/phenomenology/table.csv", "7. Phenomenology", "phenomenology_table"),
        in_report(f"{RESULTS}/phenomenology/damage_sequence.png", "7. Phenomenology"),
        in_report(f"{RESULTS}/phenomenology/damage_histograms.png", "7. Phenomenology"),
        in_report(f"{RESULTS}/phenomenology/ensemble_curves.png", "7. Phenomenology"),
        in_report(f"{RESULTS}/phenomenology/damage_stages.png", "7. Phenomenology"),
        in_report(f"{RESULTS}/phenomenology/failure_spread.png", "7. Phenomenology"),
    log:
        f"{RESULTS}/logs/phenomenology.log",
    benchmark:
        f"{RESULTS}/benchmarks/phenomenology.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    resources:
        **needs("phenomenology"),
    params:
        options=files_and_folder,
        settings=json.dumps(SETTINGS["phenomenology"]),
    message:
        "compare the ensemble with section 2.4 of the paper"
    shell:
        command("phenomenology")
