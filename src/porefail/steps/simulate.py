"""simulate: pull every realization of a batch to its first failure; run it with mpiexec.

Paper, sections 2.1-2.4. The world is split into teams of ranks that take realizations from a queue.
"""

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Annotated

from mpi4py import MPI

from porefail import store
from porefail.campaign.batch import Batch, counted, open_queue, progress, read_batch
from porefail.campaign.rows import provenance, row
from porefail.command_line.kinds import File, NewFile, Number, Settings
from porefail.configuration import require_settings
from porefail.configuration.checks import material_problems, simulation_problems
from porefail.configuration.sections import SIMULATION
from porefail.errors import PorefailError
from porefail.fe import MODEL_VERSION, tension
from porefail.fe.material import material

SETTINGS = SIMULATION
PROGRESS_SECONDS = 5.0


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
    model_version: the version of the physics that the caller asks for. Collective over `world`;
    rank 0 checks everything before any other rank does anything. Rows are sorted by realization
    and do not depend on the number of ranks.
    """
    with ExitStack() as locked:
        batch: Batch | PorefailError | None = None
        pending = None
        if world.rank == 0:
            try:
                _check(settings, model_version, ranks_per_realization, world.size)
                batch = read_batch(porosity, output, settings, ranks_per_realization)
                locked.enter_context(batch.parts.alone(batch.title))
                pending = open_queue(batch)
            except PorefailError as error:
                error.on_all_ranks = True
                batch = error
        batch, pending = world.bcast((batch, pending))
        if isinstance(batch, PorefailError):
            raise batch
        if pending is None:
            return
        seconds = _work_through(batch, pending, settings, ranks_per_realization, world)
        if world.rank == 0:
            statuses = batch.parts.assemble(list(batch.voxels), batch.attributes)
            print(f"{batch.title}: {counted(statuses)}; {seconds:.1f} s", flush=True)


def _check(settings: Mapping, model_version: int, ranks_per_realization: int, size: int) -> None:
    require_settings(
        settings,
        SETTINGS,
        simulation_problems,
        lambda each: material_problems(each["material"], "material."),
    )
    tension.check_steps(_load(settings))
    if model_version != MODEL_VERSION:
        raise PorefailError(
            f"model version {model_version} is asked for, the code is version {MODEL_VERSION}"
        )
    if ranks_per_realization < 1 or size % ranks_per_realization:
        raise PorefailError(
            f"{size} ranks cannot be split into teams of {ranks_per_realization}: "
            "the number of ranks must be a multiple of the ranks per realization"
        )


def _load(settings: Mapping) -> tension.LoadSettings:
    return tension.LoadSettings(**{key: settings[key] for key in tension.LoadSettings._fields})


def _work_through(
    batch: Batch, pending: list[int], settings: Mapping, ranks: int, world: MPI.Comm
) -> float:
    """Every team takes pending realizations until none is left. Returns the seconds it took."""
    load = _load(settings)
    parameters = material({k: v for k, v in settings["material"].items() if k != "name"})
    team = world.Split(world.rank // ranks, world.rank)
    began, told = time.monotonic(), -math.inf
    for number in pending:
        if not team.bcast(batch.parts.claim(number) if team.rank == 0 else None):
            continue
        voxels = batch.voxels[number]
        result = None
        started, clock = time.time(), time.monotonic()
        if voxels.any():
            result = tension.simulate(voxels, batch.spacing, parameters, load, team)
        if team.rank == 0:
            seconds = time.monotonic() - clock
            made = row(number, voxels, result, load.snapshot_strains)
            made |= provenance(started, seconds, team.size)
            attributes = {**batch.physics, "fingerprint": batch.fingerprints[number]}
            store.write_atomically(batch.parts.part(number), made, attributes)
            batch.parts.settle(number, int(made["status"][0]), seconds)
        if world.rank == 0 and time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            print(progress(batch, len(pending), told - began), flush=True)
    world.Barrier()
    team.Free()
    return time.monotonic() - began
