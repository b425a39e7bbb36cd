# What jobs get on a cluster, all in one place (GPUs and partitions are in profiles/slurm).
# A simulation gets a core for each rank: mpiexec starts them as one task on the job's node.

VOXELS = math.prod(config["porosity"]["shape"])
RANKS = config["execution"]["ranks"]
TEAMS = RANKS // config["execution"]["ranks_per_realization"]

# What a realization takes on one core, on average: 0.3 ms a voxel to first failure, 8 ms to
# structural failure (docs/results/mechanics.md). A job gets seven times as long.
CORE_SECONDS = VOXELS * (3e-4 if config["simulation"]["until"] == "first_failure" else 8e-3)
if config["simulation"]["kinematics"] == "finite":
    CORE_SECONDS *= 3
LARGEST_BATCH = max(config["porosity"]["batch_size"], config["sensitivity"]["batch_size"])
BATCH_SECONDS = 7 * CORE_SECONDS * math.ceil(LARGEST_BATCH / TEAMS)

MEMORY = {  # MB
    "porosity": 1000,
    # A rank takes 0.3 GB and 5 kB a voxel, 0.6 GB while it compiles.
    "simulate": RANKS * (600 + math.ceil(8e-3 * VOXELS)),
    "gather": 2000,
    "perturb": 2000,
    "phenomenology": 4000,
    "dataset": 8000,
    "train": 16000,
    "predict": 8000,
    "evaluate": 8000,
    # Five channels and what is made of them, 60 bytes a voxel; porosity, damage and labels.
    "crossvalidate": 2000 + math.ceil(60e-6 * VOXELS * config["porosity"]["realizations"]),
    "study": 2000 + math.ceil(20e-6 * VOXELS * config["porosity"]["realizations"]),
    "report": 8000,
}
MINUTES = {
    "porosity": 30,
    "simulate": 10 + math.ceil(BATCH_SECONDS / 60),
    "gather": 60,
    "perturb": 30,
    "phenomenology": 60,
    "dataset": 120,
    "train": 1440,
    "predict": 120,
    "evaluate": 120,
    "crossvalidate": 1440,
    "study": 60,
    "report": 60,
}


def growing(amount):
    """So much at the first attempt, twice as much at the second, and so on."""
    return lambda wildcards, attempt: attempt * amount
