"""Displacement of a specimen under tension: conjugate gradients in double precision around a V-cycle
in single precision."""

from typing import NamedTuple

import numpy as np
from numba import njit

from porefail.fe.elastic.cycle import Cycle
from porefail.fe.elastic.element import Moduli
from porefail.fe.elastic.grid import Grid
from porefail.fe.elastic.product import products
from porefail.fe.lanes import LANES
from porefail.fe.lines import line_length
from porefail.fe.seams import fill_seams


class Solution(NamedTuple):
    """Lines (float64) of the displacement at unit nominal strain and unit voxels, right on all
    local planes; iterations; unbalanced force over reaction at the end."""

    displacement: np.ndarray
    iterations: int
    unbalanced: float


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _move(size, direction, product, u, rest):
    """u += size·direction; rest += size·product. Returns rest·rest."""
    total = 0.0
    for n in range(u.size):
        u[n] += size * direction[n]
        rest[n] += size * product[n]
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
    for n in range(new.size):
        direction[n] = new[n] + momentum * direction[n]


def uniaxial(grid: Grid, poisson_ratio: float) -> np.ndarray:
    """Lines of the displacement of a specimen without pores at unit nominal strain."""
    nz, ny, nx = grid.shape
    z = np.arange(grid.share.first_layer, grid.share.end_layer + 1.0)
    lines = np.zeros((z.size, ny + 1, 3, line_length(nx + 1)))
    lines[:, :, 0, : nx + 1] = -poisson_ratio * np.arange(nx + 1)
    lines[:, :, 1, : nx + 1] = -poisson_ratio * np.arange(ny + 1)[:, None]
    lines[:, :, 2, : nx + 1] = z[:, None, None]
    return np.concatenate([lines.ravel(), np.zeros(LANES)])


def solve(
    grids: list[Grid], material: Moduli, poisson_ratio: float, tolerance: float, iterations: int
) -> Solution:
    """Pull a specimen by unit strain; collective over the grids' communicator.

    tolerance: norm of the unbalanced forces over that of the reactions at the grips. What is
    reached after so many iterations is told in the solution.
    """
    grid, comm = grids[0], grids[0].comm
    cycle, subtract = Cycle(grids, material), products(material)
    u = uniaxial(grid, poisson_ratio)
    rest = np.zeros_like(u)
    subtract(grid.density, u, rest)
    whole = comm.allreduce(_dot(grid.owned(rest), grid.owned(rest)))
    grid.hold(rest)
    square = comm.allreduce(_dot(grid.owned(rest), grid.owned(rest)))
    # The reactions to come differ little from those without pores.
    reaction = np.sqrt(whole - square)
    direction, product = np.zeros_like(u), np.empty_like(u)
    before, count = np.inf, 0
    while np.sqrt(square) > tolerance * reaction and count < iterations:
        cycle.rest[0][:] = rest
        cycle.apply()
        new = cycle.total[0]
        aligned = comm.allreduce(_dot(grid.owned(rest), grid.owned(new)))
        _turn(grid.owned(new), aligned / before, grid.owned(direction))
        before = aligned
        fill_seams(grid.planes(direction), grid.share, comm)
        product[:] = 0.0
        subtract(grid.density, direction, product)
        grid.hold(product)
        size = -aligned / comm.allreduce(_dot(grid.owned(direction), grid.owned(product)))
        square = comm.allreduce(
            _move(
                size,
                grid.owned(direction),
                grid.owned(product),
                grid.owned(u),
                grid.owned(rest),
            )
        )
        count += 1
    fill_seams(grid.planes(u), grid.share, comm)
    return Solution(u, count, float(np.sqrt(square) / reaction))
