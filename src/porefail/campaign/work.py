"""Teams of ranks that take the realizations of a batch from its queue, and keep what they made."""

import math
import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
from mpi4py import MPI

from porefail import store
from porefail.campaign.batch import Batch, counted, open_queue, progress
from porefail.campaign.rows import provenance
from porefail.errors import PorefailError
from porefail.fe import MODEL_VERSION

PROGRESS_SECONDS = 5.0

# Makes a row of a realization, by its number and voxels (nx, ny, nz), on a team's first rank.
Make = Callable[[Batch, int, np.ndarray, MPI.Comm], dict[str, np.ndarray] | None]


def require_model_version(asked: int) -> None:
    """Raise PorefailError unless the physics of this code is of the version that is asked for."""
    if asked != MODEL_VERSION:
        raise PorefailError(
            f"model version {asked} is asked for, the code is version {MODEL_VERSION}"
        )


def require_teams(ranks: int, world: MPI.Comm) -> None:
    """Raise PorefailError unless the world can be split into teams of so many ranks."""
    if ranks < 1 or world.size % ranks:
        raise PorefailError(
            f"{world.size} ranks cannot be split into teams of {ranks}: "
            "the number of ranks must be a multiple of the ranks per realization"
        )


def work_through(prepare: Callable[[], Batch], make: Make, ranks: int, world: MPI.Comm) -> None:
    """Make every realization of a batch and write its output; goes on where a killed run ended.

    prepare: checks everything; on rank 0, before any other rank does anything. ranks: of a team.
    Collective over `world`. Rows are sorted by realization.
    """
    with ExitStack() as locked:
        batch: Batch | PorefailError | None = None
        pending = None
        if world.rank == 0:
            try:
                batch = prepare()
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
        seconds = _take(batch, pending, make, ranks, world)
        if world.rank == 0:
            statuses = batch.parts.assemble(list(batch.voxels), batch.attributes)
            print(f"{batch.title}: {counted(statuses)}; {seconds:.1f} s", flush=True)


def _take(batch: Batch, pending: list[int], make: Make, ranks: int, world: MPI.Comm) -> float:
    """Every team takes pending realizations until none is left. Returns the seconds it took."""
    team = world.Split(world.rank // ranks, world.rank)
    began, told = time.monotonic(), -math.inf
    for number in pending:
        if not team.bcast(batch.parts.claim(number) if team.rank == 0 else None):
            continue
        started, clock = time.time(), time.monotonic()
        row = make(batch, number, batch.voxels[number], team)
        if team.rank == 0:
            seconds = time.monotonic() - clock
            row |= provenance(started, seconds, team.size)
            attributes = {**batch.physics, "fingerprint": batch.fingerprints[number]}
            store.write_atomically(batch.parts.part(number), row, attributes)
            batch.parts.settle(number, int(row["status"][0]), seconds)
        if world.rank == 0 and time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            print(progress(batch, len(pending), told - began), flush=True)
    world.Barrier()
    team.Free()
    return time.monotonic() - began
