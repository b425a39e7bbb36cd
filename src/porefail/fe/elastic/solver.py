"""Displacement of a specimen under tension: conjugate gradients around a V-cycle.

Corrections are single precision, the displacement is double; now and then the unbalanced forces are
computed from it in double precision, so that no error stays.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from porefail.fe.elastic.cycle import Cycle
from porefail.fe.elastic.element import Moduli, coefficients
from porefail.fe.elastic.grid import Grid
from porefail.fe.elastic.product import subtract_product
from porefail.fe.lanes import LANES
from porefail.fe.lines import line_length, lines_size
from porefail.fe.seams import fill_seams

# Layers whose unbalanced forces are computed at once in double precision.
LAYERS = 8
# They are computed anew once they have fallen by so much: single precision takes them no further
# than to about 1e-6.
RENEW = 1e-3


class Solution(NamedTuple):
    """Lines (float64) of the displacement at unit nominal strain and unit voxels, right on all
    local planes; iterations; unbalanced force over reaction at the end."""

    displacement: np.ndarray
    iterations: int
    unbalanced: float


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _move(size, direction, product, u, rest):
    """u += size·direction; rest += size·product. Returns rest·rest."""
    single, total = np.float32(size), 0.0
    for n in range(u.size):
        u[n] += size * direction[n]
        rest[n] += single * product[n]
        total += rest[n] * rest[n]
    return total


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _dot(a, b):
    total = 0.0
    for n in range(a.size):
        total += a[n] * b[n]
    return total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _turn(new, momentum, direction):
    """direction = new + momentum·direction."""
    momentum = np.float32(momentum)
    for n in range(new.size):
        direction[n] = new[n] + momentum * direction[n]


def uniaxial(grid: Grid, poisson_ratio: float) -> np.ndarray:
    """Lines of the displacement of a specimen without pores at unit nominal strain."""
    _, ny, nx = grid.shape
    found = np.zeros(grid.plane * (grid.density.shape[0] + 1) + LANES)
    lines = grid.planes(found).reshape(-1, ny + 1, 3, line_length(nx + 1))
    lines[:, :, 0, : nx + 1] = -poisson_ratio * np.arange(nx + 1)
    lines[:, :, 1, : nx + 1] = -poisson_ratio * np.arange(ny + 1)[:, None]
    lines[:, :, 2] = np.arange(grid.share.first_layer, grid.share.end_layer + 1.0)[:, None, None]
    return found


def unbalance(grid: Grid, material: Moduli, u: np.ndarray, rest: np.ndarray) -> None:
    """rest (float32) = −stiffness · u (float64), right on the owned planes."""
    of, plane = coefficients(material), grid.plane
    scratch = np.zeros(lines_size((LAYERS, *grid.shape[1:])))
    for first in range(0, grid.density.shape[0], LAYERS):
        density = grid.density[first : first + LAYERS]
        layers = density.shape[0]
        size = plane * (layers + 1)
        start = first * plane
        subtract_product(of, density, u[start : start + size + LANES], scratch[: size + LANES])
        rest[start : start + size] = scratch[:size]
        # The last plane waits for the next layers.
        scratch[:plane] = scratch[size - plane : size]
        scratch[plane:] = 0.0


def solve(
    grids: list[Grid], material: Moduli, poisson_ratio: float, tolerance: float, iterations: int
) -> Solution:
    """Pull a specimen by unit strain; collective over the grids' communicator.

    tolerance: norm of the unbalanced forces over that of the reactions at the grips. What is
    reached after so many iterations is told in the solution.
    """
    grid, comm = grids[0], grids[0].comm
    cycle, of = Cycle(grids, material), coefficients(material)
    u = uniaxial(grid, poisson_ratio)
    rest, direction, product = np.zeros((3, u.size), np.float32)

    def dot(a, b):
        return comm.allreduce(_dot(grid.owned(a), grid.owned(b)))

    count, reaction = 0, np.inf
    while True:
        unbalance(grid, material, u, rest)
        whole = dot(rest, rest)
        grid.hold(rest)
        square = dot(rest, rest)
        if count == 0:  # without pores; with them the reactions differ little
            reaction = np.sqrt(whole - square)
        unbalanced = float(np.sqrt(square) / reaction)
        if unbalanced <= tolerance or count >= iterations:
            fill_seams(grid.planes(u), grid.share, comm)
            return Solution(u, count, unbalanced)
        direction[:] = 0.0
        before, goal = np.inf, max(0.9 * tolerance * reaction, RENEW * np.sqrt(square))
        while np.sqrt(square) > goal and count < iterations:
            cycle.rest[0][:] = rest
            cycle.apply()
            aligned = dot(rest, cycle.total[0])
            _turn(grid.owned(cycle.total[0]), aligned / before, grid.owned(direction))
            before = aligned
            fill_seams(grid.planes(direction), grid.share, comm)
            product[:] = 0.0
            subtract_product(of, grid.density, direction, product)
            grid.hold(product)
            size = -aligned / dot(direction, product)
            parts = (grid.owned(each) for each in (direction, product, u, rest))
            square = comm.allreduce(_move(size, *parts))
            count += 1
        fill_seams(grid.planes(u), grid.share, comm)
