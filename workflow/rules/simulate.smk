# Tension tests of the realizations of a batch, by mpiexec; of perturbed specimens too, which lie in
# results/<name>/perturbed/<k>/.


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
    # How it is run: changes no result, so none of it is a parameter.
    threads: config["execution"]["ranks"]
    resources:
        **needs("simulate"),
        launcher=config["execution"]["launcher"],
        ranks=config["execution"]["ranks"],
        team=config["execution"]["ranks_per_realization"],
        tasks=1,
        cpus_per_task=config["execution"]["ranks"],
    params:
        settings=json.dumps(SETTINGS["simulate"]),
        # Raised when the physics changes, which reruns this rule.
        model_version=MODEL_VERSION,
    message:
        "simulate realizations {wildcards.first} to {wildcards.last}"
    shell:
        # MPICH's mpiexec sees Slurm's variables and would start its ranks by an srun that waits for
        # ever: all of the job is in use by the one it runs in.
        "HYDRA_LAUNCHER=${{HYDRA_LAUNCHER:-fork}}"
        " {resources.launcher} -n {resources.ranks} python -m porefail simulate"
        " --porosity {input:q} --output {output:q} --model-version {params.model_version}"
        " --ranks-per-realization {resources.team} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"
