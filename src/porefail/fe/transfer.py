"""Trilinear interpolation between the finest grid and the next, and its transpose (numba).

Fine values are lines of a slab, see lines.py; coarse ones (planes, ny/2+1, nx/2+1, 3) in double
precision, of the planes that the slab's nodes touch: from first_layer // 2 on. Held and void
degrees of freedom, where `free` (lines) is zero and not one, take no part.
"""

import numpy as np
from numba import njit

from porefail.fe.lanes import LANES


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def restrict(fine, free, layers, first_layer, owned, coarse):
    """coarse = Pᵀ · fine, what the planes owned[0] ... owned[1] - 1 of the slab give to it."""
    rows, nodes, _ = coarse.shape[1:]
    row = (fine.size - LANES) // ((layers + 1) * (2 * rows - 1))
    line, plane = row // 3, row * (2 * rows - 1)
    half = np.float32(0.5)
    # One axis after the other; a row of zeros at both ends of the plane.
    of_plane = np.zeros(plane + 2 * row, np.float32)
    of_line = np.empty(line, np.float32)
    for kc in range(coarse.shape[0]):
        of_plane[:] = 0.0
        for dz in range(-1, 2):
            k = 2 * (first_layer // 2 + kc) + dz - first_layer
            if owned[0] <= k < owned[1]:
                weight = half if dz else np.float32(1.0)
                for n in range(plane):
                    of_plane[row + n] += weight * free[k * plane + n] * fine[k * plane + n]
        for jc in range(rows):
            for c in range(3):
                at = row + 2 * jc * row + c * line
                for i in range(line):
                    of_line[i] = of_plane[at + i] + half * (
                        of_plane[at + i - row] + of_plane[at + i + row]
                    )
                coarse[kc, jc, 0, c] = of_line[0] + half * of_line[1]
                for i in range(1, nodes - 1):
                    coarse[kc, jc, i, c] = of_line[2 * i] + half * (
                        of_line[2 * i - 1] + of_line[2 * i + 1]
                    )
                i = nodes - 1
                coarse[kc, jc, i, c] = of_line[2 * i] + half * of_line[2 * i - 1]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def prolong(coarse, free, layers, first_layer, fine):
    """fine = P · coarse, on all planes of the slab."""
    planes, rows, nodes, _ = coarse.shape
    ny = 2 * (rows - 1) + 1
    line = (fine.size - LANES) // (3 * (layers + 1) * ny)
    half = np.float32(0.5)
    total = np.empty(nodes, np.float32)
    along = np.empty((planes, rows, 3, nodes), np.float32)  # lines, as the fine ones
    for k in range(planes):
        for j in range(rows):
            for i in range(nodes):
                for c in range(3):
                    along[k, j, c, i] = coarse[k, j, i, c]
    at = 0
    for k in range(layers + 1):
        # The coarse planes below and above, the same one where the planes coincide.
        z = first_layer + k
        lower, upper = z // 2 - first_layer // 2, (z + 1) // 2 - first_layer // 2
        for j in range(ny):
            left, right = j // 2, (j + 1) // 2
            for c in range(3):
                for i in range(nodes):
                    total[i] = np.float32(0.25) * (
                        (along[lower, left, c, i] + along[lower, right, c, i])
                        + (along[upper, left, c, i] + along[upper, right, c, i])
                    )
                for i in range(nodes - 1):
                    fine[at + 2 * i] = total[i]
                    fine[at + 2 * i + 1] = half * (total[i] + total[i + 1])
                fine[at + 2 * nodes - 2] = total[nodes - 1]
                for i in range(line):
                    fine[at + i] *= free[at + i]
                at += line
