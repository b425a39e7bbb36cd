"""The tangent of a slab of the voxel grid as an operator: products and its diagonal (numba).

No matrix is stored: a product visits the points, reads a tenth of what a sparse matrix takes from
memory and needs no assembly. Single precision: the tangent only ever preconditions, or multiplies
corrections that the next residual checks.

Eight elements that follow each other along x are the lanes of vector code: element i of a row is
lane i % 8 of block i // 8. Points: (layers, ny, blocks, 8, 6, 8), of point g, row r, lane l: twice
the shear modulus, then t = s·√(−radial) without its zz component (s has no trace), all times w/h²
(√ of it for t), with w the volume of a point and h the edge of a voxel. bulk: (layers, ny, blocks,
8), the mean of the bulk modulus over the points, times w/h². So that, with gradients per edge
length,
    force ~ Σ over points: bulk·tr ε̄·1 + 2·shear·dev ε − t (t : ε).
"""

import numpy as np
from numba import njit

from porefail.fe.grid import FREE, HELD

LANES = 8
ROWS = 6
ROW = 6 * LANES  # nodal values of a row of elements: of 3 components at 2·LANES places

# Linear interpolation from the ends of an edge to a Gauss point: weights of the near, the far end.
NEAR = np.float32(0.5 + 0.5 / np.sqrt(3.0))
FAR = np.float32(0.5 - 0.5 / np.sqrt(3.0))
QUARTER, THIRD, HALF = np.float32(0.25), np.float32(1.0 / 3.0), np.float32(0.5)


