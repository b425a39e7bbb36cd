# Tension tests of the realizations of a batch, by mpiexec; of perturbed specimens too, which lie in
# results/<name>/perturbed/<k>/. Beside them, where presolve.strain asks for it, what is known of
# the realizations before; it needs no simulation.


rule simulate:
    input:
        "results/{name}/porosity/{first}-{last}.h5",
    output:
        "results/{name}/simulation/{first}-{last}.h5",
    log:
        "results/{name}/logs/simulate/{first}-{last}.log",
    benchmark:
        "results/{name}/benchmarks/simulate/{first}-{last}.tsv"
    wildcard_constraints:
        name=re.escape(str(config["name"])) + r"(/perturbed/\d+)?",
    conda:
        "../../envs/fe-nodes.yaml"
    threads: config["execution"]["ranks"]
    resources:
        **on_ranks("simulate"),
    params:
        settings=json.dumps(SETTINGS["simulate"]),
        # Raised when the physics changes, which reruns this rule.
        model_version=MODEL_VERSION,
    message:
        "simulate realizations {wildcards.first} to {wildcards.last}"
    shell:
        command_on_ranks("simulate")


rule presolve:
    input:
        "results/{name}/porosity/{first}-{last}.h5",
    output:
        "results/{name}/presolve/{first}-{last}.h5",
    log:
        "results/{name}/logs/presolve/{first}-{last}.log",
    benchmark:
        "results/{name}/benchmarks/presolve/{first}-{last}.tsv"
    conda:
        "../../envs/fe-nodes.yaml"
    threads: config["execution"]["ranks"]
    resources:
        **on_ranks("presolve"),
    params:
        settings=json.dumps(SETTINGS["presolve"]),
        model_version=MODEL_VERSION,
    message:
        "elastic fields and coarse step of realizations {wildcards.first} to {wildcards.last}"
    shell:
        command_on_ranks("presolve")
