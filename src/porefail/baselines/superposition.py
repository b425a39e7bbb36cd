"""Elastic stresses around pores without a solve: each void changes them as if it were alone.

What one void voxel does is tabulated; voids multiply each other's changes of the stress, and add
those of what is no size. So pores cost a convolution, of any number of voxels. Free sides change
nothing.
"""

from functools import cache
from pathlib import Path

import numpy as np
from scipy.signal import oaconvolve

# Of fe.elastic.one_void for full elements and a Poisson ratio of 0.27; a test holds them together.
TABLE = Path(__file__).with_name("one_void.npy")
REACH = 8  # voxels
# The measures of the table, each with its value in uniform tension.
UNIFORM = {
    "log_von_mises": 0.0,
    "log_largest_von_mises": 0.0,
    "triaxiality": 1 / 3,
    "largest_pressure": 1 / 3,
    "lode": 1.0,
}


@cache
def one_void() -> dict[str, np.ndarray]:
    """What a void changes around it, (s, s, s) float32 with s = 2 REACH + 1, by measure."""
    octant = np.load(TABLE, allow_pickle=False)
    place = np.abs(np.arange(-REACH, REACH + 1))
    return dict(zip(UNIFORM, octant[:, place][:, :, place][:, :, :, place], strict=True))


def superposed(porosity: np.ndarray, measure: str) -> np.ndarray:
    """A measure of UNIFORM around the pores (n, nx, ny, nz), 1 = void; float32, NaN in voids.

    Beyond the ends, along z, is the mirror image.
    """
    found = np.empty(porosity.shape, np.float32)
    for field, voids in zip(found, porosity, strict=True):
        given = np.pad(voids.astype(np.float32), ((0, 0), (0, 0), (REACH, REACH)), mode="symmetric")
        change = oaconvolve(given, one_void()[measure], mode="same")[:, :, REACH:-REACH]
        field[:] = np.where(voids == 0, UNIFORM[measure] + change, np.nan)
    return found
