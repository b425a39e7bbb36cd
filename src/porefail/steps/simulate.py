"""simulate: pull every realization of a batch to its first failure; run it with mpiexec.

Paper, sections 2.1-2.4. The world is split into teams of ranks that take realizations from a queue.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
from mpi4py import MPI

from porefail.campaign.batch import Batch, read_batch
from porefail.campaign.rows import row
from porefail.campaign.work import require_model_version, require_teams, work_through
from porefail.command_line.kinds import File, NewFile, Number, Settings
from porefail.configuration import require_settings
from porefail.configuration.checks import material_problems, simulation_problems
from porefail.configuration.sections import SIMULATION
from porefail.fe import tension
from porefail.fe.material import named_material

SETTINGS = SIMULATION
ELEMENTS = {"full": "C3D8, 8 Gauss points", "b_bar": "C3D8 B-bar, 8 Gauss points"}
BYTES = 4700  # a voxel


def run(
    porosity: Annotated[File, "porosity shard"],
    output: Annotated[NewFile, "simulation shard to write (HDF5)"],
    model_version: Annotated[Number, "version of the physics that is asked for"],
    ranks_per_realization: Annotated[Number, "ranks that share one realization"],
    settings: Settings,
    *,
    world: MPI.Comm = MPI.COMM_WORLD,
) -> None:
    """Simulate the realizations of the shard `porosity` and write the shard `output`.

    settings: the keys of SETTINGS; `material` holds a `name` and the parameters of Table 1.
    model_version: the version of the physics that the caller asks for. Collective over `world`.
    Rows are sorted by realization and do not depend on the number of ranks.
    """

    def prepare() -> Batch:
        require_settings(settings, SETTINGS, _problems)
        tension.check_steps(tension.load_settings(settings))
        require_model_version(model_version)
        require_teams(ranks_per_realization, world)
        return read_batch(
            "simulate",
            porosity,
            output,
            {"simulation": dict(settings)},
            ranks_per_realization,
            BYTES,
            check=tension.check_grid,
            noted={
                "element": ELEMENTS[settings["element"]],
                "strain_rate": settings["strain_rate"],
            },
        )

    def make(batch: Batch, number: int, voxels: np.ndarray, team: MPI.Comm) -> dict | None:
        load, material = tension.load_settings(settings), named_material(settings["material"])
        result = None
        if voxels.any():
            result = tension.simulate(voxels, batch.spacing, material, load, team)
        return row(number, voxels, result, load.snapshot_strains) if team.rank == 0 else None

    work_through(prepare, make, ranks_per_realization, world)


def _problems(settings: Mapping) -> Iterator[str]:
    yield from simulation_problems(settings)
    yield from material_problems(settings["material"], "material.")
