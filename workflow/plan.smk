# What is left to simulate and what it costs, told before any job starts, in a dry run too.
from snakemake.logging import logger
from snakemake_interface_executor_plugins.settings import ExecMode

# Bytes a voxel of a realization, compressed: its shard and its row of the ensemble, each with so
# much for each snapshot; data set and prediction.
BYTES = 2 * (7 + 1.3 * len(config["simulation"]["snapshot_strains"])) + 3.5


def tell_plan():
    """One line: realizations that have no shard yet, time of a job, core hours, disk."""
    left = [
        1 + last - first
        for first, last in BATCHES
        if not os.path.exists(f"results/{config['name']}/simulation/{first:05d}-{last:05d}.h5")
    ]
    total = config["porosity"]["realizations"]
    text = f"porefail: {sum(left)} of {total} realizations have no result yet"
    if left:
        hours = CORE_SECONDS / 3600
        minutes = 60 * hours * max(left) / config["execution"]["ranks"]
        text += (
            f"; jobs of simulate: {len(left)}, each about {minutes:.2g} min,"
            f" in all {sum(left) * hours:.2g} core hours"
        )
    disk = total * (VOXELS * BYTES + 2e4) / 1e9
    logger.info(f"{text}; all results take about {disk:.2g} GB of disk")


if workflow.exec_mode == ExecMode.DEFAULT:
    tell_plan()
