"""Products with the matrix of a coarse grid in single precision: 27 neighbours of 3×3 a node.

A product is bound by memory: half the bytes of a sparse matrix, and no column numbers.
Nodes are numbered through, x fastest; eight that follow each other are the lanes of a block, and
their neighbours are at the same 27 distances everywhere. What lies outside the grid has zeros.
"""

import numpy as np
from llvmlite import ir
from mpi4py import MPI
from numba import njit, types
from numba.extending import intrinsic

from porefail.fe.lanes import LANES, load, places
from porefail.fe.petsc import PETSc


@intrinsic
def _multiply_block(typing, values, u, result, first, at, line, row, plane):
    """Product for one block. values: from `first` on, (27 neighbours, 3 columns, 3 rows, LANES).

    u, result: components `line` apart; at: index of the block in them; row, plane: distances to
    the neighbours along y and z.
    """

    def emit(context, builder, signature, arguments):
        in_values, in_u, in_result = (
            places(context, builder, signature.args[n], arguments[n]) for n in range(3)
        )
        first, at, line, row, plane = arguments[3:]
        starts = [at, builder.add(at, line), builder.add(at, builder.add(line, line))]
        sums = [None] * 3
        for n in range(27):
            dz, dy, dx = n // 9 - 1, n // 3 % 3 - 1, n % 3 - 1
            away = builder.add(
                builder.mul(plane, ir.Constant(plane.type, dz)),
                builder.mul(row, ir.Constant(row.type, dy)),
            )
            for e in range(3):
                there = load(builder, in_u(builder.add(starts[e], away), dx))
                for c in range(3):
                    value = load(builder, in_values(first, ((n * 3 + e) * 3 + c) * LANES))
                    sums[c] = value * there if sums[c] is None else sums[c] + value * there
        for c in range(3):
            sums[c].store(in_result(starts[c]))
        return context.get_dummy_value()

    return types.void(values, u, result, first, at, line, row, plane), emit


@njit(cache=True)
def multiply_stencil(values, u, result, row, plane):
    """result = matrix · u; u, result: (3, plane+row+1 more at both ends, whole blocks), float32."""
    blocks, line = values.shape[0], u.shape[1]
    flat, flat_u, flat_result = values.reshape(-1), u.reshape(-1), result.reshape(-1)
    for b in range(blocks):
        _multiply_block(
            flat, flat_u, flat_result, b * 243 * LANES, plane + row + 1 + b * LANES,
            line, row, plane,
        )  # fmt: skip


@njit(cache=True)
def _find_places(starts, columns, first, row, plane, found):
    """Places of a sparse matrix' entries in the stencil's values, written; first: own node."""
    neighbour = np.empty(2 * (plane + row + 1) + 1, np.int32)
    for n in range(27):
        dz, dy, dx = n // 9 - 1, n // 3 % 3 - 1, n % 3 - 1
        neighbour[(dz + 1) * plane + (dy + 1) * row + dx + 1] = n
    for r in range(starts.size - 1):
        node, c = r // 3, r % 3
        lowest = first + node - (plane + row + 1)
        start = node // LANES * 243 * LANES + c * LANES + node % LANES
        for at in range(starts[r], starts[r + 1]):
            other, e = columns[at] // 3, columns[at] % 3
            found[at] = start + (neighbour[other - lowest] * 3 + e) * 3 * LANES


class Stencil:
    """A sparse matrix of a grid as PETSc sees a matrix; each rank owns whole nodes.

    matrix: assembled, degrees of freedom 3·node + component; shape: nodes (z, y, x), at least 3
    along y and x.
    """

    def __init__(self, matrix: PETSc.Mat, shape: tuple[int, int, int]):
        self._matrix, self._row = matrix, shape[2]
        self._plane = shape[1] * shape[2]
        first, end = (row // 3 for row in matrix.getOwnershipRange())
        self._margin = self._plane + self._row + 1
        blocks = -(-(end - first) // LANES)
        self._values = np.zeros((blocks, 27, 3, 3, LANES), np.float32)
        self._u = np.zeros((3, LANES * blocks + 2 * self._margin), np.float32)
        self._result = np.zeros_like(self._u)
        # The nodes that the own ones feel, and where they are in u.
        total = int(np.prod(shape))
        lowest, highest = max(first - self._margin, 0), min(end + self._margin, total)
        start = self._margin + lowest - first
        self._felt = slice(start, start + highest - lowest)
        self._own = slice(self._margin, self._margin + end - first)
        self._scatter = self._near = None
        if matrix.getComm().size > 1:
            self._near = PETSc.Vec().createSeq(3 * (highest - lowest))
            stride = PETSc.IS().createStride(3 * (highest - lowest), 3 * lowest, 1, MPI.COMM_SELF)
            self._scatter = PETSc.Scatter().create(
                matrix.createVecRight(), stride, self._near, None
            )
        self._places = self._find()

    def update(self) -> None:
        """Take the matrix' values over; its pattern never changes."""
        self._values.reshape(-1)[self._places] = self._matrix.getValuesCSR()[2]

    def _find(self) -> np.ndarray:
        """Positions in `_values` of the entries of the matrix."""
        starts, columns, _ = self._matrix.getValuesCSR()
        found = np.empty(columns.size, np.int32)
        first = self._matrix.getOwnershipRange()[0] // 3
        _find_places(starts, columns, first, self._row, self._plane, found)
        return found

    def mult(self, matrix, x, y):
        """PETSc's matrix product."""
        given = x
        if self._scatter is not None:
            self._scatter.scatter(x, self._near)
            given = self._near
        self._u[:, self._felt] = given.getArray(readonly=True).reshape(-1, 3).T
        multiply_stencil(self._values, self._u, self._result, self._row, self._plane)
        y.getArray().reshape(-1, 3)[:] = self._result[:, self._own].T
