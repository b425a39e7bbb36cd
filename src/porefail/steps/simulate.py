"""simulate: pull every realization of a batch to its first failure; run it with mpiexec.

Paper, sections 2.1-2.4. The world is split into teams of ranks that take realizations from a queue.
"""

import hashlib
import json
import math
import platform
import socket
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
from mpi4py import MPI

from porefail import __version__, store
from porefail.campaign.queue import Parts
from porefail.command_line.kinds import File, NewFile, Number, Settings
from porefail.configuration import require_settings
from porefail.configuration.checks import material_problems, simulation_problems
from porefail.configuration.sections import SIMULATION
from porefail.errors import PorefailError
from porefail.fe import MODEL_VERSION, tension
from porefail.fe.grid import slab
from porefail.fe.material import material
from porefail.store import Collapse, Status, memory

SETTINGS = SIMULATION
LAYOUT = 3  # of a row: raised when its datasets change, so that no shard mixes two
ELEMENTS = {"full": "C3D8, 8 Gauss points", "b_bar": "C3D8 B-bar, 8 Gauss points"}
PROGRESS_SECONDS = 5.0
BYTES = 4700  # a voxel of a simulation


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
        plan = None
        if world.rank == 0:
            try:
                _check(settings, model_version, ranks_per_realization, world.size)
                plan = _Plan(porosity, output, settings, ranks_per_realization)
                locked.enter_context(plan.parts.alone(plan.title))
                plan.find_pending()
            except PorefailError as error:
                error.on_all_ranks = True
                plan = error
        plan = world.bcast(plan)
        if isinstance(plan, PorefailError):
            raise plan
        if plan.restored:
            return
        seconds = _work_through(plan, settings, ranks_per_realization, world)
        if world.rank == 0:
            statuses = plan.parts.assemble(plan.realizations, plan.attributes)
            print(f"{plan.title}: {_account(statuses)}; {seconds:.1f} s", flush=True)


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


def _material(settings: Mapping):
    parameters = dict(settings["material"])
    parameters.pop("name", None)
    return material(parameters)


def _load(settings: Mapping) -> tension.LoadSettings:
    return tension.LoadSettings(**{key: settings[key] for key in tension.LoadSettings._fields})


class _Plan:
    """What there is to do; made on rank 0 and sent to all."""

    def __init__(self, porosity: str | Path, output: str | Path, settings: Mapping, ranks: int):
        datasets, source = store.read(porosity, ["porosity", "realization"], kind="porosity shard")
        if not len(datasets["realization"]):
            raise PorefailError(f"{porosity}: holds no realization")
        try:
            tension.check_grid(datasets["porosity"].shape[1:])
            slab(datasets["porosity"].shape[3], 0, ranks)
        except PorefailError as error:
            raise PorefailError(f"{porosity}: {error}") from None
        share = datasets["porosity"][0].size / ranks  # its ranks may be on several nodes
        memory.require(BYTES * share, f"{porosity}: grid of its porosity")
        order = np.argsort(datasets["realization"])
        self.realizations: list[int] = datasets["realization"][order].tolist()
        self.voxels = dict(zip(self.realizations, datasets["porosity"][order], strict=True))
        self.title = f"simulate {self.realizations[0]:05d}-{self.realizations[-1]:05d}"
        self.spacing = source["spacing"]
        self.parts = Parts(output)
        self.pending: list[int] = []
        self.restored = False
        self.physics = {
            "porosity": source["porosity"],
            "simulation": dict(settings),
            "spacing": self.spacing,
            "model_version": MODEL_VERSION,
        }
        self.fingerprints = {
            number: _fingerprint(self.physics, voxels) for number, voxels in self.voxels.items()
        }
        self.fingerprint = _fingerprint(self.physics, *self.voxels.values())
        self.attributes = {
            **self.physics,
            "element": ELEMENTS[settings["element"]],
            "strain_rate": settings["strain_rate"],
            "porefail_version": __version__,
            "fingerprint": self.fingerprint,
        }

    def find_pending(self) -> None:
        """Bring back what a killed run has finished, queue the rest."""
        self.restored = self.parts.restore(self.fingerprint)
        if self.restored:
            print(f"{self.title}: was finished before", flush=True)
            return
        self.pending = [
            number
            for number in self.realizations
            if not self.parts.fits(self.parts.part(number), self.fingerprints[number])
        ]
        self.parts.open_queue(self.pending)
        total = len(self.realizations)
        if len(self.pending) < total:
            finished = total - len(self.pending)
            print(f"{self.title}: {finished} of {total} were finished before", flush=True)


