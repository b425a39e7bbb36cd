# Where the parts in CT scans will fail: a job for each sample of the table `scan.samples`. No part
# of `all`: `snakemake scans`.


rule scan:
    input:
        scan=lambda wildcards: SAMPLES[wildcards.sample].files,
        part_mask=lambda wildcards: SAMPLES[wildcards.sample].masks,
        locator=configuration.locator_file(config["scan"]) or [],
    output:
        report=f"{RESULTS}/scans/{{sample}}/report.html",
        sites=f"{RESULTS}/scans/{{sample}}/sites.csv",
        pores=f"{RESULTS}/scans/{{sample}}/pores.csv",
        part=f"{RESULTS}/scans/{{sample}}/part.vtkhdf",
        summary=f"{RESULTS}/scans/{{sample}}/summary.txt",
    log:
        f"{RESULTS}/logs/scan/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/scan/{{sample}}.tsv"
    wildcard_constraints:
        sample="|".join(map(re.escape, SAMPLES)) or "none",
    conda:
        "../../envs/fe-nodes.yaml"
    threads: 1
    resources:
        **needs("scan"),
    params:
        options=scan_options,
        # Raised when the physics changes, which reruns this rule.
        model_version=MODEL_VERSION,
    message:
        "look where the part in scan {wildcards.sample} will fail"
    shell:
        "python -m porefail scan {params.options} 2>&1 | tee {log:q}"


localrules:
    scans,


rule scans:
    input:
        scan_reports,
