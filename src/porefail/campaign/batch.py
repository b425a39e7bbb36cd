"""A batch: the realizations of one file with pores, what is made of them, what is left to do."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import __version__, store
from porefail.campaign.queue import Parts
from porefail.campaign.rows import LAYOUT
from porefail.errors import PorefailError
from porefail.fe import MODEL_VERSION
from porefail.fe.grid import slab
from porefail.store import Status, memory


class Batch(NamedTuple):
    """What there is to simulate; made on one rank and sent to all."""

    title: str
    voxels: dict[int, np.ndarray]  # (nx, ny, nz), 1 = void, of each realization by its number
    spacing: float  # mm
    parts: Parts
    physics: dict  # what every realization is made with
    fingerprints: dict[int, str]  # of each realization: of the physics and its voxels
    attributes: dict  # of the output, its fingerprint included


def read_batch(
    verb: str,
    porosity: str | Path,
    output: str | Path,
    asked: Mapping,
    ranks: int,
    bytes_a_voxel: float,
    *,
    check: Callable[[tuple[int, ...]], None] | None = None,
    noted: Mapping | None = None,
) -> Batch:
    """The batch of a file with pores, sorted by realization.

    asked: attributes that tell what its realizations are made with. ranks: that share one.
    bytes_a_voxel: of the memory that a realization takes. check: of its grid (nx, ny, nz). noted:
    more attributes of the output. Raises PorefailError where the file holds nothing, or a grid that
    cannot be worked on.
    """
    shape = store.shapes(porosity).get("porosity", ())[1:]
    if shape:  # before anything is read
        share = math.prod(shape) / ranks  # its ranks may be on several nodes
        memory.require(bytes_a_voxel * share, f"{porosity}: grid of its porosity")
    datasets, source = store.read(porosity, ["porosity", "realization"], kind="porosity shard")
    if not len(datasets["realization"]):
        raise PorefailError(f"{porosity}: holds no realization")
    try:
        if check is not None:
            check(shape)
        slab(shape[2], 0, ranks)
    except PorefailError as error:
        raise PorefailError(f"{porosity}: {error}") from None
    order = np.argsort(datasets["realization"])
    numbers = datasets["realization"][order].tolist()
    voxels = dict(zip(numbers, datasets["porosity"][order], strict=True))
    physics = {
        "porosity": source["porosity"],
        **asked,
        "spacing": source["spacing"],
        "model_version": MODEL_VERSION,
    }
    return Batch(
        title=f"{verb} {numbers[0]:05d}-{numbers[-1]:05d}",
        voxels=voxels,
        spacing=source["spacing"],
        parts=Parts(output),
        physics=physics,
        fingerprints={number: fingerprint(physics, field) for number, field in voxels.items()},
        attributes={
            **physics,
            **(noted or {}),
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
