"""A small grid, and masks of single voxels in it."""

import numpy as np

SHAPE = (6, 6, 20)


def at(*voxels) -> np.ndarray:
    """Bool, true in these voxels."""
    mask = np.zeros(SHAPE, bool)
    for voxel in voxels:
        mask[voxel] = True
    return mask
