"""Nodal values of a slab as lines: single precision, laid out for vector code (numba).

(layers+1, ny+1, 3 components, nx+1 and zeros to fill all lanes), flat, and one vector more, which
vector code may read.
"""

import numpy as np
from numba import njit

from porefail.fe.grid import HELD
from porefail.fe.lanes import LANES


def lines_size(shape: tuple[int, int, int]) -> int:
    """Size of the nodal values of elements (layers, ny, nx)."""
    return 3 * (shape[0] + 1) * (shape[1] + 1) * line_length(shape[2] + 1) + LANES


def planes_of(lines: np.ndarray, layers: int) -> np.ndarray:
    """View of lines by planes, (layers+1, nodes of a plane and zeros)."""
    return lines[:-LANES].reshape(layers + 1, -1)


@njit
def line_length(nodes):
    """Length of a line of so many nodes."""
    return -(-nodes // LANES) * LANES


@njit(cache=True, error_model="numpy")
def to_lines(u, kinds, lines):
    """Lines of u (planes, ny+1, nx+1, 3); held degrees of freedom count as zero."""
    planes, ny, nx, _ = u.shape
    line = line_length(nx)
    at = 0
    for k in range(planes):
        for j in range(ny):
            for c in range(3):
                for i in range(nx):
                    lines[at + i] = 0.0 if kinds[k, j, i, c] == HELD else u[k, j, i, c]
                for i in range(nx, line):
                    lines[at + i] = 0.0
                at += line
    lines[at:] = 0.0


@njit(cache=True, error_model="numpy")
def from_lines(lines, u):
    """u (planes, ny+1, nx+1, 3) of lines."""
    planes, ny, nx, _ = u.shape
    line = line_length(nx)
    at = 0
    for k in range(planes):
        for j in range(ny):
            for c in range(3):
                for i in range(nx):
                    u[k, j, i, c] = lines[at + i]
                at += line
