# Tension tests of the realizations of a batch, by mpiexec; of perturbed specimens too, which lie in
# results/<name>/perturbed/<k>/. Beside them, where presolve.strain asks for it, what is known of
# the realizations before; it needs no simulation.

# MPICH's mpiexec sees Slurm's variables and would start its ranks by an srun that waits for ever:
# all of the job is in use by the one it runs in.
ON_RANKS = (
    "HYDRA_LAUNCHER=${{HYDRA_LAUNCHER:-fork}}"
    " {resources.launcher} -n {resources.ranks} python -m porefail "
)


def on_ranks(name):
    """Resources of a rule that runs with mpiexec: they change no result, so none is a parameter."""
    execution = config["execution"]
    return needs(name) | {
        "launcher": execution["launcher"],
        "ranks": execution["ranks"],
        "team": execution["ranks_per_realization"],
        "tasks": 1,
        "cpus_per_task": execution["ranks"],
    }


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
        ON_RANKS + "simulate"
        " --porosity {input:q} --output {output:q} --model-version {params.model_version}"
        " --ranks-per-realization {resources.team} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"


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
        ON_RANKS + "presolve"
        " --porosity {input:q} --output {output:q} --model-version {params.model_version}"
        " --ranks-per-realization {resources.team} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"
