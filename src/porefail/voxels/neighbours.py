"""Neighbours of voxels: those that share a face, an edge or a corner, 26 of them."""

import cc3d
import numpy as np
from scipy import ndimage


def grown(mask: np.ndarray, voxels: int) -> np.ndarray:
    """Masks (..., nx, ny, nz) and all within so many voxels of them, corners included."""
    return ndimage.maximum_filter(mask, 2 * voxels + 1, mode="constant", axes=(-3, -2, -1))


def connected(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Labels (nx, ny, nz) of the 26-connected clusters of a boolean mask; their number.

    Labels count from 1 in the order of the clusters' first voxels, uint32; 0 is not in the mask.
    """
    # Bytes, not booleans: cc3d 4.1.1 sets aside too little room for the labels of a boolean grid
    # whose sides are odd. Contiguous in C order, the order in which it numbers clusters.
    voxels = np.ascontiguousarray(mask).view(np.uint8)
    return cc3d.connected_components(voxels, connectivity=26, return_N=True, out_dtype=np.uint32)
