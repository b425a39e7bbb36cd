"""Sub-models: a block cut out around each of some hot spots, pulled alone to its first failure.

Pores are few: from some voxels away a hot spot feels nearly uniaxial stress, which asks nothing of
the sides of a block and leaves its ends plane. So a block is a specimen of its own, at a cost that
does not grow with the part that it is cut from. Its sides are far: of a slender part it has the
whole cross-section, without which a race of two sites is often won by the wrong one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from porefail.configuration.codes import Status
from porefail.fe import tension
from porefail.fe.material import Material

HALF = (20, 20, 8)  # voxels from the hot spot to the sides of its block, where there are more


class Submodels(NamedTuple):
    """strain: (nx, ny, nz) float32, nominal strain at first failure of a block, in the voxels that
    failed first in it, NaN elsewhere; pulled: number of blocks; lost: of them, without a solution.
    """

    strain: np.ndarray
    pulled: int
    lost: int


def submodels(
    porosity: np.ndarray,
    spots: Sequence[Sequence[int]],
    spacing: float,
    material: Material,
    settings: tension.LoadSettings,
    beyond: float = 1.0,
) -> Submodels:
    """Pull a block of a specimen (nx, ny, nz), even sides, around each of the spots (m, 3).

    A block is pulled no more than a load step further than `beyond` times the strain at which one
    failed first so far, so the likeliest spot should come first; what lies within a voxel of a spot
    before is not pulled again.
    Raises PorefailError as tension.simulate().
    """
    tension.check_grid(porosity.shape)
    found = np.full(porosity.shape, np.nan, np.float32)
    limit, middles, lost = settings.max_strain, [], 0
    for spot in spots:
        if any(np.all(np.abs(np.subtract(spot, middle)) <= 1) for middle in middles):
            continue
        middles.append(spot)
        box = tuple(
            _side(place, half, side)
            for place, half, side in zip(spot, HALF, porosity.shape, strict=True)
        )
        block = tension.simulate(
            np.ascontiguousarray(porosity[box]),
            spacing,
            material,
            settings._replace(max_strain=limit, until="first_failure", snapshot_strains=()),
        )
        lost += block.status not in (Status.FIRST_FAILURE, Status.NO_FAILURE)
        if block.status != Status.FIRST_FAILURE:
            continue
        strain = block.first_failure_strain
        inside = found[box]
        inside[(block.failed == 1) & ~(inside <= strain)] = strain
        # One step more, in which failure is interpolated.
        limit = min(limit, beyond * strain + settings.max_strain_step)
    return Submodels(found, len(middles), lost)


def _side(place: int, half: int, side: int) -> slice:
    """2 half voxels about a place, those nearest to it at an end, so that blocks that meet are
    alike; all of a shorter side."""
    length = min(2 * half, side)
    first = min(max(place - half, 0), side - length)
    return slice(first, first + length)
