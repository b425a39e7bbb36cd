# What the blocks of the rules are made of. Inputs and outputs are named as the options of the verb.


def command(verb):
    """The shell line of a rule; `options` is one of the functions below."""
    return (
        f"python -m porefail {verb} {{params.options}} --settings {{params.settings:q}}"
        " 2>&1 | tee {log:q}"
    )


def command_on_ranks(verb):
    """The shell line of a rule whose job is run by mpiexec."""
    # MPICH's mpiexec sees Slurm's variables and would start its ranks by an srun that waits for
    # ever: all of the job is in use by the one it runs in.
    return (
        "HYDRA_LAUNCHER=${{HYDRA_LAUNCHER:-fork}}"
        f" {{resources.launcher}} -n {{resources.ranks}} python -m porefail {verb}"
        " --porosity {input:q} --output {output:q} --model-version {params.model_version}"
        " --ranks-per-realization {resources.team} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"
    )


def on_all_cores(line):
    """The same with the threads of a Slurm job, which may have more cores than the rule asks for."""
    return "OMP_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-{threads}}} " + line


def named(paths):
    """Options for files by name; an empty list gives none."""
    lists = {name: [each] if isinstance(each, str) else each for name, each in paths.items()}
    return " ".join(f"--{name} {shlex.join(each)}" for name, each in lists.items() if each)


def files(wildcards, input, output):
    """Options for all inputs and outputs."""
    return f"{named(input)} {named(output)}".strip()


def files_and_folder(wildcards, input, output):
    """Options for all inputs, and the folder of the outputs."""
    return f"{named(input)} --output {shlex.quote(os.path.dirname(output[0]))}"


def files_and_checkpoint(wildcards, input, output):
    """The same as `files`, and a checkpoint beside the first output.

    It is no output: Snakemake would delete what a killed training resumes from.
    """
    beside = shlex.quote(f"{os.path.dirname(output[0])}/checkpoint.npz")
    return f"{files(wildcards, input, output)} --checkpoint {beside}"


def scan_options(wildcards, input, output):
    """Options of `scan`, then the files of the scan, which may begin with a dash."""
    sample = SAMPLES[wildcards.sample]
    words = [*sample.options, f"--output={os.path.dirname(output.report)}"]
    words += [f"--locator={each}" for each in [config["scan"]["locator"]] if each]
    words += [f"--submodels={config['scan']['submodels']}"]
    words += ["--simulate"] * config["scan"]["simulate"]
    return shlex.join([*words, "--", *input.scan])


def scan_reports(wildcards):
    """The reports of all samples, of the target `scans`."""
    if not SAMPLES:
        sys.exit(
            "porefail: error: configuration: scan.samples is null, expected the path of a CSV table"
            " with columns name, file, axis"
        )
    return [f"{RESULTS}/scans/{sample}/report.html" for sample in SAMPLES]


def whole_report(wildcards):
    """The report, whose histories known realizations do not have."""
    if CAMPAIGN.known:
        raise WorkflowError("execution.known: no report without histories; ask for `study`")
    return expand(rules.report.output, name=config["name"])


def needs(name):
    """Memory and time on a cluster: twice as much at the second attempt, and so on."""
    cost = COSTS[name]
    return {
        "mem_mb": lambda wildcards, attempt: attempt * cost.memory,
        "runtime": lambda wildcards, attempt: attempt * cost.minutes,
    }


def on_ranks(name):
    """Resources where mpiexec runs the job. They change no result, so none is a parameter."""
    execution = config["execution"]
    return needs(name) | {
        "launcher": execution["launcher"],
        "ranks": execution["ranks"],
        "team": execution["ranks_per_realization"],
        "tasks": 1,
        "cpus_per_task": execution["ranks"],
    }


def in_report(path, category, caption=None):
    """An output that the report shows; its caption in workflow/report/ has the name of the file."""
    caption = caption or os.path.splitext(os.path.basename(path))[0]
    return report(path, caption=f"../report/{caption}.rst", category=category)
