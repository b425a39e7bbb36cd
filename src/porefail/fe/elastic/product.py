"""Products of a grid's stiffness with displacements, in explicit vectors (numba).

Nothing is stored for an element but its density. Nodal values are lines: (planes, ny+1, 3
components, nx+1 and zeros to fill all lanes), flat, and one vector more, which vector code may read.
density: (layers, ny, nx and zeros to fill all lanes), float32.
"""

from functools import cache

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from porefail.fe.elastic.element import Moduli, nodal_forces
from porefail.fe.lanes import LANES, load, places
from porefail.fe.lines import line_length


def _block(material: Moduli):
    """Forces of a block of LANES elements along x, summed up at the nodes."""

    def subtract_block(typing, given, result, carry, density, at, line, row, plane, place):
        """Forces of a block taken from `result`, of nodal displacements `given`, both flat.

        at: index of the first node, whose neighbours are `row` and `plane` further, as components
        are `line` further; place: index of the block's densities. carry: 12 vectors, what the far
        ends of the block before leave for this one; overwritten.
        """
        arguments = given, result, carry, density, at, line, row, plane, place
        return types.void(*arguments), emit

    def emit(context, builder, signature, arguments):
        in_given, in_result, in_carry, in_density = (
            places(context, builder, signature.args[n], arguments[n]) for n in range(4)
        )
        at, line, row, plane, place = arguments[4:]

        def index(c, q):
            """Of component c at the near end of edge q along x."""
            start = builder.add(at, builder.mul(line, ir.Constant(line.type, c)))
            start = builder.add(start, row) if q & 1 else start
            return builder.add(start, plane) if q & 2 else start

        nodes = [
            [load(builder, in_given(index(c, a >> 1), a & 1)) for a in range(8)] for c in range(3)
        ]
        of_block = load(builder, in_density(place))
        if signature.args[0].dtype == types.float64:
            of_block = of_block.widened()
        forces = nodal_forces(nodes, material, of_block)
        for c in range(3):
            for q in range(4):
                near, far = forces[c][2 * q], forces[c][2 * q + 1]
                waiting = in_carry(ir.Constant(at.type, 0), (4 * c + q) * LANES)
                here = near + far.shifted(load(builder, waiting))
                far.store(waiting)
                total = in_result(index(c, q))
                (load(builder, total) - here).store(total)
        return context.get_dummy_value()

    return intrinsic(subtract_block)


@cache
def products(material: Moduli):
    """subtract_product(density, u, rest) of a material: compiled for it."""
    subtract_block = _block(material)

    @njit(error_model="numpy", nogil=True)
    def subtract_product(density, u, rest):
        """rest -= stiffness · u of elements of unit edge; lines, both single or both double."""
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
                    subtract_block(u, rest, carry, flat, at, line, row, plane, place)
                    at += LANES
                    place += LANES
                if line > width:  # the last node of a row is in no block
                    for c in range(3):
                        for q in range(4):
                            node = at + c * line + (q & 1) * row + (q >> 1) * plane
                            rest[node] -= carry[(4 * c + q) * LANES + LANES - 1]

    return subtract_product


def in_lanes(field: np.ndarray) -> np.ndarray:
    """A field of elements (layers, ny, nx) as densities: with zeros to fill all lanes."""
    spare = -field.shape[2] % LANES
    return np.pad(field.astype(np.float32), ((0, 0), (0, 0), (0, spare)))


def lines_size(shape: tuple[int, int, int]) -> int:
    """Size of the nodal values of elements (layers, ny, nx)."""
    return 3 * (shape[0] + 1) * (shape[1] + 1) * line_length(shape[2] + 1) + LANES
