"""Trilinear interpolation between two grids, and its transpose, on lines of product.py (numba)."""

import numpy as np
from numba import njit

from porefail.fe.lanes import LANES
from porefail.fe.lines import line_length


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def restrict(fine, first_fine, shape, coarse, first_coarse, coarse_shape, first, end):
    """Planes first ... end - 1 of coarse = Pᵀ · fine; all others become 0.

    first_fine, first_coarse: numbers of the first local planes of both; shape, coarse_shape:
    elements (ny, nx) of both, even in the fine grid, half as many or one more in the coarse one.
    Fine planes beyond the local ones count as 0.
    """
    rows, nodes = shape[0] // 2 + 1, shape[1] // 2 + 1
    coarse_line = line_length(coarse_shape[1] + 1)
    line = line_length(shape[1] + 1)
    row, plane = 3 * line, 3 * line * (shape[0] + 1)
    planes = (fine.size - LANES) // plane
    half = np.float32(0.5)
    coarse[:] = 0.0
    # One axis after the other; a row of zeros at both ends of the plane.
    of_plane = np.zeros(plane + 2 * row, np.float32)
    of_line = np.empty(line, np.float32)
    for kc in range(first, end):
        of_plane[:] = 0.0
        for dz in range(-1, 2):
            k = 2 * kc + dz - first_fine
            if 0 <= k < planes:
                weight = half if dz else np.float32(1.0)
                for n in range(plane):
                    of_plane[row + n] += weight * fine[k * plane + n]
        at = 3 * coarse_line * (coarse_shape[0] + 1) * (kc - first_coarse)
        for jc in range(rows):
            for c in range(3):
                start = row + 2 * jc * row + c * line
                for i in range(line):
                    of_line[i] = of_plane[start + i] + half * (
                        of_plane[start + i - row] + of_plane[start + i + row]
                    )
                coarse[at] = of_line[0] + half * of_line[1]
                for i in range(1, nodes - 1):
                    coarse[at + i] = of_line[2 * i] + half * (
                        of_line[2 * i - 1] + of_line[2 * i + 1]
                    )
                i = nodes - 1
                coarse[at + i] = of_line[2 * i] + half * of_line[2 * i - 1]
                at += coarse_line


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def prolong(coarse, first_coarse, coarse_shape, fine, first_fine, shape):
    """fine = P · coarse on all local planes; arguments as of restrict()."""
    rows, nodes = shape[0] // 2 + 1, shape[1] // 2 + 1
    coarse_row = 3 * line_length(coarse_shape[1] + 1)
    coarse_line = coarse_row // 3
    coarse_plane = coarse_row * (coarse_shape[0] + 1)
    line = line_length(shape[1] + 1)
    planes = (fine.size - LANES) // (3 * line * (shape[0] + 1))
    half, quarter = np.float32(0.5), np.float32(0.25)
    total = np.empty(nodes, np.float32)
    at = 0
    for k in range(planes):
        # The coarse planes below and above, the same one where the planes coincide.
        z = first_fine + k
        lower = (z // 2 - first_coarse) * coarse_plane
        upper = ((z + 1) // 2 - first_coarse) * coarse_plane
        for j in range(2 * rows - 1):
            left, right = j // 2 * coarse_row, (j + 1) // 2 * coarse_row
            for c in range(3):
                near = c * coarse_line
                for i in range(nodes):
                    total[i] = quarter * (
                        (coarse[lower + left + near + i] + coarse[lower + right + near + i])
                        + (coarse[upper + left + near + i] + coarse[upper + right + near + i])
                    )
                for i in range(nodes - 1):
                    fine[at + 2 * i] = total[i]
                    fine[at + 2 * i + 1] = half * (total[i] + total[i + 1])
                fine[at + 2 * nodes - 2] = total[nodes - 1]
                at += line
