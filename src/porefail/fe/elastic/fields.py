"""Elastic stresses of a specimen under tension, per unit nominal stress."""

from typing import NamedTuple

import numpy as np
from mpi4py import MPI
from numba import njit

from porefail.errors import PorefailError
from porefail.fe.elastic.element import moduli
from porefail.fe.elastic.grid import grids
from porefail.fe.elastic.solver import solve
from porefail.fe.grid import load_bearing
from porefail.fe.lines import line_length

# Unbalanced force over reaction: fields are then right to about 1e-5 of the nominal stress.
TOLERANCE = 1e-6
ITERATIONS = 200

# Distance of a Gauss point from the middle of an element of unit edge.
FROM_MIDDLE = 0.5 / np.sqrt(3.0)


class Severed(PorefailError):
    """No single piece of a specimen joins the grips."""


class NotConverged(PorefailError):
    """The solver has reached no solution."""


class ElasticFields(NamedTuple):
    """Linear elastic fields (nx, ny, nz) of float32, NaN in voids, 0 where no load is borne.

    von_mises, pressure (tension positive): means over the Gauss points, per unit nominal stress;
    largest_von_mises, largest_pressure: the largest of the points; lode: mean of 27/4·J3²/J2³, 1 in
    uniaxial tension, 0 in shear. iterations of the solver; unbalanced: force over reaction at its
    end.
    """

    von_mises: np.ndarray
    pressure: np.ndarray
    largest_von_mises: np.ndarray
    largest_pressure: np.ndarray
    lode: np.ndarray
    iterations: int
    unbalanced: float


NAMES = ElasticFields._fields[:5]


def elastic_fields(
    porosity: np.ndarray,
    poisson_ratio: float,
    element: str,
    comm: MPI.Comm = MPI.COMM_SELF,
    tolerance: float = TOLERANCE,
) -> ElasticFields | None:
    """Elastic fields of a specimen pulled along z, on the first rank; else None.

    porosity: (nx, ny, nz), 1 = void, of any size. element: of hexahedron.ELEMENTS. Collective over
    comm. Raises Severed where no single piece joins the grips, NotConverged where the solver finds
    no solution, PorefailError for an unknown element.
    """
    material = moduli(poisson_ratio, element)
    solid = porosity.transpose(2, 1, 0) == 0
    bearing = load_bearing(solid)
    if bearing is None:
        raise Severed("no single piece of the specimen joins the grips: nothing bears load")
    levels = grids(bearing, comm)
    solution = solve(levels, material, poisson_ratio, tolerance, ITERATIONS)
    if not solution.unbalanced <= tolerance:
        raise NotConverged(
            f"the elastic solve did not converge: {solution.unbalanced:.1g} of the reaction is"
            f" unbalanced after {solution.iterations} iterations"
        )
    grid = levels[0]
    owned = grid.share.owned_layers
    own = np.zeros((len(NAMES), grid.density.shape[0], *bearing.shape[1:]), np.float32)
    total = _stresses(
        solution.displacement.reshape(-1),
        grid.density,
        material,
        line_length(grid.shape[2] + 1),
        (owned.start, owned.stop),
        own,
    )
    # Virtual work of uniform strain: the mean axial stress of the whole block is the nominal one.
    own[:4] /= grid.comm.allreduce(total) / bearing.size
    own = own[:, owned]
    parts = comm.gather(own) if grid.comm.size > 1 else [own]
    if comm.rank:
        return None
    found = np.concatenate(parts, axis=1)[:, : bearing.shape[0]]
    found[:, ~solid] = np.nan
    return ElasticFields(*found.transpose(0, 3, 2, 1), solution.iterations, solution.unbalanced)


@njit(error_model="numpy")
def _modes(u, at, line, row, plane, modes):
    """Modes (8) of one component of an element whose first node is at `at`."""
    for q in range(4):
        start = at + (q & 1) * row + (q >> 1) * plane
        modes[2 * q], modes[2 * q + 1] = 0.5 * (u[start] + u[start + 1]), u[start + 1] - u[start]
    for a, b in ((0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7)):
        modes[a], modes[b] = 0.5 * (modes[a] + modes[b]), modes[b] - modes[a]


@njit(cache=True, error_model="numpy")
def _stresses(u, density, material, line, owned, fields):
    """Stresses of the load-bearing elements of owned layers, written to fields (5, layers, ny, nx).

    Returns the sum of their axial stresses.
    """
    _, _, ny, nx = fields.shape
    row = 3 * line
    plane = row * (density.shape[1] + 1)
    modes = np.empty((3, 8))
    slope = np.empty((3, 3))
    shear = material.shear
    bulk = material.mean + material.pointwise + 2.0 * shear / 3.0
    total = 0.0
    for k in range(owned[0], min(owned[1], density.shape[0])):
        for j in range(ny):
            for i in range(nx):
                if density[k, j, i] == 0.0:
                    continue
                for c in range(3):
                    at = k * plane + j * row + c * line + i
                    _modes(u, at, line, row, plane, modes[c])
                mean = modes[0, 1] + modes[1, 2] + modes[2, 4]
                pressure = bulk * mean
                mises, largest, highest, lode = 0.0, 0.0, -np.inf, 0.0
                for g in range(8):
                    x = FROM_MIDDLE if g & 1 else -FROM_MIDDLE
                    y = FROM_MIDDLE if g & 2 else -FROM_MIDDLE
                    z = FROM_MIDDLE if g & 4 else -FROM_MIDDLE
                    for c in range(3):
                        m = modes[c]
                        slope[c, 0] = m[1] + y * m[3] + z * m[5] + y * z * m[7]
                        slope[c, 1] = m[2] + x * m[3] + z * m[6] + x * z * m[7]
                        slope[c, 2] = m[4] + x * m[5] + y * m[6] + x * y * m[7]
                    trace = slope[0, 0] + slope[1, 1] + slope[2, 2]
                    s0, s1 = slope[0, 0] - trace / 3.0, slope[1, 1] - trace / 3.0
                    s2 = -s0 - s1
                    s3 = 0.5 * (slope[0, 1] + slope[1, 0])
                    s4 = 0.5 * (slope[1, 2] + slope[2, 1])
                    s5 = 0.5 * (slope[0, 2] + slope[2, 0])
                    j2 = 0.5 * (s0 * s0 + s1 * s1 + s2 * s2) + s3 * s3 + s4 * s4 + s5 * s5
                    j3 = (
                        s0 * (s1 * s2 - s4 * s4)
                        - s3 * (s3 * s2 - s4 * s5)
                        + s5 * (s3 * s4 - s1 * s5)
                    )
                    equivalent = 2.0 * shear * np.sqrt(3.0 * j2)
                    mises += equivalent / 8.0
                    largest = max(largest, equivalent)
                    # Full integration has a dilatation at each point.
                    highest = max(highest, bulk * (trace if material.mean == 0.0 else mean))
                    if j2 > 0.0:
                        lode += 27.0 / 32.0 * j3 * j3 / (j2 * j2 * j2)
                fields[0, k, j, i] = mises
                fields[1, k, j, i] = pressure
                fields[2, k, j, i] = largest
                fields[3, k, j, i] = highest
                fields[4, k, j, i] = lode
                total += pressure + 2.0 * shear * (modes[2, 4] - mean / 3.0)
    return total
