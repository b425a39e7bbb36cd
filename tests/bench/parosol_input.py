"""Writes a specimen as ParOSol's input. It runs in a Python that has parosol-py.

parosol_input.py MASK.npy OUT.h5 POISSON: pulls along z as porefail does, by 1 % of the height: u_z
at the grips, the sides free, and three more components of the bottom grip against rigid motion.
Prints the path of the program.
"""

import sys

import numpy as np
from parosol_py.hdf5_io import write_parosol_input
from parosol_py.runner import packaged_executable

NOTHING = 1e-16  # ParOSol leaves out displacements of zero


def nodes(face: np.ndarray) -> np.ndarray:
    """Corners (x, y) of the solid voxels of a face."""
    marked = np.zeros(np.add(face.shape, 1), bool)
    for x in (0, 1):
        for y in (0, 1):
            marked[x : x + face.shape[0], y : y + face.shape[1]] |= face
    return np.argwhere(marked)


def main(mask: str, out: str, poisson_ratio: str) -> None:
    solid = np.load(mask) == 0
    height = solid.shape[2]
    bottom, top = nodes(solid[:, :, 0]), nodes(solid[:, :, -1])
    same_y = bottom[bottom[:, 1] == bottom[0, 1]]
    held = [(*bottom[0], 0, 0), (*bottom[0], 0, 1), (*same_y[-1], 0, 1)]
    held += [(*node, 0, 2) for node in bottom]
    pulled = [(*node, height, 2) for node in top]
    values = [NOTHING] * len(held) + [0.01 * height] * len(pulled)
    write_parosol_input(
        out,
        stiffness_gpa_xyz=solid.astype(np.float64),
        fixed_displacement_coordinates=np.array(held + pulled, np.int16),
        fixed_displacement_values=np.array(values),
        voxel_size_mm=1.0,
        poisson_ratio=float(poisson_ratio),
    )
    print(packaged_executable())


if __name__ == "__main__":
    main(*sys.argv[1:])