def points_shape(shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Shape of the points of elements (layers, ny, nx); that of `bulk` is [:3] of it and LANES."""
    return (*shape[:2], -(-shape[2] // LANES), 8, ROWS, LANES)


def rows_shape(shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Shape of the scratch of `multiply` for elements (layers, ny, nx)."""
    return (shape[0] + 1, shape[1] + 1, -(-shape[2] // LANES), ROW)


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _to_points(d0, d1, d2, d3):
    """Values at the four Gauss points of a face from those at its corners, first axis fastest.

    Symmetric: also takes values at the points back to the corners.
    """
    a0, a1 = NEAR * d0 + FAR * d1, FAR * d0 + NEAR * d1
    a2, a3 = NEAR * d2 + FAR * d3, FAR * d2 + NEAR * d3
    return NEAR * a0 + FAR * a2, NEAR * a1 + FAR * a3, FAR * a0 + NEAR * a2, FAR * a1 + NEAR * a3


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _store(values, row, lane, four):
    for q in range(4):
        values[(row + q) * LANES + lane] = four[q]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _gradients(nodes, slopes, c, lane):
    """slopes: ∂u_c/∂x_d at the points in rows 12c + 4d..., written. Returns the mean of ∂u_c/∂x_c.

    nodes: u_c at (dy, dz) in row 3·(dy + 2·dz) + c of 2·LANES values, x fastest. A slope along one
    axis is the same at both points along it, so that there are four.
    """
    width = 2 * LANES
    near, far = c * width + lane, c * width + lane + 1
    step = 3 * width
    a0, b0 = nodes[near], nodes[far]
    a1, b1 = nodes[near + step], nodes[far + step]
    a2, b2 = nodes[near + 2 * step], nodes[far + 2 * step]
    a3, b3 = nodes[near + 3 * step], nodes[far + 3 * step]
    x0, x1, x2, x3 = b0 - a0, b1 - a1, b2 - a2, b3 - a3
    y0, y1, y2, y3 = a1 - a0, b1 - b0, a3 - a2, b3 - b2
    z0, z1, z2, z3 = a2 - a0, b2 - b0, a3 - a1, b3 - b1
    _store(slopes, 12 * c, lane, _to_points(x0, x1, x2, x3))
    _store(slopes, 12 * c + 4, lane, _to_points(y0, y1, y2, y3))
    _store(slopes, 12 * c + 8, lane, _to_points(z0, z1, z2, z3))
    if c == 0:
        return QUARTER * (x0 + x1 + x2 + x3)
    if c == 1:
        return QUARTER * (y0 + y1 + y2 + y3)
    return QUARTER * (z0 + z1 + z2 + z3)


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _both(stresses, row, first, second, lane):
    """Sum of a stress over two points."""
    return stresses[(6 * first + row) * LANES + lane] + stresses[(6 * second + row) * LANES + lane]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _nodal(stresses, rows, ends, c, lane):
    """The transpose of `_gradients`: nodal forces, written.

    rows: the stresses σ_cx, σ_cy, σ_cz among the 6 of a point. ends: at (dy, dz), the end along x
    and c in row 6·(dy + 2·dz) + 3·end + c.
    """
    r, s, t = rows
    x0, x1, x2, x3 = _to_points(
        _both(stresses, r, 0, 1, lane),
        _both(stresses, r, 2, 3, lane),
        _both(stresses, r, 4, 5, lane),
        _both(stresses, r, 6, 7, lane),
    )
    y0, y1, y2, y3 = _to_points(
        _both(stresses, s, 0, 2, lane),
        _both(stresses, s, 1, 3, lane),
        _both(stresses, s, 4, 6, lane),
        _both(stresses, s, 5, 7, lane),
    )
    z0, z1, z2, z3 = _to_points(
        _both(stresses, t, 0, 4, lane),
        _both(stresses, t, 1, 5, lane),
        _both(stresses, t, 2, 6, lane),
        _both(stresses, t, 3, 7, lane),
    )
    first = c * LANES + lane
    far, step = 3 * LANES, 6 * LANES
    ends[first] = -x0 - y0 - z0
    ends[first + far] = x0 - y1 - z1
    ends[first + step] = -x1 + y0 - z2
    ends[first + far + step] = x1 + y1 - z3
    ends[first + 2 * step] = -x2 - y2 + z0
    ends[first + far + 2 * step] = x2 - y3 + z1
    ends[first + 3 * step] = -x3 + y2 + z2
    ends[first + far + 3 * step] = x3 + y3 + z3


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _point(slopes, stresses, pressure, points, g, lane):
    """Stress of point g, written to rows 6g...6g+5 of stresses."""
    gx, gy, gz = g & 1, g >> 1 & 1, g >> 2
    x = (gy + 2 * gz) * LANES + lane
    y = (4 + gx + 2 * gz) * LANES + lane
    z = (8 + gx + 2 * gy) * LANES + lane
    v, w = 12 * LANES, 24 * LANES
    e0, e1, e2 = slopes[x], slopes[v + y], slopes[w + z]
    e3 = slopes[y] + slopes[v + x]
    e4 = slopes[v + z] + slopes[w + y]
    e5 = slopes[w + x] + slopes[z]
    mean = THIRD * (e0 + e1 + e2)
    at = g * ROWS * LANES + lane
    shear = points[at]
    t0, t1 = points[at + LANES], points[at + 2 * LANES]
    t3, t4, t5 = points[at + 3 * LANES], points[at + 4 * LANES], points[at + 5 * LANES]
    t2 = -t0 - t1
    # t has no trace: the dilatation does not matter here.
    flow = (t0 * e0 + t1 * e1) + (t2 * e2 + t3 * e3) + (t4 * e4 + t5 * e5)
    half = HALF * shear
    to = 6 * g * LANES + lane
    stresses[to] = shear * (e0 - mean) - flow * t0 + pressure
    stresses[to + LANES] = shear * (e1 - mean) - flow * t1 + pressure
    stresses[to + 2 * LANES] = shear * (e2 - mean) - flow * t2 + pressure
    stresses[to + 3 * LANES] = half * e3 - flow * t3
    stresses[to + 4 * LANES] = half * e4 - flow * t4
    stresses[to + 5 * LANES] = half * e5 - flow * t5


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _multiply_block(
    nodes, points, first, bulk, place, lanes, local, slopes, stresses, ends
):  # fmt: skip
    """One block: nodal displacements to nodal forces, each stage a loop over the lanes."""
    # All at once: the processor then waits for memory once, not once for each point.
    for n in range(8 * ROWS * lanes):
        local[n] = points[first + n]
    for lane in range(lanes):
        dilatation = (
            _gradients(nodes, slopes, 0, lane)
            + _gradients(nodes, slopes, 1, lane)
            + _gradients(nodes, slopes, 2, lane)
        )
        slopes[36 * LANES + lane] = bulk[place + lane] * dilatation
    for lane in range(lanes):
        pressure = slopes[36 * LANES + lane]
        _point(slopes, stresses, pressure, local, 0, lane)
        _point(slopes, stresses, pressure, local, 1, lane)
        _point(slopes, stresses, pressure, local, 2, lane)
        _point(slopes, stresses, pressure, local, 3, lane)
        _point(slopes, stresses, pressure, local, 4, lane)
        _point(slopes, stresses, pressure, local, 5, lane)
        _point(slopes, stresses, pressure, local, 6, lane)
        _point(slopes, stresses, pressure, local, 7, lane)
    for lane in range(lanes):
        _nodal(stresses, (0, 3, 5), ends, 0, lane)
        _nodal(stresses, (3, 1, 4), ends, 1, lane)
        _nodal(stresses, (5, 4, 2), ends, 2, lane)


@njit(error_model="numpy")
def decoupled(kind):
    """Stiffness of a degree of freedom that is not free, in parts of the scale.

    Tiny in a void: coarse grids reach its nodes, and must not feel them.
    """
    return 1.0 if kind == HELD else 1e-8


@njit(error_model="numpy")
def _split(u, kinds, given):
    """Nodal values of each block of a row, x fastest; blocks share the nodes between them.

    Held degrees of freedom count as zero.
    """
    planes, ny, nx, _ = u.shape
    for k in range(planes):
        for j in range(ny):
            for b in range(given.shape[2]):
                i = LANES * b
                for x in range(min(LANES + 1, nx - i)):
                    for c in range(3):
                        held = kinds[k, j, i + x, c] == HELD
                        given[k, j, b, 2 * LANES * c + x] = 0.0 if held else u[k, j, i + x, c]


@njit(error_model="numpy")
def _join(result, u, kinds, scale, force):
    """Nodal forces from the sums at the near and far ends of the elements of each block."""
    planes, ny, nx, _ = force.shape
    for k in range(planes):
        for j in range(ny):
            row = result[k, j]
            for x in range(nx):
                block, lane = x // LANES, x % LANES
                before, end = (x - 1) // LANES, (x - 1) % LANES
                for c in range(3):
                    total = np.float32(0.0)
                    if x < nx - 1:
                        total += row[block, LANES * c + lane]
                    if x > 0:
                        total += row[before, LANES * (3 + c) + end]
                    kind = kinds[k, j, x, c]
                    if kind == FREE:
                        force[k, j, x, c] = total
                    else:
                        force[k, j, x, c] = scale * decoupled(kind) * u[k, j, x, c]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def multiply(u, kinds, scale, points, bulk, rows, force):
    """Tangent times displacement u (mm): force (N), both (layers+1, ny+1, nx+1, 3).

    force is overwritten and right on the owned planes. kinds: see grid; degrees of freedom that are
    not free are decoupled: a stiffness of `scale` (N/mm) if held, next to none in a void. rows: (2,
    *rows_shape), single precision, scratch: u and force block by block.
    """
    layers, ny, blocks = points.shape[:3]
    lanes = points.shape[5]
    flat, flat_bulk = points.reshape(-1), bulk.reshape(-1)
    given, result = rows[0], rows[1]
    nodes = np.zeros(4 * ROW, np.float32)
    local = np.zeros(8 * ROWS * LANES, np.float32)
    slopes = np.zeros(37 * LANES, np.float32)
    stresses = np.zeros(48 * LANES, np.float32)
    ends = np.zeros(4 * ROW, np.float32)
    _split(u, kinds, given)
    result[...] = 0.0
    for k in range(layers):
        for j in range(ny):
            for b in range(blocks):
                place = ((k * ny + j) * blocks + b) * LANES
                for s in range(4):
                    row = given[k + (s >> 1), j + (s & 1), b]
                    for n in range(row.size):
                        nodes[ROW * s + n] = row[n]
                _multiply_block(
                    nodes, flat, place * ROWS * 8, flat_bulk, place, lanes,
                    local, slopes, stresses, ends,
                )  # fmt: skip
                for s in range(4):
                    row = result[k + (s >> 1), j + (s & 1), b]
                    for n in range(row.size):
                        row[n] += ends[ROW * s + n]
    _join(result, u, kinds, scale, force)


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def diagonal(bearing, kinds, scale, points, bulk, element, diag):
    """Diagonal of the tangent (N/mm), (layers+1, ny+1, nx+1, 3); overwritten, as in `multiply`.

    element: Hexahedron of unit edge.
    """
    layers, ny, nx = bearing.shape
    diag[...] = 0.0
    deviatoric = np.empty((3, 8, 8))
    for c in range(3):
        for a in range(8):
            for g in range(8):
                deviatoric[c, a, g] = element.deviatoric[g, 3 * a + c, 3 * a + c]
    t = np.empty((3, 3))
    for k in range(layers):
        for j in range(ny):
            for i in range(nx):
                if not bearing[k, j, i]:
                    continue
                block, lane = i // LANES, i % LANES
                for a in range(8):
                    z, y, x = k + (a >> 2), j + (a >> 1 & 1), i + (a & 1)
                    for c in range(3):
                        volume = element.volume[3 * a + c]
                        diag[z, y, x, c] += 8.0 * bulk[k, j, block, lane] * volume * volume
                for g in range(8):
                    row = points[k, j, block, g, :, lane]
                    t[0, 0], t[1, 1] = row[1], row[2]
                    t[2, 2] = -row[1] - row[2]
                    t[0, 1] = t[1, 0] = row[3]
                    t[1, 2] = t[2, 1] = row[4]
                    t[2, 0] = t[0, 2] = row[5]
                    for a in range(8):
                        z, y, x = k + (a >> 2), j + (a >> 1 & 1), i + (a & 1)
                        for c in range(3):
                            side = 0.0
                            for d in range(3):
                                side += element.gradients[d, a, g] * t[c, d]
                            diag[z, y, x, c] += row[0] * deviatoric[c, a, g] - side * side
    flat, kind = diag.reshape(-1), kinds.reshape(-1)
    for n in range(flat.size):
        if kind[n] != FREE:
            flat[n] = scale * decoupled(kind[n])
