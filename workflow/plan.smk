# What the simulations of a run cost, told below Snakemake's table of jobs, in a dry run too.
from snakemake.logging import logger

# Bytes a voxel of a realization, compressed: its shard and its row of the ensemble, each with so
# much for each snapshot; data set and prediction.
BYTES = 2 * (7 + 1.3 * len(config["simulation"]["snapshot_strains"])) + 3.5


def plan(jobs):
    """One line for so many simulate jobs: time of each, core hours, disk of all results."""
    total, batch = config["porosity"]["realizations"], config["porosity"]["batch_size"]
    hours = CORE_SECONDS * min(batch, total) / 3600
    disk = total * (VOXELS * BYTES + 2e4) / 1e9
    cores = f"{RANKS} cores" if RANKS > 1 else "a core"
    return (
        f"simulate: {jobs} jobs, each about {60 * hours / RANKS:.2g} min on"
        f" {cores}, in all {jobs * hours:.2g} core hours; all results take about"
        f" {disk:.2g} GB of disk"
    )


def with_plan(record):
    """Add the plan to the log record of Snakemake's table of jobs."""
    jobs = (getattr(record, "stats", None) or {}).get("simulate")
    if jobs and "simulate: " not in record.msg:
        record.msg = f"{record.msg}\n{plan(jobs)}\n"
    return True


logger.addFilter(with_plan)
