"""A batch: the realizations of one porosity shard, what they are made with, what is left to do."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import __version__, store
from porefail.campaign.queue import Parts
from porefail.campaign.rows import LAYOUT
from porefail.errors import PorefailError
from porefail.fe import MODEL_VERSION, tension
from porefail.fe.grid import slab
from porefail.store import Status, memory

ELEMENTS = {"full": "C3D8, 8 Gauss points", "b_bar": "C3D8 B-bar, 8 Gauss points"}
BYTES = 4700  # a voxel of a simulation


class Batch(NamedTuple):
    """What there is to simulate; made on one rank and sent to all."""

    title: str
    voxels: dict[int, np.ndarray]  # (nx, ny, nz), 1 = void, of each realization by its number
    spacing: float  # mm
    parts: Parts
    physics: dict  # what every realization is made with
    fingerprints: dict[int, str]  # of each realization: of the physics and its voxels
    attributes: dict  # of the shard, its fingerprint included


def read_batch(porosity: str | Path, output: str | Path, settings: Mapping, ranks: int) -> Batch:
    """The batch of a porosity shard, sorted by realization.

    settings: of the simulation. ranks: that share one realization. Raises PorefailError where it
    holds nothing, or a grid that cannot be simulated.
    """
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
    numbers = datasets["realization"][order].tolist()
    voxels = dict(zip(numbers, datasets["porosity"][order], strict=True))
    physics = {
        "porosity": source["porosity"],
        "simulation": dict(settings),
        "spacing": source["spacing"],
        "model_version": MODEL_VERSION,
    }
    return Batch(
        title=f"simulate {numbers[0]:05d}-{numbers[-1]:05d}",
        voxels=voxels,
        spacing=source["spacing"],
        parts=Parts(output),
        physics=physics,
        fingerprints={number: fingerprint(physics, field) for number, field in voxels.items()},
        attributes={
            **physics,
            "element": ELEMENTS[settings["element"]],
            "strain_rate": settings["strain_rate"],
            "porefail_version": __version__,
            "fingerprint": fingerprint(physics, *voxels.values()),
        },
    )


def fingerprint(physics: Mapping, *voxels: np.ndarray) -> str:
    """What tells whether a file was made with the same physics, of the same voxels."""
    digest = hashlib.sha256(json.dumps([LAYOUT, physics], sort_keys=True).encode())
    for field in voxels:
        digest.update(f"{field.shape}".encode() + field.tobytes())
    return digest.hexdigest()


def open_queue(batch: Batch) -> list[int] | None:
    """Bring back what a killed run has finished, queue the rest: its numbers.

    None where the whole shard was brought back. One rank calls this, before all others.
    """
    if batch.parts.restore(batch.attributes["fingerprint"]):
        print(f"{batch.title}: was finished before", flush=True)
        return None
    pending = [
        number
        for number, wanted in batch.fingerprints.items()
        if not batch.parts.fits(batch.parts.part(number), wanted)
    ]
    batch.parts.open_queue(pending)
    total = len(batch.voxels)
    if len(pending) < total:
        finished = total - len(pending)
        print(f"{batch.title}: {finished} of {total} were finished before", flush=True)
    return pending


def progress(batch: Batch, pending: int, elapsed: float) -> str:
    """How many realizations are done, in words. pending: how many were not when the run began.

    elapsed: s since then.
    """
    settled = [ended[0] for ended in batch.parts.claimed().values() if ended]
    total = len(batch.voxels)
    done = total - pending + len(settled)
    failed = settled.count(Status.NOT_CONVERGED)
    each = elapsed / max(len(settled), 1)
    left = round(each * (total - done))
    note = f" ({failed} not converged)" if failed else ""
    return (
        f"{batch.title}: {done}/{total} done{note}, {each:.1f} s each, "
        f"{left // 60}:{left % 60:02d} left"
    )


def counted(statuses: np.ndarray) -> str:
    """How many realizations ended in each way, in words."""
    counts = Counter(Status(status).name for status in statuses.tolist())
    names = [f"{count} {name.lower().replace('_', ' ')}" for name, count in counts.items()]
    return ", ".join(names)
