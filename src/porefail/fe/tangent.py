"""The tangent of a slab of the voxel grid as an operator: products and its diagonal (numba).

No matrix is stored: a product visits the points, reads a tenth of what a sparse matrix takes from
memory and needs no assembly. Single precision: the tangent only ever preconditions, or multiplies
corrections that the next residual checks.

Eight elements that follow each other along x are the lanes of vector code: element i of a row is
lane i % 8 of block i // 8. Points: (layers, ny, blocks, 8, 6, 8), of point g, row r, lane l: twice
the shear modulus, then t = s·√(−radial) without its zz component (s has no trace), all times w/h²
(√ of it for t), with w the volume of a point and h the edge of a voxel. bulk: (layers, ny, blocks,
1 or 8, 8), the bulk modulus times w/h²: of B-bar its mean over the points, of full integration that
of each. So that, with gradients per edge length,
    force ~ Σ over points: bulk·tr ε·1 + 2·shear·dev ε − t (t : ε),
where of B-bar tr ε is the mean over the points.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from porefail.fe.grid import FREE, HELD
from porefail.fe.hexahedron import Hexahedron, hexahedron
from porefail.fe.lanes import LANES, load, places
from porefail.fe.lines import line_length, to_lines

ROWS = 6

# Linear interpolation from the ends of an edge to a Gauss point: weight of the far end.
FAR = 0.5 - 0.5 / np.sqrt(3.0)

# Points, or corners, of an element in pairs along each axis; they are numbered with x fastest.
PAIRS = (
    ((0, 1), (2, 3), (4, 5), (6, 7)),
    ((0, 2), (1, 3), (4, 6), (5, 7)),
    ((0, 4), (1, 5), (2, 6), (3, 7)),
)


def points_shape(shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Shape of the points of elements (layers, ny, nx)."""
    return (*shape[:2], -(-shape[2] // LANES), 8, ROWS, LANES)


def bulk_shape(shape: tuple[int, int, int], element: Hexahedron) -> tuple[int, ...]:
    """Shape of `bulk` of elements (layers, ny, nx)."""
    return (*shape[:2], -(-shape[2] // LANES), len(element.dilatation), LANES)


def _to_points(d0, d1, d2, d3):
    """Values at the four Gauss points of a face from those at its corners, first axis fastest.

    Symmetric: also takes values at the points back to the corners.
    """
    e, f = FAR * (d1 - d0), FAR * (d3 - d2)
    a0, a1, a2, a3 = d0 + e, d1 - e, d2 + f, d3 - f
    e, f = FAR * (a2 - a0), FAR * (a3 - a1)
    return a0 + e, a1 + f, a2 - e, a3 - f


def _stress(e, pressure, shear, t0, t1, t3, t4, t5):
    """Stress of a point; e: its strain, without the mean that `pressure` stands for."""
    # t has no trace: t2 = -t0 - t1, and the dilatation does not matter for the flow.
    flow = t0 * (e[0] - e[2]) + t1 * (e[1] - e[2]) + t3 * e[3] + t4 * e[4] + t5 * e[5]
    mean = pressure - shear * ((e[0] + e[1] + e[2]) * (1 / 3))
    half = 0.5 * shear
    return (
        shear * e[0] + mean - flow * t0,
        shear * e[1] + mean - flow * t1,
        shear * e[2] + mean + flow * (t0 + t1),
        half * e[3] - flow * t3,
        half * e[4] - flow * t4,
        half * e[5] - flow * t5,
    )


def element_forces(nodes, point, bulk):
    """Nodal forces [c][a] of elements from their nodal displacements nodes[c][a], corner a.

    point(g): the ROWS rows of point g; bulk: the bulk moduli, of one mean or of 8 points, see
    above. Works on all that supports + - *.
    """
    # Differences along the edges: a slope along an axis is the same at both points along it.
    edges = [[[u[far] - u[near] for near, far in pairs] for pairs in PAIRS] for u in nodes]
    along = [(x[c][0] + x[c][1]) + (x[c][2] + x[c][3]) for c, x in enumerate(edges)]
    pressures = [bulk[0] * (0.25 * (along[0] + along[1] + along[2]))] * 8
    slopes = [[_to_points(*edge) for edge in edges[c]] for c in range(3)]
    stresses = []
    for g in range(8):
        x, y, z = g & 1, g >> 1 & 1, g >> 2
        (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = (
            (of_c[0][y + 2 * z], of_c[1][x + 2 * z], of_c[2][x + 2 * y]) for of_c in slopes
        )
        strain = (xx, yy, zz, xy + yx, yz + zy, zx + xz)
        if len(bulk) > 1:
            pressures[g] = bulk[g] * (xx + yy + zz)
        stresses.append(_stress(strain, pressures[g], *point(g)))
    forces = []
    for rows in ((0, 3, 5), (3, 1, 4), (5, 4, 2)):
        x, y, z = (
            _to_points(*(stresses[g][row] + stresses[h][row] for g, h in pairs))
            for row, pairs in zip(rows, PAIRS, strict=True)
        )
        forces.append(
            (
                -1.0 * (x[0] + y[0] + z[0]),
                x[0] - y[1] - z[1],
                y[0] - x[1] - z[2],
                x[1] + y[1] - z[3],
                z[0] - x[2] - y[2],
                x[2] - y[3] + z[1],
                y[2] - x[3] + z[2],
                x[3] + y[3] + z[3],
            )
        )
    return forces


def element_diagonal(unit: Hexahedron, point, bulk):
    """Diagonal [c][a] of the matrices of elements; unit: Hexahedron of unit edge, see above."""
    rows = [point(g) for g in range(8)]
    shared = 8 / len(bulk)  # points of each bulk modulus
    diag = [[None] * 8 for _ in range(3)]
    for c in range(3):
        for a in range(8):
            dof = 3 * a + c
            total = bulk[0] * (shared * unit.dilatation[0, dof] ** 2)
            for n in range(1, len(bulk)):
                total = total + bulk[n] * (shared * unit.dilatation[n, dof] ** 2)
            for g, (shear, t0, t1, t3, t4, t5) in enumerate(rows):
                x, y, z = unit.gradients[:, a, g]
                if c == 0:
                    side = x * t0 + y * t3 + z * t5
                elif c == 1:
                    side = x * t3 + y * t1 + z * t4
                else:  # t has no trace
                    side = x * t5 + y * t4 - z * (t0 + t1)
                total = total + unit.deviatoric[g, dof, dof] * shear - side * side
            diag[c][a] = total
    return diag


def _block(moduli, nodal_values):
    """Nodal values of a block of elements, summed up at the nodes of a slab.

    moduli: bulk moduli of an element; nodal_values(nodes, point, bulk): as `element_forces`, nodes
    is a function without arguments that gives its nodes.
    """

    def subtract_block(typing, given, result, carry, points, bulk, at, line, row, plane, place):
        """Nodal values of a block, with nodal displacements `given`, taken from `result`.

        All arrays are flat. at: index of the first node, whose neighbours are `row` and `plane`
        further, as components are `line` further; place: number of the block times LANES. carry: 12
        vectors, what the far ends of the block before in its row leave for this one; overwritten.
        """
        arguments = given, result, carry, points, bulk, at, line, row, plane, place
        return types.void(*arguments), emit

    def emit(context, builder, signature, arguments):
        in_given, in_result, in_carry, in_points, in_bulk = (
            places(context, builder, signature.args[n], arguments[n]) for n in range(5)
        )
        at, line, row, plane, place = arguments[5:]

        def index(c, q):
            """Of component c at the near end of edge q along x."""
            start = builder.add(at, builder.mul(line, ir.Constant(line.type, c)))
            start = builder.add(start, row) if q & 1 else start
            return builder.add(start, plane) if q & 2 else start

        def nodes():
            return [
                [load(builder, in_given(index(c, a >> 1), a & 1)) for a in range(8)]
                for c in range(3)
            ]

        first = builder.mul(place, ir.Constant(place.type, 8 * ROWS))

        def point(g):
            return [load(builder, in_points(first, (ROWS * g + r) * LANES)) for r in range(ROWS)]

        own = builder.mul(place, ir.Constant(place.type, moduli))
        of_bulk = [load(builder, in_bulk(own, n * LANES)) for n in range(moduli)]
        values = nodal_values(nodes, point, of_bulk)
        for c in range(3):
            for q in range(4):
                near, far = values[c][2 * q], values[c][2 * q + 1]
                waiting = in_carry(ir.Constant(at.type, 0), (4 * c + q) * LANES)
                here = near + far.shifted(load(builder, waiting))
                far.store(waiting)
                total = in_result(index(c, q))
                (load(builder, total) - here).store(total)
        return context.get_dummy_value()

    return intrinsic(subtract_block)


def _slab(of_b_bar, of_full):
    """A loop over the blocks of a slab."""

    @njit(error_model="numpy")
    def subtract(points, bulk, given, result):
        layers, ny, blocks = points.shape[:3]
        flat, flat_bulk = points.reshape(-1), bulk.reshape(-1)
        row = (result.size - LANES) // ((layers + 1) * (ny + 1))
        line, plane = row // 3, row * (ny + 1)
        full = bulk.shape[3] > 1
        carry = np.empty(12 * LANES, np.float32)
        for k in range(layers):
            for j in range(ny):
                at, place = k * plane + j * row, (k * ny + j) * blocks * LANES
                carry[:] = 0.0
                for _ in range(blocks):
                    if full:
                        of_full(given, result, carry, flat, flat_bulk, at, line, row, plane, place)
                    else:
                        of_b_bar(given, result, carry, flat, flat_bulk, at, line, row, plane, place)
                    at += LANES
                    place += LANES
                if line > blocks * LANES:  # the last node of a row is in no block
                    for c in range(3):
                        for q in range(4):
                            node = at + c * line + (q & 1) * row + (q >> 1) * plane
                            result[node] -= carry[(4 * c + q) * LANES + LANES - 1]

    return subtract


def _forces_of_block(nodes, point, bulk):
    return element_forces(nodes(), point, bulk)


def _diagonal_of_block(element):
    unit = hexahedron(1.0, element)
    return lambda nodes, point, bulk: element_diagonal(unit, point, bulk)


_subtract_products = _slab(_block(1, _forces_of_block), _block(8, _forces_of_block))
_subtract_diagonals = _slab(
    _block(1, _diagonal_of_block("b_bar")), _block(8, _diagonal_of_block("full"))
)


@njit(cache=True, error_model="numpy")
def subtract_product(points, bulk, u, rest):
    """rest -= tangent · u, right on the owned planes; both as lines, see lines.py."""
    _subtract_products(points, bulk, u, rest)


@njit(cache=True, error_model="numpy")
def diagonal(points, bulk, diag):
    """Diagonal of the tangent (N/mm) as lines, right on the owned planes; overwritten."""
    diag[:] = 0.0
    _subtract_diagonals(points, bulk, diag, diag)
    diag[:] = -diag


@njit(error_model="numpy")
def decoupled(kind):
    """Stiffness of a degree of freedom that is not free, in parts of the scale.

    Tiny in a void: coarse grids reach its nodes, and must not feel them.
    """
    return 1.0 if kind == HELD else 1e-8


@njit(error_model="numpy")
def _forces(rest, u, kinds, scale, force):
    """Forces where degrees of freedom are free, of which `rest` is the negative; the others are
    decoupled."""
    planes, ny, nx, _ = force.shape
    line = line_length(nx)
    at = 0
    for k in range(planes):
        for j in range(ny):
            for c in range(3):
                for i in range(nx):
                    kind = kinds[k, j, i, c]
                    if kind == FREE:
                        force[k, j, i, c] = -rest[at + i]
                    else:
                        force[k, j, i, c] = scale * decoupled(kind) * u[k, j, i, c]
                at += line


@njit(cache=True, error_model="numpy")
def multiply(u, kinds, scale, points, bulk, lines, force):
    """Tangent times displacement u (mm): force (N), both (layers+1, ny+1, nx+1, 3).

    force is overwritten and right on the owned planes. kinds: see grid; degrees of freedom that
    are not free are decoupled: a stiffness of `scale` (N/mm) if held, next to none in a void.
    lines: (2, lines_size), single precision, scratch.
    """
    to_lines(u, kinds, lines[0])
    lines[1] = 0.0
    subtract_product(points, bulk, lines[0], lines[1])
    _forces(lines[1], u, kinds, scale, force)
