# Skill against the number of specimens simulated, chosen at random or where a regression is least
# sure; from the ensemble's own. No part of `all`: `snakemake campaign`.


rule campaign:
    input:
        ensemble=f"{RESULTS}/ensemble.h5",
    output:
        in_report(f"{RESULTS}/campaign/table.csv", "12. Campaign", "campaign"),
        in_report(f"{RESULTS}/campaign/skill.png", "12. Campaign", "campaign"),
    log:
        f"{RESULTS}/logs/campaign.log",
    benchmark:
        f"{RESULTS}/benchmarks/campaign.tsv"
    conda:
        "../../envs/gpu-nodes.yaml"
    resources:
        **needs("campaign"),
    params:
        options=files_and_folder,
        settings=json.dumps(SETTINGS["campaign"]),
    message:
        "skill against the number of specimens simulated"
    shell:
        command("campaign")
