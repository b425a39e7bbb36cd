"""The V-cycle over all grids, in single precision: Chebyshev smoothing with the diagonal."""

import numpy as np
from mpi4py import MPI
from numba import njit
from scipy import linalg

from porefail.fe.elastic.element import Moduli, coefficients, largest_eigenvalue, stiffness
from porefail.fe.elastic.grid import Grid, halved
from porefail.fe.elastic.product import subtract_product
from porefail.fe.elastic.transfer import prolong, restrict
from porefail.fe.hexahedron import CORNERS
from porefail.fe.lanes import LANES
from porefail.fe.lines import line_length, lines_size
from porefail.fe.seams import fill_seams

# The smallest eigenvalue that is smoothed, in parts of the bound of the largest. By trial.
RANGE = 0.12
STEPS = 2

# What holds the lateral rigid motions of the coarsest grid, in parts of its diagonal.
SPRING = 1e-6


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _advance(inverse, rest, momentum, size, step, total):
    """step = momentum·step + size·inverse·rest; total += step. inverse: (lines of nodes, line)."""
    momentum, size = np.float32(momentum), np.float32(size)
    rows, line = inverse.shape
    at = 0
    for n in range(rows):
        for _ in range(3):
            for i in range(line):
                step[at + i] = momentum * step[at + i] + size * inverse[n, i] * rest[at + i]
                total[at + i] += step[at + i]
            at += line


class Cycle:
    """An approximate inverse of the stiffness: symmetric, positive, nearly the same at any size.

    grids: of grid.grids(). `rest` of the finest grid is what is to be balanced, `total` of it the
    answer, both right on the owned planes. Collective over the grids' communicators.
    """

    def __init__(self, grids: list[Grid], material: Moduli):
        self.grids = grids
        self._of = coefficients(material)
        self._unit = stiffness(material)
        sizes = [lines_size((g.share.end_layer - g.share.first_layer, *g.shape[1:])) for g in grids]
        # Last correction, answer, and what it leaves of the load.
        self.step, self.total, self.rest = (
            [np.zeros(size, np.float32) for size in sizes] for _ in range(3)
        )
        largest = largest_eigenvalue(material)
        centre, half_width = (1 + RANGE) * largest / 2, (1 - RANGE) * largest / 2
        # Saad, Iterative Methods for Sparse Linear Systems (2003), algorithm 12.1.
        ratio = half_width / centre
        self._coefficients = [(0.0, 1.0 / centre)]
        for _ in range(STEPS - 1):
            following = 1.0 / (2.0 * centre / half_width - ratio)
            self._coefficients.append((following * ratio, 2.0 * following / half_width))
            ratio = following
        self._coefficients = [(a, b / self._unit[0, 0]) for a, b in self._coefficients]
        self._free, self._factor = _factored(grids[-1], self._unit)

    def apply(self) -> None:
        """Make `total` the answer to `rest`, which is overwritten."""
        self._descend(0)

    def _descend(self, level: int) -> None:
        grid = self.grids[level]
        self.total[level][:] = 0.0
        self.step[level][:] = 0.0
        if level == len(self.grids) - 1:
            self._solve(level)
            return
        self._smooth(level, finish=False)
        self._restrict(level)
        self._descend(level + 1)
        below = self.grids[level + 1]
        fill_seams(below.planes(self.total[level + 1]), below.share, below.comm)
        prolong(
            self.total[level + 1],
            below.share.first_layer,
            below.shape[1:],
            self.step[level],
            grid.share.first_layer,
            grid.shape[1:],
        )
        grid.hold(self.step[level])
        self.total[level] += self.step[level]
        subtract_product(self._of, grid.density, self.step[level], self.rest[level])
        grid.hold(self.rest[level])
        self._smooth(level, finish=True)

    def _smooth(self, level: int, finish: bool) -> None:
        """Smooth; `rest` stays as it was before the last step if `finish`."""
        grid, step, rest = self.grids[level], self.step[level], self.rest[level]
        inverse = grid.inverse.reshape(-1, grid.inverse.shape[2])
        for number, (momentum, size) in enumerate(self._coefficients, 1):
            _advance(inverse, rest, momentum, size, step, self.total[level])
            if number < STEPS or not finish:
                fill_seams(grid.planes(step), grid.share, grid.comm)
                subtract_product(self._of, grid.density, step, rest)
                grid.hold(rest)

    def _restrict(self, level: int) -> None:
        """Give the load that is left to the next grid."""
        grid, below = self.grids[level], self.grids[level + 1]
        fill_seams(grid.planes(self.rest[level]), grid.share, grid.comm)
        part = halved(grid, below.shape[0])
        rest = self.rest[level + 1]
        restrict(
            self.rest[level],
            grid.share.first_layer,
            grid.shape[1:],
            rest,
            below.share.first_layer,
            below.shape[1:],
            part.first_plane,
            part.end_plane,
        )
        if grid.comm.size > below.comm.size:
            grid.comm.Allreduce(MPI.IN_PLACE, rest)
        below.hold(rest)

    def _solve(self, level: int) -> None:
        """Solve on the coarsest grid."""
        shape = (-1, self.grids[level].shape[1] + 1, 3, line_length(self.grids[level].shape[2] + 1))
        load = self.rest[level][:-LANES].reshape(shape)
        self.total[level][:-LANES].reshape(shape)[self._free] = linalg.cho_solve(
            self._factor, load[self._free].astype(float)
        )


def _factored(grid: Grid, unit: np.ndarray) -> tuple[np.ndarray, tuple]:
    """Which numbers of the lines are free, and the Cholesky factor of their stiffness."""
    nz, ny, nx = grid.shape
    line = line_length(nx + 1)
    number = np.arange((nz + 1) * (ny + 1) * 3 * line).reshape(nz + 1, ny + 1, 3, line)
    matrix = np.zeros((number.size, number.size))
    for k, j, i in np.argwhere(grid.density > 0):
        own = np.array([number[k + z, j + y, :, i + x] for x, y, z in CORNERS]).ravel()
        matrix[np.ix_(own, own)] += grid.density[k, j, i] * unit
    free = np.broadcast_to(grid.inverse[:, :, None] > 0, number.shape).copy()
    free[0, :, 2] = free[grid.grip :, :, 2] = False
    own = number[free]
    matrix = matrix[np.ix_(own, own)]
    matrix[np.diag_indices_from(matrix)] *= 1.0 + SPRING
    return free, linalg.cho_factor(matrix, lower=True)
