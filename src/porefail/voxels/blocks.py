"""Blocks of voxels about some places of a specimen, the same size wherever the place is."""

import numpy as np


def blocks_about(field: np.ndarray, places: np.ndarray, reach: int, beyond: float) -> np.ndarray:
    """Blocks (m, s, s, s) of a field (nx, ny, nz), s = 2 reach + 1, about places (m, 3).

    beyond: value outside the sides x and y, the free surfaces. Beyond an end is the mirror image.
    """
    # ASSUME: the grips hold u_z and leave the specimen free to contract, as a plane of symmetry.
    padded = np.pad(field, ((reach, reach), (reach, reach), (0, 0)), constant_values=beyond)
    padded = np.pad(padded, ((0, 0), (0, 0), (reach, reach)), mode="symmetric")
    side = 2 * reach + 1
    found = np.empty((len(places), side, side, side), field.dtype)
    for block, (x, y, z) in zip(found, places, strict=True):
        block[:] = padded[x : x + side, y : y + side, z : z + side]
    return found