def _fingerprint(physics: dict, *voxels: np.ndarray) -> str:
    digest = hashlib.sha256(json.dumps([LAYOUT, physics], sort_keys=True).encode())
    for field in voxels:
        digest.update(f"{field.shape}".encode() + field.tobytes())
    return digest.hexdigest()


def _work_through(plan: _Plan, settings: Mapping, ranks: int, world: MPI.Comm) -> float:
    """Every team takes pending realizations until none is left. Returns the seconds it took."""
    load, parameters = _load(settings), _material(settings)
    team = world.Split(world.rank // ranks, world.rank)
    software = _software()
    began, told = time.monotonic(), -math.inf
    for number in plan.pending:
        if not team.bcast(plan.parts.claim(number) if team.rank == 0 else None):
            continue
        voxels = plan.voxels[number]
        result = None
        started, clock = time.time(), time.monotonic()
        if voxels.any():
            result = tension.simulate(voxels, plan.spacing, parameters, load, team)
        if team.rank == 0:
            seconds = time.monotonic() - clock
            row = _row(number, voxels, result, load.snapshot_strains)
            row |= {
                "provenance/host": np.array([socket.gethostname()], "S64"),
                "provenance/started": np.array([started]),
                "provenance/seconds": np.array([seconds]),
                "provenance/ranks": np.array([team.size], np.int32),
                "provenance/software": np.array([software], "S256"),
            }
            attributes = {**plan.physics, "fingerprint": plan.fingerprints[number]}
            store.write_atomically(plan.parts.part(number), row, attributes)
            plan.parts.settle(number, int(row["status"][0]), seconds)
        if world.rank == 0 and time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            print(_progress(plan, told - began), flush=True)
    world.Barrier()
    team.Free()
    return time.monotonic() - began


def _software() -> str:
    """What computes here, with versions."""
    packages = [f"{name} {version(name)}" for name in ("numpy", "numba", "mpi4py", "petsc4py")]
    library = MPI.Get_library_version().split("\n")[0].split(",")[0]
    own = [f"porefail {__version__}", f"Python {platform.python_version()}"]
    return "; ".join([*own, *packages, " ".join(library.split())])


def _row(
    number: int, voxels: np.ndarray, result: tension.Tension | None, strains: list[float]
) -> dict[str, np.ndarray]:
    """One row of the shard; an empty realization (no result) has fields of NaN."""
    nothing = np.full(voxels.shape, np.nan, np.float32)
    row = {
        "porosity": voxels,
        "damage": nothing if result is None else result.damage,
        "failed": np.zeros_like(voxels) if result is None else result.failed,
        "realization": np.int64(number),
        "status": np.uint8(Status.EMPTY if result is None else result.status),
        "first_failure_strain": np.float64(result.first_failure_strain if result else np.nan),
        "structural_status": np.uint8(result.structural_status if result else Collapse.NOT_RUN),
        "structural_failure_strain": np.float64(
            result.structural_failure_strain if result else np.nan
        ),
        "final_failed": np.zeros_like(voxels)
        if result is None or result.final_failed is None
        else result.final_failed,
        "elastic/von_mises": nothing if result is None else result.mises,
        "elastic/pressure": nothing if result is None else result.pressure,
    }
    for name in tension.HISTORY:
        values = np.asarray(result.history[name], np.float64) if result else np.empty(0)
        row[f"history/{name}"] = values if values.size else np.array([np.nan])
    if strains:
        row["snapshots/strain"] = np.asarray(strains, np.float64)
        row["snapshots/damage"] = (
            np.stack([nothing] * len(strains)) if result is None else result.snapshots
        )
    return {name: np.asarray(values)[None] for name, values in row.items()}


def _progress(plan: _Plan, elapsed: float) -> str:
    settled = [ended[0] for ended in plan.parts.claimed().values() if ended]
    total = len(plan.realizations)
    done = total - len(plan.pending) + len(settled)
    failed = settled.count(Status.NOT_CONVERGED)
    each = elapsed / max(len(settled), 1)
    left = round(each * (total - done))
    note = f" ({failed} not converged)" if failed else ""
    return (
        f"{plan.title}: {done}/{total} done{note}, {each:.1f} s each, "
        f"{left // 60}:{left % 60:02d} left"
    )


def _account(statuses: np.ndarray) -> str:
    counts = Counter(Status(status).name for status in statuses.tolist())
    names = [f"{count} {name.lower().replace('_', ' ')}" for name, count in counts.items()]
    return ", ".join(names)
