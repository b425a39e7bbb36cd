"""Products of a grid's stiffness with displacements, in explicit vectors (numba).

Nothing is stored for an element but its density. Nodal values are lines: (planes, ny+1, 3
components, nx+1 and zeros to fill all lanes), flat, and one vector more, which vector code reads.
density: (layers, ny, nx and zeros to fill all lanes), float32.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from porefail.fe.elastic.element import nodal_forces
from porefail.fe.lanes import LANES, load, places


@intrinsic
def _subtract_block(
    typing, coefficients, density, given, result, carry, at, line, row, plane, place
):
    """Forces of a block of LANES elements along x, of nodal displacements `given`, taken from
    `result`; all arrays are flat.

    coefficients: each LANES times; place: index of the block's densities. at: index of the first
    node, whose neighbours are `row` and `plane` further, as components are `line` further. carry:
    12 vectors, what the far ends of the block before leave for this one; overwritten.
    """
    arguments = coefficients, density, given, result, carry, at, line, row, plane, place

    def emit(context, builder, signature, arguments):
        in_coefficients, in_density, in_given, in_result, in_carry = (
            places(context, builder, signature.args[n], arguments[n]) for n in range(5)
        )
        at, line, row, plane, place = arguments[5:]
        zero = ir.Constant(at.type, 0)

        def index(c, q):
            """Of component c at the near end of edge q along x."""
            start = builder.add(at, builder.mul(line, ir.Constant(line.type, c)))
            start = builder.add(start, row) if q & 1 else start
            return builder.add(start, plane) if q & 2 else start

        nodes = [
            [load(builder, in_given(index(c, a >> 1), a & 1)) for a in range(8)] for c in range(3)
        ]
        of = [load(builder, in_coefficients(zero, n * LANES)) for n in range(10)]
        of_block = load(builder, in_density(place))
        if signature.args[2].dtype == types.float64:
            of_block = of_block.widened()
        forces = nodal_forces(nodes, of, of_block)
        for c in range(3):
            for q in range(4):
                near, far = forces[c][2 * q], forces[c][2 * q + 1]
                waiting = in_carry(zero, (4 * c + q) * LANES)
                here = near + far.shifted(load(builder, waiting))
                far.store(waiting)
                total = in_result(index(c, q))
                (load(builder, total) - here).store(total)
        return context.get_dummy_value()

    return types.void(*arguments), emit


@njit(cache=True, error_model="numpy")
def _subtract(coefficients, density, u, rest):
    layers, ny, width = density.shape
    row = (rest.size - LANES) // ((layers + 1) * (ny + 1))
    line, plane = row // 3, row * (ny + 1)
    flat = density.reshape(-1)
    carry = np.empty(12 * LANES, rest.dtype)
    for k in range(layers):
        for j in range(ny):
            at, place = k * plane + j * row, (k * ny + j) * width
            carry[:] = 0.0
            for _ in range(width // LANES):
                _subtract_block(coefficients, flat, u, rest, carry, at, line, row, plane, place)
                at += LANES
                place += LANES
            if line > width:  # the last node of a row is in no block
                for c in range(3):
                    for q in range(4):
                        node = at + c * line + (q & 1) * row + (q >> 1) * plane
                        rest[node] -= carry[(4 * c + q) * LANES + LANES - 1]


def subtract_product(
    coefficients: np.ndarray, density: np.ndarray, u: np.ndarray, rest: np.ndarray
) -> None:
    """rest -= stiffness · u of elements of unit edge; lines, both single or both double.

    coefficients: of element.coefficients().
    """
    _subtract(np.repeat(coefficients, LANES).astype(u.dtype), density, u, rest)


def in_lanes(field: np.ndarray) -> np.ndarray:
    """A field of elements (layers, ny, nx) as densities: with zeros to fill all lanes."""
    spare = -field.shape[2] % LANES
    return np.pad(field.astype(np.float32), ((0, 0), (0, 0), (0, spare)))
