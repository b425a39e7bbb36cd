"""presolve: elastic fields of specimens, damage after one coarse load step; run it with mpiexec.

What is known of a specimen in a hundredth and a tenth of the time of its simulation.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
from mpi4py import MPI

from porefail.campaign.batch import Batch, read_batch
from porefail.campaign.presolve_rows import elastic_row, submodel_row
from porefail.campaign.work import require_model_version, require_teams, work_through
from porefail.command_line.kinds import File, NewFile, Number, Settings
from porefail.configuration import require_settings
from porefail.configuration.checks import (
    material_problems,
    presolve_problems,
    simulation_problems,
)
from porefail.configuration.sections import PRESOLVE
from porefail.fe import tension
from porefail.fe.material import named_material
from porefail.fe.presolve import coarse_step
from porefail.store import Status

SETTINGS = PRESOLVE
BYTES = {"elastic": 150, "coarse step": 2600}  # a voxel


def run(
    porosity: Annotated[File, "file with pores: porosity shard, ensemble or data set"],
    output: Annotated[NewFile, "fields to write (HDF5)"],
    model_version: Annotated[Number, "version of the physics that is asked for"],
    ranks_per_realization: Annotated[Number, "ranks that share one realization"],
    settings: Settings,
    *,
    world: MPI.Comm = MPI.COMM_WORLD,
) -> None:
    """Write the elastic fields of every realization of a file with pores, of any grid.

    Also the damage after one load step, where presolve.strain is above 0, and what sub-models tell,
    where presolve.submodels is above 0 (the team's first rank pulls them); then the sides of the
    grid must be even. settings: the keys of SETTINGS. Collective over `world`. Rows are
    sorted by realization; the number of ranks changes them by no more than the tolerances.
    """

    def prepare() -> Batch:
        require_settings(settings, SETTINGS, _problems)
        require_model_version(model_version)
        require_teams(ranks_per_realization, world)
        coarse = settings["presolve"]["strain"] > 0
        return read_batch(
            "presolve",
            porosity,
            output,
            {name: dict(settings[name]) for name in SETTINGS},
            ranks_per_realization,
            BYTES["coarse step" if coarse else "elastic"],
            check=tension.check_grid if coarse else None,
        )

    def make(batch: Batch, number: int, voxels: np.ndarray, team: MPI.Comm) -> dict | None:
        row = elastic_row(voxels, settings["simulation"], team)
        if settings["presolve"]["strain"] > 0:
            row |= _coarse(batch, voxels, settings, int(row["status"]), team)
        count = settings["presolve"]["submodels"]
        if count > 0 and team.rank == 0:
            row |= submodel_row(voxels, row, batch.spacing, settings["simulation"], count)
        row |= {"realization": np.int64(number), "porosity": voxels}
        if team.rank:
            return None
        return {name: np.asarray(each)[None] for name, each in row.items()}

    work_through(prepare, make, ranks_per_realization, world)


def _problems(settings: Mapping) -> Iterator[str]:
    yield from simulation_problems(settings["simulation"], "simulation.")
    yield from material_problems(settings["simulation"]["material"], "simulation.material.")
    yield from presolve_problems(settings["presolve"])


def _coarse(
    batch: Batch, voxels: np.ndarray, settings: Mapping, status: int, team: MPI.Comm
) -> dict:
    """Part of a row of the coarse step, of NaN where the elastic fields have no solution."""
    start = time.monotonic()
    damage, strain = np.full(voxels.shape, np.nan, np.float32), np.nan
    if status == Status.SOLVED:
        step = coarse_step(
            voxels,
            batch.spacing,
            named_material(settings["simulation"]["material"]),
            tension.load_settings(settings["simulation"]),
            settings["presolve"]["strain"],
            settings["presolve"]["newton_tolerance"],
            team,
        )
        damage, strain, status = step.damage, step.strain, step.status
    return {
        "status": np.uint8(status),
        "presolve/damage": damage,
        "presolve/strain": strain,
        "presolve/seconds": time.monotonic() - start,
    }
