"""The grids of one specimen: densities of their elements, shares of the ranks."""

from typing import NamedTuple

import numpy as np
from mpi4py import MPI
from numba import njit

from porefail.fe.elastic.product import in_lanes
from porefail.fe.grid import Slab, slab
from porefail.fe.lanes import LANES
from porefail.fe.lines import line_length

# Nodes of a grid that is solved directly, and of one that all ranks have as a whole.
FEW, SMALL = 400, 30000


class Grid(NamedTuple):
    """A rank's share of a grid.

    shape: elements (nz, ny, nx) of the whole grid; grip: number of the upper grip's plane of nodes.
    Where that lies within an element of a coarse grid it is the plane below, so that corrections
    vanish smoothly there. density: of the local elements, see product.py, times their edge over the
    finest grid's. inverse: (planes, ny+1, line) of the diagonal, times that of a unit cube; 0 where
    a node belongs to no element.
    """

    shape: tuple[int, int, int]
    grip: int
    share: Slab
    comm: MPI.Comm
    density: np.ndarray
    inverse: np.ndarray

    @property
    def plane(self) -> int:
        """Numbers of a plane of lines."""
        return 3 * (self.shape[1] + 1) * line_length(self.shape[2] + 1)

    def hold(self, lines: np.ndarray) -> None:
        """Zero the axial components of the local planes of the grips."""
        for z in (0, *range(self.grip, self.shape[0] + 1)):
            if self.share.first_layer <= z <= self.share.end_layer:
                start = (z - self.share.first_layer) * self.plane
                plane = lines[start : start + self.plane]
                plane.reshape(self.shape[1] + 1, 3, -1)[:, 2] = 0.0

    def planes(self, lines: np.ndarray) -> np.ndarray:
        """View of lines by local planes."""
        return lines[:-LANES].reshape(-1, self.plane)

    def owned(self, lines: np.ndarray) -> np.ndarray:
        """View of the owned planes of lines, flat."""
        owned = self.share.owned
        return lines[owned.start * self.plane : owned.stop * self.plane]


def coarser(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Elements along each axis of the next grid: twice as large, void beyond the end."""
    return tuple(-(-count // 2) for count in shape)


def grids(bearing: np.ndarray, comm: MPI.Comm) -> list[Grid]:
    """All grids of a specimen, the finest first; bearing: (nz, ny, nx) bool, whole.

    Those after the first with COMM_SELF are whole on all ranks.
    """
    shapes = [bearing.shape]
    while np.prod(np.array(shapes[-1]) + 1) > FEW and max(shapes[-1]) > 2:
        shapes.append(coarser(shapes[-1]))
    found: list[Grid] = []
    grip = bearing.shape[0]
    for level, shape in enumerate(shapes):
        last = level == len(shapes) - 1
        padded = shape if last else tuple(map(_even, shape))
        whole = np.prod(np.array(padded) + 1) <= SMALL or padded[0] + 1 < 4 * comm.size
        if comm.size == 1 or whole:
            share, team = Slab(0, padded[0] + 1, 0, padded[0]), MPI.COMM_SELF
        else:
            share = halved(found[-1], padded[0]) if found else slab(padded[0], comm.rank, comm.size)
            team = comm
        density = in_lanes(_densities(bearing, share, 2**level, padded))
        inverse = np.zeros((density.shape[0] + 1, padded[1] + 1, line_length(padded[2] + 1)), "f4")
        _invert(density, inverse)
        found.append(Grid(padded, grip, share, team, density, inverse))
        grip //= 2
    return found


def halved(grid: Grid, layers: int) -> Slab:
    """A rank's share of the next grid, of so many layers: the planes whose twins it owns."""
    share = grid.share
    first, end = -(-share.first_plane // 2), -(-share.end_plane // 2)
    if share.end_plane == grid.shape[0] + 1:
        end = layers + 1  # void beyond the end
    return Slab(first, end, max(first - 1, 0), min(end, layers))


def _even(count: int) -> int:
    return count + count % 2


def _densities(solid: np.ndarray, share: Slab, edge: int, shape: tuple[int, ...]) -> np.ndarray:
    """Densities times edge of a share of the grid whose elements have `edge` voxels an edge."""
    found = np.zeros((share.end_layer - share.first_layer, *shape[1:]), np.float32)
    _add_up(solid[share.first_layer * edge : share.end_layer * edge], edge, found)
    return found / np.float32(edge**2)


@njit(cache=True)
def _add_up(solid, edge, found):
    """Number of solid voxels of each element, added."""
    layers, ny, nx = solid.shape
    for k in range(layers):
        for j in range(ny):
            for i in range(nx):
                found[k // edge, j // edge, i // edge] += solid[k, j, i]


@njit(cache=True, error_model="numpy")
def _invert(density, inverse):
    """1 / sum of the densities around each node, 0 where there is none; `inverse` is zero."""
    layers, ny, nx = density.shape
    planes, rows, line = inverse.shape
    for k in range(layers):
        for j in range(ny):
            for i in range(nx):
                if density[k, j, i] > 0.0:
                    for dk in range(2):
                        for dj in range(2):
                            inverse[k + dk, j + dj, i] += density[k, j, i]
                            inverse[k + dk, j + dj, i + 1] += density[k, j, i]
    for k in range(planes):
        for j in range(rows):
            for i in range(line):
                if inverse[k, j, i] > 0.0:
                    inverse[k, j, i] = 1.0 / inverse[k, j, i]
