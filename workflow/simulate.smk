# Tension tests of the realizations of a batch, by mpiexec.

SIMULATION = config["simulation"] | {
    "material": {"name": config["simulation"]["material"]}
    | config["materials"][config["simulation"]["material"]]
}
# The same as porefail.fe.MODEL_VERSION, raised with it when the physics changes: reruns this rule.
MODEL_VERSION = 2


rule simulate:
    input:
        "results/{name}/porosity/{first}-{last}.h5",
    output:
        "results/{name}/simulation/{first}-{last}.h5",
    log:
        "results/{name}/logs/simulate/{first}-{last}.log",
    benchmark:
        "results/{name}/benchmarks/simulate/{first}-{last}.tsv"
    conda:
        "../envs/fe-nodes.yaml"
    # How it is run: changes no result, so none of it is a parameter. One core a rank.
    threads: config["execution"]["ranks"]
    resources:
        launcher=config["execution"]["launcher"],
        tasks=config["execution"]["ranks"],
        team=config["execution"]["ranks_per_realization"],
        cpus_per_task=1,
        mem_mb=lambda wildcards, attempt: attempt * (500 + 500 * config["execution"]["ranks"]),
        runtime=lambda wildcards, attempt: attempt * 720,
    params:
        settings=json.dumps(SIMULATION),
        model_version=MODEL_VERSION,
    shell:
        "{resources.launcher} -n {resources.tasks} python -m porefail simulate"
        " --porosity {input:q} --output {output:q} --model-version {params.model_version}"
        " --ranks-per-realization {resources.team} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"
