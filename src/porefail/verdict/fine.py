"""Elastic stress at the sites of a part, in the voxels of its scan."""

from collections.abc import Callable, Mapping

import numpy as np

from porefail.fe.elastic import fields as elastic
from porefail.store import memory
from porefail.verdict.part import Part

MOST = 30_000_000  # voxels: more take minutes
BYTES = 150  # of memory, a voxel of the box around the part
EQUAL = 1.001  # longest edge of a voxel over the shortest: elements are cubes


def fine_stress(
    part: Part,
    place: np.ndarray,
    voxel: float,
    simulation: Mapping,
    progress: Callable[[str], None],
) -> np.ndarray | None:
    """Von Mises stress × mean tension at each site, the largest near it, over the nominal squared.

    place: (m, 3) voxels (edge in mm) of the simulation. From one elastic solve in the voxels of the
    scan; None where they are no cubes, there is too little memory, or no solution.
    """
    spacing = np.asarray(part.view.spacing)
    mask = part.segmented.part
    if spacing.max() > EQUAL * spacing.min() or mask.size > MOST:
        return None
    if 2 * BYTES * mask.size > memory.available():  # half of it is held already
        return None
    progress(f"elastic fields of {mask.size:,} voxels of the scan")
    voids = (~mask | (part.labels > 0)).astype(np.uint8)
    try:
        found = elastic.elastic_fields(
            voids, simulation["material"]["poisson_ratio"], simulation["element"]
        )
    except (elastic.Severed, elastic.NotConverged):
        return None
    share = np.count_nonzero(mask) / mask.size
    hot = np.nan_to_num(found.von_mises * np.maximum(found.pressure, 0.0)) * share**2
    low = (place - 1) * voxel + part.coarse.corner
    first = np.clip(np.floor(low / spacing).astype(int), 0, np.array(hot.shape) - 1)
    last = np.maximum(np.ceil((low + 3 * voxel) / spacing).astype(int), first + 1)
    return np.array(
        [
            hot[tuple(slice(a, b) for a, b in zip(*each, strict=True))].max()
            for each in zip(first, last, strict=True)
        ]
    )
